use super::*;

fn status_of(head: &str) -> u16 {
    check(head.as_bytes()).map_or_else(|unfit| unfit.status, |()| 200)
}

fn with(fields: &str) -> u16 {
    status_of(&format!(
        "POST / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n"
    ))
}

#[test]
fn an_ordinary_request_passes() {
    assert_eq!(with("Content-Length: 3\r\nAccept: */*\r\n"), 200);
    assert_eq!(with("Transfer-Encoding: Chunked\r\n"), 200);
    assert_eq!(with("Connection: Upgrade, HTTP2-Settings\r\n"), 200);
    assert_eq!(status_of("GET / HTTP/1.0\r\nHost: [::1]:8080\r\n\r\n"), 200);
    assert_eq!(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_eq!(status_of("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_eq!(
        status_of("GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n"),
        200
    );
}

#[test]
fn a_length_that_two_parsers_could_read_differently_is_refused() {
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3, 3\r\n",
        "Content-Length: +3\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding:\r\n",
    ] {
        assert_eq!(with(fields), 400, "{fields:?}");
    }
    assert_eq!(with("Transfer-Encoding: gzip, chunked\r\n"), 501);
    assert_eq!(with("Transfer-Encoding: identity\r\n"), 501);
    let old = "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(status_of(old), 400);
}

#[test]
fn a_host_that_is_missing_repeated_or_malformed_is_refused() {
    assert_eq!(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(with("Host: a.example\r\n"), 400);
    for host in [
        "", "a b", "a/b", "a,b", "u@a", "a:", "a:0", "a:70000", "a:1x", "[::1", "[]", ":80",
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(status_of(&head), 400, "{host:?}");
    }
    assert_eq!(status_of("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

#[test]
fn a_target_that_is_no_path_is_refused() {
    for target in [
        "v",
        "%20/v",
        "*",
        "ftp://a/",
        "/a\tb",
        "/\u{e9}",
        "/\0",
        "http:///x",
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(status_of(&head), 400, "{target:?}");
    }
    for line in [
        "GET  / HTTP/1.1",
        "GET /",
        "GET / HTTP/1.2",
        "GET / HTTP/1.1 ",
    ] {
        assert_eq!(
            status_of(&format!("{line}\r\nHost: a\r\n\r\n")),
            400,
            "{line:?}"
        );
    }
    assert_eq!(
        status_of("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        405
    );
}

#[test]
fn lines_and_fields_have_one_reading() {
    for head in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    ] {
        assert_eq!(status_of(head), 400, "{head:?}");
    }
    assert_eq!(with("Authorization: a\r\nauthorization: b\r\n"), 400);
}

#[test]
fn a_client_cannot_have_our_fields_dropped() {
    for name in [
        "X-Forwarded-For",
        "host",
        "X-Real-IP",
        "Forwarded",
        "Content-Length",
    ] {
        assert_eq!(
            with(&format!("Connection: close, {name}\r\n")),
            400,
            "{name}"
        );
    }
    assert_eq!(with("Connection: \"x\"\r\n"), 400);
    let many = "a, b, c, d, e, f, g, h, i, j";
    assert_eq!(with(&format!("Connection: {many}\r\n")), 400);
}

#[test]
fn large_heads_get_their_own_status() {
    let long = "a".repeat(MAX_TARGET);
    assert_eq!(
        status_of(&format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        414
    );
    let many = "X: y\r\n".repeat(MAX_FIELDS);
    assert_eq!(with(&many), 431);
    assert_eq!(with(&"X: y\r\n".repeat(MAX_FIELDS - 1)), 200);
    let large = format!("X: {}\r\n", "y".repeat(MAX_HEAD));
    assert_eq!(with(&large), 431);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_gate_panic(head in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = check(&head);
    }
}
