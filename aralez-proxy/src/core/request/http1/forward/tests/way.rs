//! The fields of a forwarded head about its path: the client, the requested host, and the nodes passed.

use crate::core::request::http1::forward::tests::*;
use crate::core::request::http1::request::HeadFields;
use aralez_decision::Fields as _;

/// The ids that a request gets in these tests.
const IDS: &str = "x-request-id: 00000000000000000000000000000000\r\n\
                   traceparent: 00-00000000000000000000000000000000-0000000000000000-01\r\n";

#[test]
fn what_the_operator_says_wins_over_what_we_say_and_a_loop_is_found_all_the_same() {
    let route = |set: &[(&str, &str)], remove: &[&str]| {
        let header = |(name, value): &(&str, &str)| Header::new(Direction::Request, name, value);
        CompiledEdits::new(&HeaderEdits {
            set: set.iter().map(|one| header(one).unwrap()).collect(),
            append: vec![header(&("X-Forwarded-For", "192.0.2.1")).unwrap()],
            remove: remove.iter().map(|name| (*name).to_owned()).collect(),
        })
    };
    let head = "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 b\r\nCDN-Loop: c; v=1\r\nX-Forwarded-Proto: ftp\r\n\r\n";
    let edge = route(&[("X-Forwarded-Proto", "https")], &["via"]);
    assert_eq!(
        requested(head, "/", &edge),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: c; v=1\r\nx-forwarded-for: 203.0.113.7\r\nx-forwarded-host: a\r\n\
         cdn-loop: aralez-0000000000000000\r\n{IDS}x-forwarded-proto: https\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
        )
    );
    let silent = route(
        &[("Via", "1.1 edge")],
        &["x-forwarded-for", "x-forwarded-host"],
    );
    assert_eq!(
        requested(head, "/", &silent),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: c; v=1\r\nx-forwarded-proto: http\r\n\
         cdn-loop: aralez-0000000000000000\r\n{IDS}via: 1.1 edge\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
        )
    );
}

#[test]
fn a_request_that_names_no_host_goes_on_with_one() {
    let head = b"GET / HTTP/1.0\r\nX: y\r\n\r\n";
    let mut request = RequestHead::default();
    request.read(head, &HeadLimits::default()).unwrap();
    let edits = RequestEdits {
        target: "/",
        missing_host: Some("192.0.2.1:80"),
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        forwarded: &Forwarded::new("203.0.113.7".parse().unwrap(), false),
        client: ClientFacts::direct("203.0.113.7".parse().unwrap(), Scheme::Http),
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: request.options(head),
    };
    let mut out = Vec::new();
    super::request(&request, head, &edits, &mut out);
    let said = old_client().replace("x-forwarded-host: a\r\n", "");
    let expected = format!("GET / HTTP/1.1\r\nhost: 192.0.2.1:80\r\nX: y\r\n{said}\r\n");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_request_that_passed_this_node_is_recognised_among_others() {
    let node = Pseudonym::new([0; 8]);
    let passed = |fields: &str| {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut request = RequestHead::default();
        request
            .read(head.as_bytes(), &HeadLimits::default())
            .unwrap();
        let fields = HeadFields::new(&request, head.as_bytes());
        let mut loops = fields.values(FieldName::CdnLoop);
        loops.any(|value| node.is_in(value))
    };
    assert!(!passed(""));
    assert!(!passed("Via: 1.1 aralez-0000000000000000\r\n"));
    assert!(!passed("CDN-Loop: aralez-0000000000000001, b\r\n"));
    assert!(passed(
        "CDN-Loop: b\r\ncdn-loop: c; x=y, aralez-0000000000000000\r\n"
    ));
}
