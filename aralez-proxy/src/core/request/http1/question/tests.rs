use aralez_decision::additions::FieldList;
use aralez_decision::client::{ClientFacts, Hop};
use aralez_decision::edits::{CompiledEdits, Forwarded};
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::trace::NewIds;
use aralez_proto::matcher::Scheme;

use super::*;
use crate::core::limits::HeadLimits;
use crate::core::request::http1::request::RequestOptions;

/// Returns the question about a request from 203.0.113.7, which is a trusted proxy or the client itself.
fn question(head: &str, trusted: bool) -> String {
    let mut request = RequestHead::default();
    let bytes = head.as_bytes();
    request.read(bytes, &HeadLimits::default()).unwrap();
    let sender = Hop {
        address: "203.0.113.7".parse().unwrap(),
        scheme: Scheme::Http,
    };
    let client = ClientFacts {
        client: sender,
        proxy: trusted.then_some(sender),
    };
    let mut fields = FieldList::default();
    fields.add("x-forwarded-uri", b"/x?a=1");
    let edits = RequestEdits {
        target: "/verify?rd=1",
        missing_host: None,
        route: &CompiledEdits::default(),
        additions: &fields,
        forwarded: &Forwarded::new(sender.address, false),
        client,
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: RequestOptions::default(),
    };
    let head = QuestionHead {
        method: "GET",
        authority: "127.0.0.1:9091",
    };
    let mut out = Vec::new();
    write(&request, bytes, &head, &edits, &mut out);
    String::from_utf8(out).unwrap()
}

const OWN: &str = "x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: a\r\n\
                   via: 1.1 aralez-0000000000000000\r\ncdn-loop: aralez-0000000000000000\r\n\
                   x-request-id: 00000000000000000000000000000000\r\n\
                   traceparent: 00-00000000000000000000000000000000-0000000000000000-01\r\n\
                   x-forwarded-uri: /x?a=1\r\n\r\n";

#[test]
fn a_server_gets_what_a_client_proves_itself_with_and_nothing_about_content() {
    let head = "POST /x?a=1 HTTP/1.1\r\nHost: a\r\nCookie: session=1\r\nAuthorization: Bearer x\r\nAccept: text/html\r\n\
                Content-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\nExpect: 100-continue\r\nRange: bytes=0-1\r\n\
                If-None-Match: \"x\"\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nUpgrade: websocket\r\nX-More: 2\r\n\r\n";
    assert_eq!(
        question(head, false),
        format!(
            "GET /verify?rd=1 HTTP/1.1\r\nhost: 127.0.0.1:9091\r\nCookie: session=1\r\nAuthorization: Bearer x\r\n\
             Accept: text/html\r\nX-More: 2\r\n{OWN}"
        )
    );
}

/// A client cannot tell the server another method, target or address.
#[test]
fn a_client_cannot_speak_for_the_proxy() {
    let said = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /public\r\nX-Original-URL: http://a/public\r\nX-Original-Method: GET\r\n\
                X_Forwarded_Uri: /public\r\nX-Forwarded-For: 10.0.0.1\r\nRemote-User: root\r\nX-Auth-Request-User: root\r\n";
    let head = format!("GET /x?a=1 HTTP/1.1\r\nHost: a\r\n{said}\r\n");
    let first = "GET /verify?rd=1 HTTP/1.1\r\nhost: 127.0.0.1:9091\r\n";
    assert_eq!(question(&head, false), format!("{first}{OWN}"));
    let trusted = question(&head, true);
    for told in ["GET\r\n", "/public"] {
        assert!(
            !trusted
                .to_ascii_lowercase()
                .contains(&format!(": {told}").to_ascii_lowercase()),
            "{trusted}"
        );
    }
}
