use super::*;

mod refused;

const PLAIN: Asked = Asked {
    head: false,
    web_socket: false,
};
const HEAD: Asked = Asked {
    head: true,
    web_socket: false,
};
const SOCKET: Asked = Asked {
    head: false,
    web_socket: true,
};

/// Reads a head in one piece.
fn read(head: &str) -> Result<ResponseHead, BadResponse> {
    let mut response = ResponseHead::default();
    let length = response.read(head.as_bytes())?;
    assert_eq!(length, Some(head.len()), "{head:?}");
    Ok(response)
}

/// A 200 with these fields.
fn with(fields: &str) -> Result<ResponseHead, BadResponse> {
    read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))
}

fn kept(head: &str) -> Vec<&str> {
    let response = read(head).unwrap();
    let kept = response.fields().iter().filter(|field| field.keep);
    kept.map(|field| std::str::from_utf8(field.key(head.as_bytes())).unwrap())
        .collect()
}

#[test]
fn an_ordinary_response_passes() {
    let head = "HTTP/1.1 200 All is well\r\nDate: today\r\nContent-Length: 3\r\n\r\n";
    let response = read(head).unwrap();
    assert_eq!(response.version(), HttpVersion::Http11);
    assert_eq!(response.status(), 200);
    assert_eq!(response.reason(head.as_bytes()), b"All is well");
    assert_eq!(response.framing(PLAIN), Ok(Framing::Length(3)));
    assert_eq!(response.length(), Some(3));
    assert!(response.has_date() && response.keeps_alive());
    assert!(!response.rewrites_length() && !response.is_informational());
}

#[test]
fn a_status_line_may_leave_its_reason_out_and_any_three_digits_are_a_status() {
    for (line, status, reason) in [
        ("HTTP/1.1 200", 200, ""),
        ("HTTP/1.1 200 ", 200, ""),
        ("HTTP/1.0 404 Not  Found ", 404, "Not  Found "),
        ("HTTP/1.1 999 \tx", 999, "\tx"),
        ("HTTP/1.1 600 \u{e9}", 600, "\u{e9}"),
    ] {
        let head = format!("{line}\r\n\r\n");
        let response = read(&head).unwrap();
        assert_eq!(response.status(), status, "{line:?}");
        assert_eq!(
            response.reason(head.as_bytes()),
            reason.as_bytes(),
            "{line:?}"
        );
    }
}

#[test]
fn lines_that_end_in_lf_alone_are_read() {
    let head = "HTTP/1.1 200 OK\nContent-Length: 3\nX: y\r\n\n";
    let response = read(head).unwrap();
    assert_eq!(response.framing(PLAIN), Ok(Framing::Length(3)));
    let plain: Vec<bool> = response.fields().iter().map(|field| field.plain).collect();
    assert_eq!(
        plain,
        [false, true],
        "what ended in LF alone is written anew"
    );
}

#[test]
fn a_folded_line_is_part_of_its_field() {
    let head = "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\t c \r\nY:\r\n d\r\nZ: e\r\n \r\n\r\n";
    let response = read(head).unwrap();
    let fields = response.fields();
    let values: Vec<&[u8]> = fields
        .iter()
        .map(|field| field.value(head.as_bytes()))
        .collect();
    assert_eq!(values, [&b"a\r\n b\r\n\t c "[..], b"\r\n d", b"e\r\n "]);
    assert!(fields.iter().all(|field| !field.plain));
}

#[test]
fn the_end_of_the_body_is_told_in_one_way() {
    for (fields, framing, length) in [
        ("", Framing::UntilClose, None),
        ("Content-Length: 0\r\n", Framing::Length(0), Some(0)),
        ("Content-Length: 7\r\n", Framing::Length(7), Some(7)),
        ("Transfer-Encoding: CHUNKED\r\n", Framing::Chunked, None),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n",
            Framing::Chunked,
            None,
        ),
        (
            "Content-Length: 07\r\nTransfer-Encoding: chunked\r\n",
            Framing::Chunked,
            None,
        ),
    ] {
        let response = with(fields).unwrap();
        assert_eq!(response.framing(PLAIN), Ok(framing), "{fields:?}");
        assert_eq!(response.framing(HEAD), Ok(Framing::None), "{fields:?}");
        assert_eq!(response.length(), length, "{fields:?}");
        assert!(!response.rewrites_length(), "{fields:?}");
    }
    for status in [100, 103, 199, 204, 304] {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 7\r\n\r\n");
        assert_eq!(
            read(&head).unwrap().framing(PLAIN),
            Ok(Framing::None),
            "{status}"
        );
    }
    assert!(with("Content-Length: 007\r\n").unwrap().rewrites_length());
}

#[test]
fn only_what_asked_for_a_websocket_is_switched_to_one() {
    let agreed = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
    let response = read(agreed).unwrap();
    assert_eq!(response.framing(SOCKET), Ok(Framing::None));
    assert!(!response.is_informational());
    assert_eq!(response.framing(PLAIN), Err(BadResponse::Switch));
    for fields in [
        "",
        "Connection: upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
    ] {
        let response = read(&format!("HTTP/1.1 101 x\r\n{fields}\r\n")).unwrap();
        assert_eq!(
            response.framing(SOCKET),
            Err(BadResponse::Switch),
            "{fields:?}"
        );
    }
}

#[test]
fn an_endpoints_connection_is_used_again_only_where_nothing_is_in_doubt() {
    for (line, fields, keeps) in [
        ("HTTP/1.1 200", "", true),
        ("HTTP/1.1 200", "Connection: close\r\n", false),
        (
            "HTTP/1.1 200",
            "Connection: keep-alive\r\nConnection: x, Close\r\n",
            false,
        ),
        ("HTTP/1.1 200", "Transfer-Encoding: chunked\r\n", true),
        (
            "HTTP/1.1 200",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            false,
        ),
        ("HTTP/1.0 200", "Content-Length: 1\r\n", false),
        (
            "HTTP/1.0 200",
            "Content-Length: 1\r\nConnection: keep-alive\r\n",
            true,
        ),
        ("HTTP/1.0 200", "Connection: close, keep-alive\r\n", false),
        ("HTTP/1.1 204", "", true),
        ("HTTP/1.1 204", "Content-Length: 0\r\n", true),
        ("HTTP/1.1 204", "Content-Length: 5\r\n", false),
        ("HTTP/1.1 204", "Transfer-Encoding: chunked\r\n", false),
        ("HTTP/1.1 304", "Content-Length: 5\r\n", true),
    ] {
        let response = read(&format!("{line} x\r\n{fields}\r\n")).unwrap();
        assert_eq!(response.keeps_alive(), keeps, "{line} {fields:?}");
    }
}

#[test]
fn what_belongs_to_the_endpoints_connection_is_dropped() {
    let head = "HTTP/1.1 200 OK\r\nServer: s\r\nConnection: keep-alive, x-mine, content-length, x-real-ip\r\nKeep-Alive: 3\r\n\
                Proxy-Connection: x\r\nTrailer: y\r\nTE: x\r\nUpgrade: h2c\r\nX-MINE: 1\r\nX-Real-IP: 1\r\nX-Forwarded-For: 2\r\n\
                Content-Length: 3\r\n\r\n";
    assert_eq!(kept(head), ["Server", "X-Forwarded-For", "Content-Length"]);
    for head in [
        "HTTP/1.1 200 x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 103 x\r\nContent-Length: 3\r\n\r\n",
    ] {
        assert!(kept(head).is_empty(), "{head:?}");
    }
    assert_eq!(
        kept("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"),
        ["Content-Length"]
    );
}

#[test]
fn a_response_without_a_body_does_not_get_a_length_written_anew() {
    for status in [100, 103, 204] {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 05\r\n\r\n");
        assert!(!read(&head).unwrap().rewrites_length(), "{status}");
    }
    assert!(
        read("HTTP/1.1 304 x\r\nContent-Length: 05\r\n\r\n")
            .unwrap()
            .rewrites_length()
    );
}

#[test]
fn a_date_that_connection_names_counts_as_absent() {
    for (fields, has_date) in [
        ("Connection: date\r\nDate: x\r\n", false),
        ("Connection: x-a\r\nDate: x\r\n", true),
        ("Date: x\r\n", true),
    ] {
        let mut response = ResponseHead::default();
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n");
        let read = response.read(bytes.as_bytes());
        assert_eq!(read, Ok(Some(bytes.len())));
        assert_eq!(response.has_date(), has_date, "{fields}");
    }
}

#[test]
fn a_head_that_was_cleared_knows_nothing_of_the_response_before() {
    let mut response = ResponseHead::default();
    let first = b"HTTP/1.0 103 x\nDate: x\nConnection: close, z\nContent-Length: 05\n\n";
    let second = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(response.read(first), Ok(Some(first.len())));
    response.clear();
    assert_eq!(response.read(second), Ok(Some(second.len())));
    assert_eq!(response.framing(PLAIN), Ok(Framing::Chunked));
    assert!(response.keeps_alive() && !response.has_date());
    assert_eq!(response.fields().len(), 1);
}
