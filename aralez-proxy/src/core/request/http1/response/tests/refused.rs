//! Refused responses, and their reasons.

use crate::core::request::http1::response::tests::*;

/// Heads that yield exactly these refusals.
const REFUSED: &[(BadResponse, &[&str])] = &[
    (
        BadResponse::StatusLine,
        &[
            "garbage that is no response\r\n",
            "\r\nHTTP/1.1 200 OK\r\n",
            "HTTP/1.1\r\n",
            "HTTP/1.1200 OK\r\n",
            "HTTP/1.1\t200 OK\r\n",
            "http/1.1 200 OK\r\n",
            " HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 O\rK\r\n",
            "HTTP/1.1 200 OK\r\r\n",
        ],
    ),
    (
        BadResponse::Version,
        &[
            "HTTP/2.0 200 OK\r\n",
            "HTTP/0.9 200 OK\r\n",
            "HTTP/3.1 200 OK\r\n",
            "HTTP/1.x 200 OK\r\n",
            "HTTP/11 200 OK\r\n",
            "HTTP/2 200 OK\r\n",
        ],
    ),
    (
        BadResponse::Status,
        &[
            "HTTP/1.1 \r\n",
            "HTTP/1.1 20\r\n",
            "HTTP/1.1 099 x\r\n",
            "HTTP/1.1 000 x\r\n",
            "HTTP/1.1 2000 x\r\n",
            "HTTP/1.1 200OK\r\n",
            "HTTP/1.1 200\tOK\r\n",
            "HTTP/1.1  20 OK\r\n",
            "HTTP/1.1 \t200 OK\r\n",
            "HTTP/1.1 +20 OK\r\n",
            "HTTP/1.1 2x0 OK\r\n",
        ],
    ),
    (
        BadResponse::Folded,
        &[
            "HTTP/1.1 200 OK\r\n X: folded\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n 3\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n \r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n , gzip\r\n",
            "HTTP/1.1 200 OK\nConnection: close,\n\tkeep-alive\n",
            "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n x\r\n",
        ],
    ),
    (
        BadResponse::NoColon,
        &[
            "HTTP/1.1 200 OK\r\nX\r\n",
            "HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n",
        ],
    ),
    (
        BadResponse::FieldName,
        &[
            "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n",
            "HTTP/1.1 200 OK\r\n: 3\r\n",
            "HTTP/1.1 200 OK\r\nX\0: 3\r\n",
            "HTTP/1.1 200 OK\r\nX Y: 3\r\n",
            "HTTP/1.1 200 OK\r\n\rX: 3\r\n",
        ],
    ),
    (
        BadResponse::FieldValue,
        &[
            "HTTP/1.1 200 OK\r\nX: a\0b\r\n",
            "HTTP/1.1 200 OK\r\nX: a\rb\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\n b\0\r\n",
            "HTTP/1.1 200 OK\r\nX: a\r\n b\rSet-Cookie: c\r\n",
        ],
    ),
    (
        BadResponse::LengthsDiffer,
        &[
            "HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3, 3, 30\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\nContent-Length: 4\r\n",
            "HTTP/1.1 204 x\r\nContent-Length: 0\r\nContent-Length: 1\r\n",
        ],
    ),
    (
        BadResponse::LengthMalformed,
        &[
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3,\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: , 3\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3, x\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\u{1}\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n",
            "HTTP/1.1 304 x\r\nContent-Length: x\r\n",
        ],
    ),
    (
        BadResponse::Coding,
        &[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: \u{b}chunked\r\n",
        ],
    ),
    (
        BadResponse::CodingInOld,
        &["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"],
    ),
];

/// Refusals with tests of their own, because they need more than a line.
const IN_OTHER_TESTS: [BadResponse; 3] = [
    BadResponse::Switch,
    BadResponse::HeadTooLarge,
    BadResponse::TooManyFields,
];

/// Refusals by the engine, which counts heads and sees where a connection or a body ends.
const ELSEWHERE: [BadResponse; 4] = [
    BadResponse::Informational,
    BadResponse::Early,
    BadResponse::Chunk,
    BadResponse::Truncated,
];

#[test]
fn every_reason_has_inputs_that_yield_it() {
    for (bad, heads) in REFUSED {
        for head in *heads {
            assert_eq!(read(&format!("{head}\r\n")).err(), Some(*bad), "{head:?}");
        }
    }
    let mut seen: Vec<BadResponse> = REFUSED.iter().map(|(bad, _)| *bad).collect();
    seen.extend(IN_OTHER_TESTS);
    seen.extend(ELSEWHERE);
    for bad in BadResponse::ALL {
        let times = seen.iter().filter(|other| **other == bad).count();
        assert_eq!(times, 1, "{bad:?}");
    }
}

#[test]
fn each_limit_is_kept_to_the_byte() {
    let fields = |count: usize| with(&"X: y\r\n".repeat(count)).err();
    assert_eq!(fields(MAX_FIELDS), None);
    assert_eq!(fields(MAX_FIELDS + 1), Some(BadResponse::TooManyFields));
    let folds = format!("X: y\r\n{}", " z\r\n".repeat(MAX_FIELDS + 1));
    assert_eq!(with(&folds).err(), None, "folded lines are no fields");

    let head = |length: usize| {
        let around = "X: \r\nHTTP/1.1 200 OK\r\n\r\n".len();
        with(&format!("X: {}\r\n", "y".repeat(length - around))).err()
    };
    assert_eq!(head(MAX_HEAD), None);
    assert_eq!(head(MAX_HEAD + 1), Some(BadResponse::HeadTooLarge));
    let mut open = ResponseHead::default();
    assert_eq!(open.read(&vec![b'H'; MAX_HEAD - 2]), Ok(None));
    assert_eq!(
        open.read(&vec![b'H'; MAX_HEAD - 1]),
        Err(BadResponse::HeadTooLarge)
    );
}

#[test]
fn a_connection_field_that_cannot_be_read_ends_the_connection_and_no_more_than_32_names_are_looked_at()
 {
    let kept = |field: &str| with(field).unwrap().keeps_alive();
    assert!(kept(&"Connection: a\r\n".repeat(32)));
    for odd in [
        &*"Connection: a\r\n".repeat(33),
        "Connection: \"close\"\r\n",
        "Connection: close x\r\n",
        "Connection: keep-alive, \u{1}\r\n",
    ] {
        assert!(!kept(odd), "{odd:?}");
    }
    let names = "Connection: a\r\n".repeat(31) + "Connection: x-last, x-beyond\r\n";
    let head = with(&(names + "X-Last: 1\r\nX-Beyond: 1\r\n")).unwrap();
    let kept = head.fields().iter().filter(|field| field.keep);
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_reason_has_a_name_of_its_own_and_a_sentence() {
    let mut names: Vec<&str> = BadResponse::ALL.iter().map(|bad| bad.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), BadResponse::ALL.len());
    for bad in BadResponse::ALL {
        assert!(!bad.to_string().is_empty(), "{bad:?}");
    }
}

#[test]
fn what_every_reader_frames_alike_is_taken_and_goes_on_repaired() {
    use crate::core::request::http1::date::DateText;
    use crate::core::request::http1::forward::{self, ResponseEdits};
    use aralez_decision::additions::FieldList;
    use aralez_decision::edits::CompiledEdits;

    for (head, goes_on) in [
        ("HTTP/1.2 200 OK\r\n", "HTTP/1.1 200 OK\r\n"),
        ("HTTP/1.9 200 OK\r\n", "HTTP/1.1 200 OK\r\n"),
        ("HTTP/1.1   404 Not Here\r\n", "HTTP/1.1 404 Not Here\r\n"),
        ("HTTP/1.1 200 O\0\u{1}K\r\n", "HTTP/1.1 200 \r\n"),
        ("HTTP/1.1 200 O\tK  \r\n", "HTTP/1.1 200 O\tK  \r\n"),
        (
            "HTTP/1.1 200 \u{e9}t\u{e9}\r\n",
            "HTTP/1.1 200 \u{e9}t\u{e9}\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nX-A: \u{1b}[31m\u{7f}red\r\n",
            "HTTP/1.1 200 OK\r\nX-A:  [31m red\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\nContent-Length: 03\r\n",
            "HTTP/1.1 200 OK\r\nX-A: b\r\ncontent-length: 3\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3 ,3\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n",
        ),
    ] {
        let bytes = format!("{head}Date: x\r\n\r\n");
        let read = read(&bytes).unwrap();
        let edits = ResponseEdits {
            route: &CompiledEdits::default(),
            additions: &FieldList::default(),
            date: &DateText::at(0),
            chunked: false,
            version: HttpVersion::Http11,
            keep_alive: true,
        };
        let mut out = Vec::new();
        forward::response(&read, bytes.as_bytes(), &edits, &mut out);
        let out = String::from_utf8(out).unwrap().replace("Date: x\r\n", "");
        assert_eq!(out, format!("{goes_on}\r\n"), "{head:?}");
    }
}
