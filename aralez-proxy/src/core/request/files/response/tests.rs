use std::time::{Duration, UNIX_EPOCH};

use aralez_decision::Pairs;

use super::*;

fn file() -> Representation {
    let modified = UNIX_EPOCH + Duration::new(784_111_777, 1);
    let now = modified + Duration::from_secs(60);
    Representation {
        length: 100,
        validators: Validators::of(100, modified, Some(Encoding::Gzip), now),
        media_type: "text/css; charset=utf-8".to_owned(),
        encoding: Some(Encoding::Gzip),
        varies: true,
    }
}

fn respond(fields: &[(&str, &str)], head: bool) -> FileResponse {
    file().respond(&Pairs(fields), head, || "B".to_owned())
}

fn field<'a>(response: &'a FileResponse, name: &str) -> Option<&'a str> {
    let mut all = response.answer.fields.fields();
    let (_, value) = all.find(|(key, _)| *key == name.as_bytes())?;
    std::str::from_utf8(value).ok()
}

fn length(response: &FileResponse) -> Option<u64> {
    match response.answer.content {
        Content::Streamed { length } => length,
        _ => None,
    }
}

#[test]
fn a_whole_file_is_described_in_full() {
    for head in [false, true] {
        let response = respond(&[], head);
        assert_eq!(
            (response.answer.status, length(&response)),
            (200, Some(100))
        );
        assert_eq!(response.parts, [ContentPart::File(0..100)]);
        for (name, value) in [
            ("content-type", Some("text/css; charset=utf-8")),
            ("content-encoding", Some("gzip")),
            ("accept-ranges", Some("bytes")),
            ("vary", Some("accept-encoding")),
            ("last-modified", Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            ("content-range", None),
        ] {
            assert_eq!(field(&response, name), value, "{name}");
        }
        assert!(field(&response, "etag").is_some_and(|tag| tag.ends_with(".gz\"")));
    }
}

#[test]
fn one_range_is_a_part_of_the_file() {
    let response = respond(&[("Range", "bytes=10-19")], false);
    assert_eq!((response.answer.status, length(&response)), (206, Some(10)));
    assert_eq!(response.parts, [ContentPart::File(10..20)]);
    assert_eq!(field(&response, "content-range"), Some("bytes 10-19/100"));
    assert_eq!(field(&response, "content-encoding"), Some("gzip"));
}

#[test]
fn several_ranges_are_a_multipart_content_of_the_announced_length() {
    let response = respond(&[("Range", "bytes=0-9, -5")], false);
    assert_eq!(response.answer.status, 206);
    assert_eq!(
        field(&response, "content-type"),
        Some("multipart/byteranges; boundary=B")
    );
    assert_eq!(field(&response, "content-range"), None);
    let head = |range: &str| {
        let head = format!(
            "\r\n--B\r\ncontent-type: text/css; charset=utf-8\r\ncontent-range: bytes {range}/100\r\n\r\n"
        );
        ContentPart::Bytes(head.into_bytes())
    };
    let parts = [
        head("0-9"),
        ContentPart::File(0..10),
        head("95-99"),
        ContentPart::File(95..100),
        ContentPart::Bytes(b"\r\n--B--\r\n".to_vec()),
    ];
    assert_eq!(response.parts, parts);
    let sum: usize = parts
        .iter()
        .map(|part| match part {
            ContentPart::Bytes(bytes) => bytes.len(),
            ContentPart::File(range) => range.clone().count(),
        })
        .sum();
    assert_eq!(length(&response), Some(sum as u64));
}

#[test]
fn a_range_that_the_file_does_not_have_is_answered_with_its_length() {
    let response = respond(&[("Range", "bytes=100-")], false);
    assert_eq!(response.answer.status, 416);
    assert_eq!(field(&response, "content-range"), Some("bytes */100"));
    assert_eq!(field(&response, "content-type"), None);
    assert!(response.parts.is_empty());
}

#[test]
fn ranges_are_for_get_and_for_the_file_that_the_client_knows() {
    assert_eq!(respond(&[("Range", "bytes=0-1")], true).answer.status, 200);
    let tag = file().validators.tag;
    for (known, status) in [(tag.as_str(), 206), ("\"x\"", 200)] {
        let fields = [("Range", "bytes=0-1"), ("If-Range", known)];
        assert_eq!(respond(&fields, false).answer.status, status, "{known}");
    }
}

#[test]
fn a_copy_that_is_still_good_is_not_sent_again() {
    let tag = file().validators.tag;
    let response = respond(&[("If-None-Match", &tag), ("Range", "bytes=0-1")], false);
    assert_eq!(response.answer.status, 304);
    assert_eq!(field(&response, "etag"), Some(tag.as_str()));
    assert_eq!(field(&response, "vary"), Some("accept-encoding"));
    assert_eq!(field(&response, "content-type"), None);
    assert!(response.parts.is_empty());
    assert_eq!(respond(&[("If-Match", "\"x\"")], false).answer.status, 412);
}
