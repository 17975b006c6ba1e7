use super::*;

fn read(text: &str) -> String {
    let bytes = Text::read(text).unwrap().bytes("a.test");
    bytes.escape_ascii().to_string()
}

#[test]
fn visible_text_stands_for_itself_and_escapes_for_the_rest() {
    assert_eq!(read("GET / HTTP/1.1\\r\\n"), "GET / HTTP/1.1\\r\\n");
    assert_eq!(read("\\x00\\t\\s\\xff\\\\\\{\\}"), "\\x00\\t \\xff\\\\{}");
    assert_eq!(read(""), "");
}

#[test]
fn macros_stand_for_what_repeats_and_for_the_host() {
    assert_eq!(read("{host}:{HOST}"), "a.test:A.TEST");
    assert_eq!(
        read("{repeat 3 X: \\x01\\r\\n}."),
        "X: \\x01\\r\\nX: \\x01\\r\\nX: \\x01\\r\\n."
    );
    assert_eq!(read("{repeat 2 {host}{repeat 2 -}}"), "a.test--a.test--");
    let forwarded =
        "x-forwarded-for: 127.0.0.1\\r\\nx-forwarded-proto: http\\r\\nx-forwarded-host: ";
    let passed =
        |version: &str| format!("via: {version} {PSEUDONYM}\\r\\ncdn-loop: {PSEUDONYM}\\r\\n");
    let (new, old) = (passed("1.1"), passed("1.0"));
    assert_eq!(read("{forwarded}"), format!("{forwarded}a.test\\r\\n{new}"));
    assert_eq!(
        read("{forwarded {HOST}:80}"),
        format!("{forwarded}A.TEST:80\\r\\n{new}")
    );
    assert_eq!(
        read("{forwarded-old}"),
        format!("{forwarded}a.test\\r\\n{old}")
    );
    assert_eq!(read("{chunked}"), "transfer-encoding: chunked\\r\\n");
}

#[test]
fn what_a_reader_could_take_for_something_else_is_told() {
    for (text, part) in [
        ("a\\q", "is not followed by"),
        ("a\\", "is not followed by"),
        ("\\x0", "two hexadecimal digits"),
        ("\\xzz", "two hexadecimal digits"),
        ("{hots}", "is not a macro"),
        ("{host", "is followed by neither"),
        ("{repeat x y}", "is not a count"),
        ("{repeat 3 y", "not closed"),
        ("}", "has no {"),
        ("\t", "not visible ASCII"),
        ("\u{e9}", "not visible ASCII"),
    ] {
        let error = Text::read(text).unwrap_err();
        assert!(error.contains(part), "{text:?}: {error}");
    }
}
