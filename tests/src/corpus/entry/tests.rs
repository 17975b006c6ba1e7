use super::*;

#[test]
fn an_entry_holds_its_keys_in_order_with_their_bytes() {
    let text = "# comment\n\n== one: the first\nrule: RFC 9112 section 3\nsend:\n|GET /\\r\\n\n# between\n|\\r\\n\nthen: closed\n\n== two: next\n";
    let entries = read("file", text).unwrap();
    assert_eq!(entries.len(), 2);
    let one = &entries[0];
    assert_eq!(
        (one.id.as_str(), one.title.as_str(), one.place.as_str()),
        ("one", "the first", "file:3")
    );
    assert_eq!(one.items[0].word().unwrap(), "RFC 9112 section 3");
    assert_eq!(one.items[1].bytes().unwrap().bytes(""), b"GET /\r\n\r\n");
    assert_eq!(one.items[2].word().unwrap(), "closed");
}

#[test]
fn what_is_not_in_order_is_told_with_its_place() {
    for (text, told) in [
        ("key: value\n", "file:1: before the first"),
        ("== one\n", "file:1: no `== id"),
        ("== one: a\n|x\n", "file:2: bytes that belong to no key"),
        ("== one: a\nsend\n", "file:2: neither"),
        ("== one: a\nsend:\n|\\q\n", "file:3: \\ is not followed"),
    ] {
        let error = read("file", text).unwrap_err();
        assert!(error.starts_with(told), "{text:?}: {error}");
    }
    let entries = read("file", "== one: a\nsend: x\nthen:\n|y\n").unwrap();
    let error = entries[0].items[0].bytes().unwrap_err();
    assert!(error.starts_with("file:2: send:"), "{error}");
    let error = entries[0].items[1].word().unwrap_err();
    assert!(error.starts_with("file:3: then:"), "{error}");
}
