use super::super::text::Text;
use super::*;

fn exchange(bytes: &str, head: usize, whole: bool) -> Exchange {
    Exchange::for_tests(bytes.as_bytes(), head, whole)
}

fn wanted(bytes: &str, chunks: Option<&str>, trailers: &str) -> SeenRequest {
    SeenRequest {
        bytes: Text::read(bytes).unwrap(),
        chunks: chunks.map(|chunks| Text::read(chunks).unwrap()),
        trailers: Text::read(trailers).unwrap(),
        ..SeenRequest::default()
    }
}

#[test]
fn every_byte_counts() {
    let request = wanted("GET / HTTP/1.1\\r\\n\\r\\nabc", None, "");
    assert_eq!(
        differs(
            &exchange("GET / HTTP/1.1\r\n\r\nabc", 18, true),
            &request,
            "h"
        ),
        None
    );
    for (bytes, whole) in [
        ("GET / HTTP/1.1\r\n\r\nab", true),
        ("GET / HTTP/1.1\r\n\r\nabcd", true),
        ("get / HTTP/1.1\r\n\r\nabc", true),
        ("GET / HTTP/1.1\r\n\r\nabc", false),
    ] {
        let told = differs(&exchange(bytes, 18, whole), &request, "h").unwrap();
        assert!(told.contains("instead of"), "{told}");
    }
    let part = SeenRequest {
        up_to: true,
        ..request
    };
    assert_eq!(
        differs(&exchange("GET / HTTP/1.1\r\n\r\na", 18, false), &part, "h"),
        None
    );
    assert!(differs(&exchange("GET / HTTP/1.1\r\n\r\nx", 18, false), &part, "h").is_some());
    assert!(differs(&exchange("GET / HT", 0, false), &part, "h").is_some());
}

#[test]
fn chunks_may_be_cut_anywhere_and_are_written_in_the_usual_form() {
    let request = wanted("H\\r\\n\\r\\n", Some("abcdefghijk"), "A: b\\r\\n");
    let is_right = |body: &str| {
        differs(
            &exchange(&format!("H\r\n\r\n{body}"), 5, true),
            &request,
            "h",
        )
        .is_none()
    };
    assert!(is_right("b\r\nabcdefghijk\r\n0\r\nA: b\r\n\r\n"));
    assert!(is_right("1\r\na\r\na\r\nbcdefghijk\r\n0\r\nA: b\r\n\r\n"));
    for body in [
        "B\r\nabcdefghijk\r\n0\r\nA: b\r\n\r\n",
        "0b\r\nabcdefghijk\r\n0\r\nA: b\r\n\r\n",
        "b;x\r\nabcdefghijk\r\n0\r\nA: b\r\n\r\n",
        "b\r\nabcdefghijk\r\n0\r\n\r\n",
        "b\r\nabcdefghijk\r\n0\r\nA: c\r\n\r\n",
        "a\r\nabcdefghij\r\n0\r\nA: b\r\n\r\n",
        "c\r\nabcdefghijkl\r\n0\r\nA: b\r\n\r\n",
        "b\r\nabcdefghijk\r\n00\r\nA: b\r\n\r\n",
    ] {
        assert!(!is_right(body), "{body:?}");
    }
}
