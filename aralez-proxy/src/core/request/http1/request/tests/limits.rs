//! The size limits of a head.

use crate::core::request::http1::request::tests::*;

#[test]
fn each_limit_is_kept_to_the_byte() {
    let limits = HeadLimits::default();
    let target = |length: usize| {
        let head = format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "a".repeat(length - 1)
        );
        read(head.as_bytes()).err()
    };
    assert_eq!(target(limits.target), None);
    assert_eq!(
        target(limits.target + 1),
        Some(RequestRefusal::TargetTooLong)
    );
    assert_eq!(target(limits.bytes), Some(RequestRefusal::TargetTooLong));

    let fields = |count: usize| with(&"X: y\r\n".repeat(count - 1)).err();
    assert_eq!(fields(limits.fields), None);
    assert_eq!(
        fields(limits.fields + 1),
        Some(RequestRefusal::TooManyFields)
    );

    let head = |length: usize| {
        let around = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        let value = "y".repeat(length - around);
        format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n")
    };
    assert!(read(head(limits.bytes).as_bytes()).is_ok());
    let large = head(limits.bytes + 1);
    assert_eq!(
        read(large.as_bytes()).err(),
        Some(RequestRefusal::HeadTooLarge)
    );
    let open = &large.as_bytes()[..limits.bytes - 2];
    let mut request = RequestHead::default();
    assert_eq!(request.read(open, &limits), Ok(None));
}

#[test]
fn what_is_wrong_is_refused_before_its_line_ends_where_it_only_grows() {
    let limits = HeadLimits::default();
    let mut request = RequestHead::default();
    let line = vec![b'a'; limits.target + LINE_ROOM];
    assert_eq!(request.read(&line, &limits), Ok(None));
    let line = vec![b'a'; limits.target + LINE_ROOM + 1];
    assert_eq!(
        request.read(&line, &limits),
        Err(RequestRefusal::TargetTooLong)
    );
    let mut request = RequestHead::default();
    let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
    head.resize(limits.bytes, b'y');
    assert_eq!(
        request.read(&head, &limits),
        Err(RequestRefusal::HeadTooLarge)
    );
}
