use aralez_proto::matcher::Scheme;
use aralez_proto::model::{Direction, Header, HeaderEdits};

use super::*;
use crate::core::limits::HeadLimits;
use crate::core::request::http1::response::Asked;

mod ids;
mod trusted;
mod way;

/// The lines that describe the client and the forwarding node.
const CLIENT: &str = "x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: http\r\nx-forwarded-host: a\r\n\
                      via: 1.1 aralez-0000000000000000\r\ncdn-loop: aralez-0000000000000000\r\n\
                      x-request-id: 00000000000000000000000000000000\r\n\
                      traceparent: 00-00000000000000000000000000000000-0000000000000000-01\r\n";

/// The same for an HTTP/1.0 request.
fn old_client() -> String {
    CLIENT.replace("via: 1.1", "via: 1.0")
}

fn edits(direction: Direction) -> CompiledEdits {
    let header = |name, value| Header::new(direction, name, value).unwrap();
    CompiledEdits::new(&HeaderEdits {
        set: vec![header("X-Set", "set")],
        append: vec![header("X-More", "more")],
        remove: vec!["x-less".to_owned()],
    })
}

/// Returns a request head as forwarded.
fn requested(head: &str, target: &str, route: &CompiledEdits) -> String {
    let mut request = RequestHead::default();
    let bytes = head.as_bytes();
    let length = request.read(bytes, &HeadLimits::default()).unwrap();
    assert_eq!(length, Some(bytes.len()), "{head:?}");
    let edits = RequestEdits {
        target,
        missing_host: None,
        route,
        additions: &FieldList::default(),
        forwarded: &Forwarded::new("203.0.113.7".parse().unwrap(), false),
        client: ClientFacts::direct("203.0.113.7".parse().unwrap(), Scheme::Http),
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: request.options(bytes),
    };
    let mut out = Vec::new();
    super::request(&request, bytes, &edits, &mut out);
    String::from_utf8(out).unwrap()
}

fn plain(head: &str) -> String {
    requested(head, "/", &CompiledEdits::default())
}

fn responded(head: &str, edits: &ResponseEdits<'_>) -> String {
    let mut response = ResponseHead::default();
    let length = response.read(head.as_bytes()).unwrap();
    assert_eq!(length, Some(head.len()), "{head:?}");
    let mut out = Vec::new();
    super::response(&response, head.as_bytes(), edits, &mut out);
    String::from_utf8(out).unwrap()
}

/// Returns a response head as forwarded to an HTTP/1.1 client, without edits of a route.
fn passed(head: &str) -> String {
    let edits = ResponseEdits {
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        date: &DateText::at(784_111_777),
        chunked: false,
        version: HttpVersion::Http11,
        keep_alive: true,
    };
    responded(head, &edits)
}

#[test]
fn a_request_goes_on_in_its_order_and_spelling_less_what_belongs_to_its_connection() {
    let head = "GET http://a/x/../y?z HTTP/1.0\r\nhOsT: a\r\nConnection: keep-alive, X-Mine\r\nAccept:*/*\r\nX-Mine: 1\r\n\
                X-Forwarded-For: 6.6.6.6\r\nCookie:  a=b; c=d \r\nX_Forwarded_Proto: https\r\nX:\r\n\r\n";
    assert_eq!(
        requested(head, "/y?z", &CompiledEdits::default()),
        format!(
            "GET /y?z HTTP/1.1\r\nhOsT: a\r\nAccept:*/*\r\nCookie:  a=b; c=d \r\nX:\r\n{}\r\n",
            old_client()
        )
    );
}

#[test]
fn a_route_edits_a_request_behind_what_we_say_of_it() {
    let head = "GET / HTTP/1.1\r\nX-Less: 1\r\nHost: a\r\nx-set: client\r\nX-More: client\r\nx-LESS: 2\r\n\r\n";
    assert_eq!(
        requested(head, "/", &edits(Direction::Request)),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX-More: client\r\n{CLIENT}x-set: set\r\nx-more: more\r\n\r\n"
        )
    );
}

#[test]
fn a_requests_body_is_framed_in_one_way() {
    let post = |fields: &str| plain(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    let head = |before: &str, after: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{before}{CLIENT}{after}\r\n")
    };
    assert_eq!(post(""), head("", ""));
    assert_eq!(
        post("Content-Length: 3\r\nX: y\r\n"),
        head("Content-Length: 3\r\nX: y\r\n", "")
    );
    assert_eq!(
        post("Content-Length: 0003\r\nX: y\r\n"),
        head("X: y\r\n", "content-length: 3\r\n")
    );
    assert_eq!(
        post("Content-Length: 00\r\n"),
        head("", "content-length: 0\r\n")
    );
    assert_eq!(
        post("Transfer-Encoding:\tCHUNKED \r\nX: y\r\n"),
        head("X: y\r\n", "transfer-encoding: chunked\r\n")
    );
}

#[test]
fn only_upgrades_to_websocket_go_on() {
    let get = |fields: &str| plain(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    let head = |before: &str, after: &str| {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{before}{CLIENT}{after}\r\n")
    };
    assert_eq!(
        get(
            "Upgrade: h2c, WebSocket\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n"
        ),
        head(
            "Sec-WebSocket-Key: k\r\n",
            "connection: upgrade\r\nupgrade: websocket\r\n"
        )
    );
    assert_eq!(
        get("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n"),
        head("", "")
    );
    assert_eq!(get("Upgrade: websocket\r\n"), head("", ""));
}

#[test]
fn what_a_client_waits_for_and_takes_is_told_anew() {
    let put = |version: &str| {
        plain(&format!(
            "PUT / {version}\r\nHost: a\r\nExpect: 100-continue\r\nTE: deflate, trailers\r\nContent-Length: 1\r\n\r\n"
        ))
    };
    assert_eq!(
        put("HTTP/1.1"),
        format!(
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n{CLIENT}connection: te\r\nte: trailers\r\n\r\n"
        )
    );
    assert_eq!(
        put("HTTP/1.0"),
        format!(
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n{}\r\n",
            old_client()
        )
    );
}

const DATE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

#[test]
fn a_response_goes_on_as_it_came_less_what_belongs_to_its_connection() {
    let head = "HTTP/1.1 200 All  is well\r\nserver:x\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 3\r\n\
                Set-Cookie: a\r\nTrailer: z\r\nset-cookie: b\r\nDate: now\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(
        passed(head),
        "HTTP/1.1 200 All  is well\r\nserver:x\r\nSet-Cookie: a\r\nset-cookie: b\r\nDate: now\r\nContent-Length: 3\r\n\r\n"
    );
}

#[test]
fn what_may_be_repaired_in_a_response_is_written_anew() {
    for (came, goes) in [
        ("X: a\r\n b\r\n\t c \r\nY: d\r\n", "X: a b c\r\nY: d\r\n"),
        ("X:\r\n a\r\n \r\n\t\r\n", "X: a\r\n"),
        ("X: a\n\tb\nY:c\nZ:  d \r\n", "X: a b\r\nY: c\r\nZ:  d \r\n"),
        ("X:\n", "X: \r\n"),
        (
            "A: 1\r\nB:2\nC: 3\r\nD: 4\r\n",
            "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n",
        ),
    ] {
        let head = format!("HTTP/1.0 200 \n{came}Date: now\r\nContent-Length: 0\n\n");
        let expected = format!("HTTP/1.1 200 \r\n{goes}Date: now\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(passed(&head), expected, "{came:?}");
    }
}

#[test]
fn a_responses_body_is_framed_in_one_way() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\nDate: now\r\n{fields}\r\n");
    assert_eq!(
        passed(&head("Content-Length: 003\r\n")),
        head("content-length: 3\r\n")
    );
    assert_eq!(
        passed(&head("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")),
        head("")
    );
    let chunked = |came: &str| {
        let edits = ResponseEdits {
            route: &CompiledEdits::default(),
            additions: &FieldList::default(),
            date: &DateText::at(0),
            chunked: true,
            version: HttpVersion::Http11,
            keep_alive: true,
        };
        responded(&head(came), &edits)
    };
    for came in [
        "",
        "Transfer-Encoding: Chunked\r\n",
        "Content-Length: 03\r\nTransfer-Encoding: chunked\r\n",
    ] {
        assert_eq!(
            chunked(came),
            head("transfer-encoding: chunked\r\n"),
            "{came:?}"
        );
    }
}

#[test]
fn a_response_without_a_body_has_a_length_only_where_that_means_something() {
    for status in [204, 304] {
        for length in ["3", "003"] {
            let head =
                format!("HTTP/1.1 {status} x\r\nDate: now\r\nContent-Length: {length}\r\n\r\n");
            let told = passed(&head).to_ascii_lowercase();
            assert_eq!(
                told.contains("content-length: 3\r\n"),
                status == 304,
                "{head:?}"
            );
            assert_eq!(told.contains("content-length"), status == 304, "{head:?}");
        }
    }
}

#[test]
fn a_route_edits_a_response_and_we_date_it_and_tell_what_becomes_of_the_connection() {
    let head =
        "HTTP/1.1 200 OK\r\nX-Less: 1\r\nx-set: endpoint\r\nServer: s\r\nContent-Length: 3\r\n\r\n";
    let came =
        "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 3\r\nx-set: set\r\nx-more: more\r\n";
    for (version, keep_alive, connection) in [
        (HttpVersion::Http11, true, ""),
        (HttpVersion::Http11, false, "connection: close\r\n"),
        (HttpVersion::Http10, true, "connection: keep-alive\r\n"),
        (HttpVersion::Http10, false, "connection: close\r\n"),
    ] {
        let edits = ResponseEdits {
            route: &edits(Direction::Response),
            additions: &FieldList::default(),
            date: &DateText::at(784_111_777),
            chunked: false,
            version,
            keep_alive,
        };
        assert_eq!(
            responded(head, &edits),
            format!("{came}{DATE}{connection}\r\n")
        );
    }
}

#[test]
fn a_route_that_dates_a_response_has_its_date_alone() {
    let header = Header::new(Direction::Response, "Date", "then").unwrap();
    let route = CompiledEdits::new(&HeaderEdits {
        set: vec![header],
        ..HeaderEdits::default()
    });
    let edits = ResponseEdits {
        route: &route,
        additions: &FieldList::default(),
        date: &DateText::at(0),
        chunked: false,
        version: HttpVersion::Http11,
        keep_alive: true,
    };
    for came in ["Date: now\r\n", ""] {
        let head = format!("HTTP/1.1 200 OK\r\n{came}Content-Length: 0\r\n\r\n");
        assert_eq!(
            responded(&head, &edits),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\ndate: then\r\n\r\n"
        );
    }
}

#[test]
fn an_informational_response_has_neither_a_body_nor_a_connection() {
    let head = b"HTTP/1.0 103 Early\nLink: </a>\r\nConnection: close\r\nContent-Length: 01\r\n\r\n";
    let mut response = ResponseHead::default();
    response.read(head).unwrap();
    let mut out = Vec::new();
    informational(&response, head, &mut out);
    assert_eq!(out, b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n");
}

#[test]
fn a_switch_to_websocket_is_told_anew() {
    let head = b"HTTP/1.1 101 Go\r\nUpgrade: WebSocket\r\nConnection: Upgrade, x\r\nX: y\r\nSec-WebSocket-Accept: z\r\nX-Less: 1\r\n\
                 Content-Length: 0\r\n\r\n";
    let mut response = ResponseHead::default();
    response.read(head).unwrap();
    let asked = Asked {
        head: false,
        web_socket: true,
    };
    assert_eq!(response.framing(asked), Ok(Framing::None));
    let mut out = Vec::new();
    let changes = (&edits(Direction::Response), &FieldList::default());
    switch(&response, head, changes, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: z\r\nx-set: set\r\nx-more: more\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    );
}

#[test]
fn a_426_says_which_protocol_is_required_and_no_other_response_does() {
    let required = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n";
    let goes = passed(required).to_ascii_lowercase();
    assert!(goes.contains("\r\nupgrade: websocket\r\n"), "{goes}");
    assert!(goes.contains("\r\nconnection: upgrade\r\n"), "{goes}");
    let without = passed("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
    assert!(
        !without.to_ascii_lowercase().contains("upgrade\r\n"),
        "{without}"
    );
    for status in ["200", "400", "501"] {
        let goes = passed(&required.replacen("426", status, 1)).to_ascii_lowercase();
        assert!(
            !goes.contains("upgrade: ") && !goes.contains("connection"),
            "{goes}"
        );
    }
}

#[test]
fn what_is_added_to_one_message_stands_behind_what_its_route_edits() {
    let mut additions = FieldList::default();
    additions.add("x-user", b"7");
    let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut request = RequestHead::default();
    request
        .read(head.as_bytes(), &HeadLimits::default())
        .unwrap();
    let (to_request, to_response) = (edits(Direction::Request), edits(Direction::Response));
    let changes = RequestEdits {
        target: "/",
        missing_host: None,
        route: &to_request,
        additions: &additions,
        forwarded: &Forwarded::new("203.0.113.7".parse().unwrap(), false),
        client: ClientFacts::direct("203.0.113.7".parse().unwrap(), Scheme::Http),
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: RequestOptions::default(),
    };
    let mut out = Vec::new();
    super::request(&request, head.as_bytes(), &changes, &mut out);
    let added = "x-set: set\r\nx-more: more\r\nx-user: 7\r\n";
    let goes = format!("GET / HTTP/1.1\r\nHost: a\r\n{CLIENT}{added}\r\n");
    assert_eq!(String::from_utf8(out).unwrap(), goes);
    let changes = ResponseEdits {
        route: &to_response,
        additions: &additions,
        date: &DateText::at(0),
        chunked: false,
        version: HttpVersion::Http11,
        keep_alive: true,
    };
    assert_eq!(
        responded(
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n",
            &changes
        ),
        format!("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n{added}\r\n")
    );
}
