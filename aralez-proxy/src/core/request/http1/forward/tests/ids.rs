//! The ids of a forwarded request.

use crate::core::request::http1::forward::tests::*;

#[test]
fn ids_pass_if_they_are_well_formed_and_begin_here_otherwise() {
    let right = "X-Request-ID: a-1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\ntracestate: x=1\r\n";
    let get = |fields: &str| plain(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    let passed = get(right);
    assert!(passed.contains(right), "{passed}");
    assert!(
        !passed.contains("x-request-id") && !passed.contains("0000-01"),
        "{passed}"
    );
    for wrong in [
        "X-Request-Id: a b\r\n",
        "X-Request-Id: a\r\nX-Request-Id: a\r\n",
        "traceparent: 00-x\r\ntracestate: x=1\r\n",
        "tracestate: x=1\r\n",
    ] {
        assert_eq!(get(wrong), get(""), "{wrong}");
    }
    let header = |name, value| Header::new(Direction::Request, name, value).unwrap();
    let own = CompiledEdits::new(&HeaderEdits {
        set: vec![header("X-Request-Id", "mine")],
        remove: vec!["traceparent".to_owned()],
        ..HeaderEdits::default()
    });
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{right}\r\n");
    let edited = requested(&head, "/", &own);
    assert!(edited.ends_with("tracestate: x=1\r\nx-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: a\r\nvia: 1.1 aralez-0000000000000000\r\ncdn-loop: aralez-0000000000000000\r\nx-request-id: mine\r\n\r\n"), "{edited}");
}
