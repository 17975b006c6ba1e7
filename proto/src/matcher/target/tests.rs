use super::*;

fn forwarded(text: &str) -> String {
    Target::parse(text).unwrap().path_and_query().into_owned()
}

#[test]
fn the_query_is_forwarded_as_it_came() {
    assert_eq!(forwarded("/a/../b?x=/../%zz\\|"), "/b?x=/../%zz\\|");
    assert_eq!(forwarded("/a?"), "/a?");
    assert_eq!(forwarded("//a?b?c"), "/a?b?c");
}

#[test]
fn an_absolute_target_gives_its_authority_and_path() {
    let target = Target::parse("HTTP://Example.com:80/a/./b?c").unwrap();
    assert_eq!(target.authority(), Some("Example.com:80"));
    assert_eq!((target.path(), target.query()), ("/a/b", Some("c")));
    assert_eq!(forwarded("http://a"), "/");
    assert_eq!(forwarded("https://a?b"), "/?b");
    assert_eq!(Target::parse("/a").unwrap().authority(), None);
}

#[test]
fn parameters_are_forwarded_but_not_matched() {
    let cases = [
        ("/secret;x=1", "/secret"),
        ("/a;b;c/d;e", "/a/d"),
        ("/;x/secret", "/secret"),
        ("/;x", "/"),
        ("/a/b", "/a/b"),
    ];
    for (text, matched) in cases {
        let target = Target::parse(text).unwrap();
        assert_eq!(target.match_path(), matched, "{text}");
        assert_eq!(target.path_and_query(), text);
    }
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
fn a_normal_target_costs_no_allocation() {
    for text in ["/a/b?c=d", "http://a/b?c", "/"] {
        let target = Target::parse(text).unwrap();
        assert!(matches!(target.match_path(), Cow::Borrowed(_)));
        assert!(matches!(target.path_and_query(), Cow::Borrowed(_)));
    }
}
