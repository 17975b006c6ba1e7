//! Refused requests, and their reasons.

use crate::core::request::http1::request::tests::*;

/// Heads that yield exactly these refusals.
const REFUSED: &[(RequestRefusal, &[&str])] = &[
    (
        RequestRefusal::BareLineFeed,
        &[
            "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::RequestLine,
        &[
            "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\n",
            "GET /  HTTP/1.1\r\n",
            "GET / HTTP/1.1 \r\n",
            " GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1 x\r\n",
            "GET /\r\n",
            "GET\r\n",
            " / HTTP/1.1\r\n",
            "GET  HTTP/1.1\r\n",
            " \r\n",
            "GET\t/\tHTTP/1.1\r\n",
        ],
    ),
    (
        RequestRefusal::MethodTooLong,
        &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"],
    ),
    (
        RequestRefusal::Method,
        &[
            "get / HTTP/1.1\r\n",
            "Get / HTTP/1.1\r\n",
            "G\tET / HTTP/1.1\r\n",
            "G\0ET / HTTP/1.1\r\n",
            "G(T / HTTP/1.1\r\n",
            "GET: / HTTP/1.1\r\n",
            "\u{feff}GET / HTTP/1.1\r\n",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAa / HTTP/1.1\r\n",
        ],
    ),
    (
        RequestRefusal::Connect,
        &["CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"],
    ),
    (
        RequestRefusal::Version,
        &[
            "GET / HTTP/1.2\r\n",
            "GET / HTTP/0.9\r\n",
            "GET / HTTP/2.0\r\n",
            "GET / HTTP/1.1x\r\n",
            "GET / HTTP/1.10\r\n",
            "GET / http/1.1\r\n",
            "GET / HTTP/1.1\r\r\n",
            "GET / \r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::TargetByte,
        &[
            "GET /a\tb HTTP/1.1\r\n",
            "GET /\0 HTTP/1.1\r\n",
            "GET /\u{e9} HTTP/1.1\r\n",
            "GET /a#b HTTP/1.1\r\n",
            "GET /\u{7f} HTTP/1.1\r\n",
            "GET /\rX HTTP/1.1\r\n",
            "GET http://a/#b HTTP/1.1\r\n",
        ],
    ),
    (
        RequestRefusal::TargetForm,
        &[
            "GET v HTTP/1.1\r\n",
            "GET %20/v HTTP/1.1\r\n",
            "GET * HTTP/1.1\r\n",
            "OPTIONS ** HTTP/1.1\r\n",
            "GET ftp://a/ HTTP/1.1\r\n",
            "GET http:/a HTTP/1.1\r\n",
            "GET a:80 HTTP/1.1\r\n",
            "GET ?x HTTP/1.1\r\n",
        ],
    ),
    (
        RequestRefusal::Folded,
        &[
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\t\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::NoColon,
        &[
            "GET / HTTP/1.1\r\nHost\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\0\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::FieldName,
        &[
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n",
            "GET / HTTP/1.1\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\n\u{b}Host: x\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer\rEncoding: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHo\u{17f}t: x\r\n\r\n",
            "GET / HTTP/1.1\r\n\rHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\n\"Host\": a\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::FieldValue,
        &[
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
            "GET / HTTP/1.1\r\nX: \0\r\n\r\n",
            "GET / HTTP/1.1\r\nX: \u{1b}\r\n\r\n",
            "GET / HTTP/1.1\r\nX: \u{7f}\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 3\u{c}\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::HostMissing,
        &[
            "GET / HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nX: Host\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::HostRepeated,
        &[
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\nX: y\r\nhost: a\r\n\r\n",
        ],
    ),
    (
        RequestRefusal::HostMismatch,
        &[
            "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET https://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a./ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    ),
];

/// Fields after a `Host` that yield exactly these refusals.
const REFUSED_FIELDS: &[(RequestRefusal, &[&str])] = &[
    (
        RequestRefusal::RepeatedField,
        &[
            "Authorization: a\r\nauthorization: a\r\n",
            "Content-Type: a\r\nX: y\r\nCONTENT-TYPE: b\r\n",
            "Origin: a\r\nOrigin:\r\n",
            "X-Api-Key: a\r\nX-API-KEY: b\r\n",
        ],
    ),
    (
        RequestRefusal::LengthAndCoding,
        &[
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        ],
    ),
    (
        RequestRefusal::LengthRepeated,
        &[
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: 3,\r\n",
        ],
    ),
    (
        RequestRefusal::LengthMalformed,
        &[
            "Content-Length:\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -3\r\n",
            "Content-Length: 3 3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: 3;\r\n",
            "Content-Length: 3.0\r\n",
            "Content-Length: 3, x\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Content-Length: \"3\"\r\n",
        ],
    ),
    (
        RequestRefusal::CodingRepeated,
        &[
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: identity\r\n",
        ],
    ),
    (
        RequestRefusal::CodingMalformed,
        &[
            "Transfer-Encoding:\r\n",
            "Transfer-Encoding: ,\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: chunked,\r\n",
            "Transfer-Encoding: ,chunked\r\n",
            "Transfer-Encoding: chunked x\r\n",
            "Transfer-Encoding: chunked;q=1\r\n",
            "Transfer-Encoding: \"chunked\"\r\n",
            "Transfer-Encoding: x\tchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
        ],
    ),
    (
        RequestRefusal::CodingUnknown,
        &[
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: identity, Chunked\r\n",
        ],
    ),
    (
        RequestRefusal::ConnectionMalformed,
        &[
            "Connection: \"x\"\r\n",
            "Connection: a b\r\n",
            "Connection: a, b, c, d, e, f, g, h, i, j\r\n",
            "Connection: a, b, c, d, e\r\nConnection: f, g, h, i, j\r\n",
        ],
    ),
    (
        RequestRefusal::ConnectionManaged,
        &[
            "Connection: close, X-Forwarded-For\r\n",
            "Connection: host\r\n",
            "Connection: X-Real-IP\r\n",
            "Connection: x_real_ip\r\n",
            "Connection: Forwarded\r\n",
            "Connection: Content-Length\r\n",
            "Connection: content-type\r\n",
            "Connection: transfer-encoding\r\n",
            "Connection: via\r\n",
            "Connection: X-Client-Cert\r\n",
            "Connection: :authority\r\n",
        ],
    ),
    (
        RequestRefusal::Expectation,
        &[
            "Expect: something\r\n",
            "Expect: 100-continue, 100-continue\r\n",
            "Expect: 100-continue\r\nExpect: x\r\n",
        ],
    ),
];

/// Refusals of [`crate::core::request::http1::body`], and those of the engine, which owns the timeouts.
const ELSEWHERE: [RequestRefusal; 6] = [
    RequestRefusal::ChunkSize,
    RequestRefusal::ChunkEnd,
    RequestRefusal::Trailer,
    RequestRefusal::HeadTimeout,
    RequestRefusal::TlsOnPlainPort,
    RequestRefusal::BodyTimeout,
];

/// Refusals with tests of their own, because they need more than a line.
const IN_OTHER_TESTS: [RequestRefusal; 5] = [
    RequestRefusal::HostMalformed,
    RequestRefusal::CodingInOld,
    RequestRefusal::TargetTooLong,
    RequestRefusal::HeadTooLarge,
    RequestRefusal::TooManyFields,
];

#[test]
fn every_refusal_has_inputs_that_yield_it() {
    for (refusal, heads) in REFUSED {
        for head in *heads {
            let head = format!("{head}Host: a\r\n\r\n");
            assert_eq!(read(head.as_bytes()).err(), Some(*refusal), "{head:?}");
        }
    }
    for (refusal, fields) in REFUSED_FIELDS {
        for fields in *fields {
            assert_eq!(with(fields).err(), Some(*refusal), "{fields:?}");
        }
    }
    let tables = REFUSED.iter().chain(REFUSED_FIELDS);
    let mut seen: Vec<RequestRefusal> = tables.map(|(refusal, _)| *refusal).collect();
    seen.extend(ELSEWHERE);
    seen.extend(IN_OTHER_TESTS);
    for refusal in RequestRefusal::ALL {
        let times = seen.iter().filter(|other| **other == refusal).count();
        assert_eq!(times, 1, "{refusal:?}");
    }
}

#[test]
fn a_host_that_is_no_name_and_perhaps_a_port_is_malformed() {
    for host in [
        "",
        "a b",
        "a/b",
        "a,b",
        "u@a",
        ":",
        "a:0",
        "a:70000",
        "a:1x",
        "a:+1",
        "a:1:2",
        "[::1",
        "[]",
        "[::1]x",
        "[g]",
        "[::1%25eth0]",
        ":80",
        "a\\b",
        "a?b",
        "a%41",
        "a;b",
        "\u{e9}",
        "a\tb",
        "*",
        "a:18446744073709551617",
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(
            read(head.as_bytes()).err(),
            Some(RequestRefusal::HostMalformed),
            "{host:?}"
        );
    }
}

#[test]
fn an_old_request_without_a_host_field_may_name_its_host_in_an_absolute_target_only() {
    let host = |head: &str| {
        let (request, _) = read(head.as_bytes())?;
        assert!(!request.has_host_field());
        Ok(request.host(head.as_bytes()).map(str::to_owned))
    };
    assert_eq!(host("GET / HTTP/1.0\r\n\r\n"), Ok(None));
    let named = host("GET http://A:80/x HTTP/1.0\r\n\r\n");
    assert_eq!(named, Ok(Some("A:80".to_owned())));
    for target in ["http://u@a/", "http:///x", "http://a:x/"] {
        let refused = host(&format!("GET {target} HTTP/1.0\r\n\r\n"));
        assert_eq!(refused, Err(RequestRefusal::HostMalformed), "{target}");
    }
}

#[test]
fn an_old_request_has_no_chunks() {
    let head = b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(read(head).err(), Some(RequestRefusal::CodingInOld));
}

#[test]
fn a_refusal_has_a_status_a_name_of_its_own_and_a_sentence() {
    let mut names: Vec<&str> = RequestRefusal::ALL
        .iter()
        .map(|refusal| refusal.name())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RequestRefusal::ALL.len());
    for refusal in RequestRefusal::ALL {
        let status = refusal.status();
        assert!(
            [400, 405, 408, 414, 417, 431, 501].contains(&status),
            "{refusal:?}"
        );
        let named = refusal
            .name()
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(named && !refusal.to_string().is_empty(), "{refusal:?}");
    }
}
