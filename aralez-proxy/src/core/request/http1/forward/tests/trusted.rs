//! The fields of a forwarded head about a client behind a trusted proxy.

use crate::core::request::http1::forward::tests::*;
use aralez_decision::client::Hop;

/// The fields of a request with `X-Forwarded-*` and everything else that proxies say.
const SAID: &str = "Forwarded: for=192.0.2.1;proto=https\r\nX-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\nX_Forwarded_For: 1\r\n\
                    X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Forwarded-Port: 444\r\nProxy: 6.6.6.6\r\n";

/// Returns the head of a request from the proxy 203.0.113.7, which is trusted or not, as forwarded.
fn relayed(fields: &str, trusted: bool, route: &CompiledEdits) -> String {
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n{fields}Y: 2\r\n\r\n");
    let mut request = RequestHead::default();
    let bytes = head.as_bytes();
    request.read(bytes, &HeadLimits::default()).unwrap();
    let proxy = Hop {
        address: "203.0.113.7".parse().unwrap(),
        scheme: Scheme::Http,
    };
    let client = Hop {
        address: "192.0.2.1".parse().unwrap(),
        scheme: Scheme::Https,
    };
    let behind = ClientFacts {
        client,
        proxy: Some(proxy),
    };
    let direct = ClientFacts::direct(proxy.address, proxy.scheme);
    let edits = RequestEdits {
        target: "/",
        missing_host: None,
        route,
        additions: &FieldList::default(),
        forwarded: &Forwarded::new(proxy.address, false),
        client: if trusted { behind } else { direct },
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: request.options(bytes),
    };
    let mut out = Vec::new();
    super::request(&request, bytes, &edits, &mut out);
    String::from_utf8(out).unwrap()
}

/// The lines of a trusted proxy that are written anew.
const WRITTEN: &str = "x-forwarded-for: 192.0.2.1, 203.0.113.7\r\nx-forwarded-proto: https\r\nx-forwarded-host: b\r\n\
                       forwarded: for=192.0.2.1;proto=https, for=203.0.113.7;proto=http\r\n";

fn way() -> &'static str {
    &CLIENT[CLIENT.find("via").unwrap()..]
}

// Row T-05: underscores.
#[test]
fn what_proxies_say_passes_from_a_trusted_one_alone() {
    let plain = CompiledEdits::default();
    assert_eq!(
        relayed(SAID, false, &plain),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n{CLIENT}\r\n")
    );
    assert_eq!(
        relayed(SAID, true, &plain),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX-Real-IP: 192.0.2.1\r\nX_Forwarded_For: 1\r\nX-Forwarded-Port: 444\r\nY: 2\r\n\
             {WRITTEN}{}\r\n",
            way()
        )
    );
}

#[test]
fn what_the_operator_says_wins_over_a_trusted_proxy() {
    let header = |name, value| Header::new(Direction::Request, name, value).unwrap();
    let route = CompiledEdits::new(&HeaderEdits {
        set: vec![
            header("X-Forwarded-Proto", "http"),
            header("X-Real-IP", "::1"),
        ],
        append: Vec::new(),
        remove: vec!["forwarded".to_owned(), "x-forwarded-port".to_owned()],
    });
    assert_eq!(
        relayed(SAID, true, &route),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX_Forwarded_For: 1\r\nY: 2\r\n\
             x-forwarded-for: 192.0.2.1, 203.0.113.7\r\nx-forwarded-host: b\r\n{}x-forwarded-proto: http\r\nx-real-ip: ::1\r\n\r\n",
            way()
        )
    );
}

/// Nobody has a field of proxies dropped by naming it in `Connection`, not even a trusted proxy.
// Row T-02: nominated fields about the client.
#[test]
fn a_request_that_nominates_a_field_of_proxies_is_refused() {
    for name in [
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "Forwarded",
        "x_forwarded_for",
        "Host",
        "Via",
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, {name}\r\n\r\n");
        let read = RequestHead::default().read(head.as_bytes(), &HeadLimits::default());
        assert_eq!(read.map_err(|refusal| refusal.status()), Err(400), "{name}");
    }
}
