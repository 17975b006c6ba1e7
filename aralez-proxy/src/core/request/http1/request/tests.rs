use super::*;

mod limits;
mod refused;

/// Reads a head in one piece. Returns it with its length.
fn read(head: &[u8]) -> Result<(RequestHead, usize), RequestRefusal> {
    let mut request = RequestHead::default();
    let length = request.read(head, &HeadLimits::default())?;
    Ok((request, length.expect("the head is whole")))
}

/// A POST with these fields.
fn with(fields: &str) -> Result<RequestHead, RequestRefusal> {
    let head = format!("POST / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
    read(head.as_bytes()).map(|(request, _)| request)
}

fn options(head: &str) -> RequestOptions {
    let (request, _) = read(head.as_bytes()).unwrap();
    request.options(head.as_bytes())
}

fn kept(head: &str) -> Vec<&str> {
    let (request, _) = read(head.as_bytes()).unwrap();
    let kept = request.fields().iter().filter(|field| field.keep);
    kept.map(|field| text(field.key(head.as_bytes()))).collect()
}

#[test]
fn an_ordinary_request_passes() {
    let head = b"POST /a?b=c HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc";
    let (request, length) = read(head).unwrap();
    assert_eq!(length, head.len() - 3);
    assert_eq!(request.method(head), "POST");
    assert_eq!(request.target(head), "/a?b=c");
    assert_eq!(request.host(head), Some("a.example"));
    assert_eq!(request.version(), HttpVersion::Http11);
    assert_eq!(request.framing(), Framing::Length(3));
    assert!(!request.rewrites_length());
    assert_eq!(request.fields().len(), 2);
}

#[test]
fn what_only_looks_odd_passes() {
    for head in [
        "GET / HTTP/1.0\r\nHost: [::1]:8080\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:65535\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a_b.example~.\r\n\r\n",
        "GET / HTTP/1.1\r\nhOST:a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "GET http://a:80/ HTTP/1.1\r\nHost: A\r\n\r\n",
        "GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n",
        "GET http://a:/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n",
        "GET HTTPS://a HTTP/1.1\r\nHost: A\r\n\r\n",
        "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n",
        "VERSION-CONTROL / HTTP/1.1\r\nHost: a\r\n\r\n",
        "M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%00/\"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\tb \"(c)\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nExpect: something\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: a\r\nCookie: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: a,b,c,d,e,f,g,h,i\r\n\r\n",
    ] {
        let read = read(head.as_bytes());
        assert_eq!(read.unwrap().1, head.len(), "{head:?}");
    }
    let (request, _) = read(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\x80\r\n\r\n").unwrap();
    assert_eq!(
        request.fields().len(),
        2,
        "bytes above ASCII are opaque in values"
    );
}

#[test]
fn the_end_of_the_body_is_told_in_one_way() {
    for (fields, framing) in [
        ("", Framing::None),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("content-length:\t12 \r\n", Framing::Length(12)),
        (
            "Content-Length: 18446744073709551615\r\n",
            Framing::Length(u64::MAX),
        ),
        ("Transfer-Encoding: Chunked\r\n", Framing::Chunked),
        ("transfer-encoding:chunked\t\r\n", Framing::Chunked),
    ] {
        let request = with(fields).unwrap();
        assert_eq!(request.framing(), framing, "{fields:?}");
        assert!(!request.rewrites_length(), "{fields:?}");
    }
    let odd = with("Content-Length: 0012\r\n").unwrap();
    assert_eq!(
        (odd.framing(), odd.rewrites_length()),
        (Framing::Length(12), true)
    );
}

#[test]
fn a_connection_stays_open_where_the_client_says_so_and_its_version_can() {
    for (line, fields, keep_alive) in [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive, CLOSE\r\n", false),
        (
            "HTTP/1.1",
            "Connection: close\r\nConnection: keep-alive\r\n",
            false,
        ),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.0", "Keep-Alive: timeout=9\r\n", false),
    ] {
        let head = format!("GET / {line}\r\nHost: a\r\n{fields}\r\n");
        assert_eq!(options(&head).keep_alive, keep_alive, "{head:?}");
    }
}

#[test]
fn only_a_get_without_a_body_that_names_websocket_twice_becomes_one() {
    let fields = "Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n";
    let asks =
        |line: &str, more: &str| options(&format!("{line}\r\nHost: a\r\n{more}\r\n")).web_socket;
    assert!(asks("GET / HTTP/1.1", fields));
    assert!(asks(
        "GET / HTTP/1.1",
        &format!("{fields}Content-Length: 0\r\n")
    ));
    assert!(!asks("POST / HTTP/1.1", fields));
    assert!(!asks("GET / HTTP/1.0", fields));
    assert!(!asks(
        "GET / HTTP/1.1",
        &format!("{fields}Content-Length: 1\r\n")
    ));
    assert!(!asks(
        "GET / HTTP/1.1",
        &format!("{fields}Transfer-Encoding: chunked\r\n")
    ));
    assert!(!asks("GET / HTTP/1.1", "Upgrade: websocket\r\n"));
    assert!(!asks("GET / HTTP/1.1", "Connection: upgrade\r\n"));
    assert!(!asks(
        "GET / HTTP/1.1",
        "Connection: upgrade\r\nUpgrade: h2c\r\n"
    ));
}

#[test]
fn an_old_client_neither_waits_for_a_100_nor_takes_trailers() {
    let fields = "Host: a\r\nExpect: 100-Continue\r\nTE: gzip, Trailers\r\n\r\n";
    let new = options(&format!("PUT / HTTP/1.1\r\n{fields}"));
    assert!(new.expects_continue && new.trailers);
    let old = options(&format!("PUT / HTTP/1.0\r\n{fields}"));
    assert!(!old.expects_continue && !old.trailers);
}

#[test]
fn what_belongs_to_the_connection_or_speaks_in_our_name_is_dropped() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nConnection: x-mine, X-Other, upgrade\r\n\
                Keep-Alive: 3\r\nProxy-Connection: close\r\nX-Mine: 1\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\n\
                HTTP2-Settings: AAMA\r\nX-Forwarded-For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\
                Expect: 100-continue\r\nX-mine: 2\r\nVia: 1.1 b\r\n\r\n";
    assert_eq!(kept(head), ["Host", "Accept", "Expect", "Via"]);
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    assert_eq!(kept(chunked), ["Host", "X"]);
    let old = "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
    assert_eq!(kept(old), ["Host", "Content-Length"]);
}

#[test]
fn a_head_that_was_cleared_knows_nothing_of_the_request_before() {
    let limits = HeadLimits::default();
    let first = b"\r\nPOST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 007\r\nConnection: keep-alive, x\r\nOrigin: o\r\n\r\n";
    let second = b"GET /b HTTP/1.1\r\nHost: b\r\nOrigin: p\r\n\r\n";
    let mut request = RequestHead::default();
    assert_eq!(request.read(first, &limits), Ok(Some(first.len())));
    request.clear();
    assert_eq!(request.read(second, &limits), Ok(Some(second.len())));
    assert_eq!(
        (request.method(second), request.host(second)),
        ("GET", Some("b"))
    );
    assert_eq!(
        (request.framing(), request.rewrites_length()),
        (Framing::None, false)
    );
    assert_eq!(request.fields().len(), 2);
}
