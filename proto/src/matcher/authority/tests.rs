use super::*;

#[test]
fn an_authority_and_a_host_are_equal_by_name_and_port() {
    use Scheme::{Http, Https};
    for (scheme, authority, host, equal) in [
        (Http, "a.test", "a.test", true),
        (Http, "A.Test", "a.tesT", true),
        (Http, "a.test:80", "a.test", true),
        (Http, "a.test", "a.test:80", true),
        (Http, "a.test:", "a.test", true),
        (Http, "a.test:", "a.test:80", true),
        (Https, "a.test:443", "a.test", true),
        (Https, "a.test", "a.test:443", true),
        (Http, "a.test:8080", "a.test:8080", true),
        (Http, "[::1]:80", "[::1]", true),
        (Http, "[::1]", "[::1]", true),
        (Http, "a.test:443", "a.test", false),
        (Https, "a.test:80", "a.test", false),
        (Http, "a.test:8080", "a.test", false),
        (Http, "a.test", "a.test:8080", false),
        (Http, "b.test", "a.test", false),
        (Http, "a.test.", "a.test", false),
        (Http, "user@a.test", "a.test", false),
        (Http, "a.test:x", "a.test:y", false),
        (Http, "a.test:x", "a.test", false),
        (Http, "[::1]", "[::2]", false),
        (Http, "", "a.test", false),
    ] {
        let named = Authority::new(scheme, authority).is_named_by(host);
        assert_eq!(named, equal, "{scheme:?} {authority} {host}");
    }
}

#[test]
fn a_scheme_has_no_case() {
    assert_eq!(Scheme::split("HTTP://a/b"), Some((Scheme::Http, "a/b")));
    assert_eq!(Scheme::split("hTTps://"), Some((Scheme::Https, "")));
    for text in ["ftp://a", "http:/a", "http", "", "é", "httpé://"] {
        assert_eq!(Scheme::split(text), None, "{text}");
    }
}
