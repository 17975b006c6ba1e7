use aralez_proto::model::{Direction, Header, HeaderEdits, RedirectStatus, Respond};

use super::*;

fn written(answer: &Answer, version: HttpVersion, head: bool, keep_alive: bool) -> String {
    let frame = Frame {
        version,
        head,
        keep_alive,
        date: &DateText::at(784_111_777),
        route: None,
        additions: &FieldList::default(),
    };
    framed(answer, &frame)
}

fn framed(answer: &Answer, frame: &Frame<'_>) -> String {
    let mut out = Vec::new();
    write(answer, frame, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_answer_is_small_and_says_what_becomes_of_the_connection() {
    assert_eq!(
        written(&Answer::of(400), HttpVersion::Http11, false, false),
        "HTTP/1.1 400 Bad Request\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: 16\r\nconnection: close\r\n\r\n400 Bad Request\n"
    );
    for (version, keep_alive, connection) in [
        (HttpVersion::Http11, true, None),
        (HttpVersion::Http11, false, Some("close")),
        (HttpVersion::Http10, true, Some("keep-alive")),
        (HttpVersion::Http10, false, Some("close")),
    ] {
        let text = written(&Answer::of(502), version, false, keep_alive);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("connection: "));
        assert_eq!(line, connection);
    }
}

#[test]
fn an_answer_without_content_says_so() {
    let answer = Answer {
        content: Content::Empty,
        ..Answer::of(429)
    };
    assert_eq!(
        written(&answer, HttpVersion::Http11, false, true),
        "HTTP/1.1 429 Too Many Requests\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn every_status_that_we_answer_has_a_reason_and_a_body_of_the_length_it_tells() {
    let refused = crate::core::request::http1::RequestRefusal::ALL.map(|refusal| refusal.status());
    for status in refused
        .into_iter()
        .chain([301, 302, 307, 308, 404, 421, 502, 503, 504])
    {
        let text = written(&Answer::of(status), HttpVersion::Http11, false, true);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("Internal Server Error"), "{status}");
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{text}");
        assert_eq!(body.is_empty(), status < 400, "{text}");
    }
}

#[test]
fn an_answer_to_head_tells_the_length_of_the_body_that_it_leaves_out() {
    let text = written(&Answer::of(404), HttpVersion::Http11, true, true);
    assert!(text.contains("content-length: 14\r\n") && text.ends_with("\r\n\r\n"));
}

#[test]
fn what_has_no_content_has_no_length_either() {
    assert_eq!(
        written(&Answer::of(204), HttpVersion::Http11, false, true),
        "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
    );
}

#[test]
fn who_cannot_be_served_now_is_told_when_to_come_back() {
    let retry = |status| {
        written(&Answer::of(status), HttpVersion::Http11, false, true)
            .contains("retry-after: 1\r\n")
    };
    assert!(retry(503));
    assert!(!retry(502));
}

#[test]
fn a_redirect_leads_somewhere_by_the_edits_of_its_route() {
    let header = |name, value| Header::new(Direction::Response, name, value).unwrap();
    let edits = |set| {
        CompiledEdits::new(&HeaderEdits {
            set,
            ..HeaderEdits::default()
        })
    };
    let mut additions = FieldList::default();
    additions.add("set-cookie", b"a=b");
    let answer = Answer::redirect(RedirectStatus::PermanentRedirect, "https://a/");
    let by = |route: &CompiledEdits| {
        let frame = Frame {
            version: HttpVersion::Http11,
            head: false,
            keep_alive: true,
            date: &DateText::at(0),
            route: Some(route),
            additions: &additions,
        };
        framed(&answer, &frame)
    };
    assert_eq!(
        by(&edits(vec![header("X-Set", "1"), header("Date", "then")])),
        "HTTP/1.1 308 Permanent Redirect\r\ncontent-length: 0\r\nlocation: https://a/\r\nx-set: 1\r\ndate: then\r\n\
         set-cookie: a=b\r\n\r\n"
    );
    let text = by(&edits(vec![header("Location", "https://b/")]));
    assert_eq!(text.matches("location: ").count(), 1);
    assert!(text.contains("location: https://b/\r\n"));
}

#[test]
fn a_fixed_response_has_the_length_of_its_body_and_no_body_where_none_is_allowed() {
    for (status, body, fields) in [
        (
            200,
            "ok",
            "content-length: 2\r\ncontent-type: text/plain; charset=utf-8\r\n",
        ),
        (503, "", "content-length: 0\r\n"),
        (205, "", "content-length: 0\r\n"),
        (204, "", ""),
        (304, "", ""),
    ] {
        let respond = Respond::new(status, body.as_bytes(), "").unwrap();
        for head in [false, true] {
            let text = written(&Answer::fixed(&respond), HttpVersion::Http11, head, true);
            let (_, rest) = text.split_once("GMT\r\n").unwrap();
            // The body is appended by the exchange.
            assert_eq!(rest, format!("{fields}\r\n"), "{status}");
        }
    }
}

#[test]
fn the_refusal_of_a_tunnel_says_that_its_target_has_no_methods() {
    let text = written(&Answer::of(405), HttpVersion::Http11, false, true);
    assert!(text.contains("\r\nallow: \r\n"), "{text}");
}

#[test]
fn streamed_content_is_framed_by_its_length_else_by_what_the_client_knows() {
    let streamed = |length, version, keep| {
        let answer = Answer {
            content: Content::Streamed { length },
            ..Answer::of(200)
        };
        let text = written(&answer, version, false, keep);
        let (_, rest) = text.split_once("GMT\r\n").unwrap();
        rest.to_owned()
    };
    let new = |length| streamed(length, HttpVersion::Http11, true);
    assert_eq!(new(Some(7)), "content-length: 7\r\n\r\n");
    assert_eq!(new(None), "transfer-encoding: chunked\r\n\r\n");
    assert_eq!(
        streamed(None, HttpVersion::Http10, false),
        "connection: close\r\n\r\n"
    );
}

#[test]
fn an_answer_is_read_by_our_own_reader_as_what_it_is() {
    use crate::core::request::http1::response::{Asked, ResponseHead};
    for status in [204, 301, 400, 503] {
        let text = written(&Answer::of(status), HttpVersion::Http11, false, true);
        let mut head = ResponseHead::default();
        let length = head.read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(head.status(), status);
        let body = text.len() - length;
        let framing = head.framing(Asked::default()).unwrap();
        let expected = crate::core::request::http1::Framing::Length(body as u64);
        assert!(
            framing == expected || (status == 204 && body == 0),
            "{text}"
        );
    }
}
