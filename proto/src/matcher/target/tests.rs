use super::*;

fn forwarded(text: &str) -> String {
    Target::parse(text).unwrap().path_and_query().into_owned()
}

#[test]
fn a_target_is_forwarded_as_it_came() {
    for text in ["/a?", "/a%7e//b;c?x=/../%zz\\|", "/a?b?c", "/%2F"] {
        assert_eq!(forwarded(text), text);
    }
    assert_eq!(forwarded("//a//b?c"), "/a//b?c");
    assert_eq!(forwarded("/a/../b?x=/../%zz\\|"), "/b?x=/../%zz\\|");
    assert_eq!(forwarded("/a/../%7e"), "/~");
}

#[test]
fn an_absolute_target_gives_its_authority_and_path() {
    let target = Target::parse("HTTP://Example.com:80/a/./b?c").unwrap();
    let authority = target.authority().unwrap();
    assert_eq!(authority.text(), "Example.com:80");
    assert!(authority.is_named_by("example.com"));
    let path = target.path().forwarded();
    assert_eq!((path, target.query()), ("/a/b", Some("c")));
    assert_eq!(forwarded("http://a"), "/");
    assert_eq!(forwarded("https://a?b"), "/?b");
    assert_eq!(forwarded("http://a//b?c"), "/b?c");
    assert_eq!(Target::parse("/a").unwrap().authority(), None);
}

#[test]
fn what_no_target_holds_is_refused() {
    for text in [
        "",
        "*",
        "a",
        "ftp://a/",
        "a:80",
        "http:/a",
        "/a?b c",
        "/a?\u{e9}",
        "/a?b#c",
        "/a?\0",
        "http://a#b",
    ] {
        assert!(Target::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_target_without_dot_segments_costs_no_allocation() {
    for text in ["/a/b?c=d", "http://a/b?c", "/", "http://a", "//a;b%2F?c"] {
        let target = Target::parse(text).unwrap();
        assert!(matches!(target.path_and_query(), Cow::Borrowed(_)));
    }
}
