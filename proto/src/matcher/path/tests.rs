use proptest::prelude::*;

use super::*;

#[test]
fn a_path_is_matched_and_forwarded_in_one_form() {
    let cases = [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/", "/a/"),
        ("//secret", "/secret"),
        ("/a//b///c", "/a/b/c"),
        ("/a//", "/a/"),
        ("/./a", "/a"),
        ("/secret/.", "/secret/"),
        ("/a/..", "/"),
        ("/pub/../secret", "/secret"),
        ("/pub//../secret", "/secret"),
        ("/pub/%2e%2e/secret", "/secret"),
        ("/pub/.%2E/", "/"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("/..", "/"),
        ("/%61%7e%41", "/a~A"),
        ("/%C3%a9", "/%C3%A9"),
        ("/a%2fb", "/a%2Fb"),
        ("/%252e%252e/x", "/%252e%252e/x"),
        ("/%252f", "/%252f"),
        ("/%c0%ae%c0%ae/x", "/%C0%AE%C0%AE/x"),
        ("/%ff", "/%FF"),
        ("/a%20b", "/a%20b"),
        ("/SECRET", "/SECRET"),
        ("/secret;x=1", "/secret;x=1"),
        ("/.well-known/acme", "/.well-known/acme"),
        ("/...", "/..."),
        ("/a..b/c..", "/a..b/c.."),
        (
            "/proxy/https%3a%2f%2fa.example",
            "/proxy/https%3A%2F%2Fa.example",
        ),
        ("/a|b{c}\"", "/a|b{c}\""),
    ];
    for (text, normal) in cases {
        assert_eq!(normalise(text).as_deref(), Ok(normal), "{text}");
    }
}

#[test]
fn what_two_readers_could_differ_on_is_refused() {
    use InvalidPath::*;
    let cases = [
        ("", NotAbsolute),
        ("a", NotAbsolute),
        ("*", NotAbsolute),
        ("/%zz", Escape),
        ("/%2", Escape),
        ("/%", Escape),
        ("/%+1", Escape),
        ("/%00", Control),
        ("/secret%09", Control),
        ("/%0d%0a", Control),
        ("/%7f", Control),
        ("/a\tb", Control),
        ("/a\\..\\b", Backslash),
        ("/a%5c..%5Cb", Backslash),
        ("/a b", Unescaped),
        ("/é", Unescaped),
        ("/a#b", Fragment),
        ("/pub/..%2fsecret", HiddenDots),
        ("/pub/%2e%2e%2fsecret", HiddenDots),
        ("/pub/x%2f..", HiddenDots),
        ("/pub/x%2f.%2fy", HiddenDots),
        ("/pub/..;/secret", HiddenDots),
        ("/pub/..;x=1/secret", HiddenDots),
        ("/pub/..%3bx/secret", HiddenDots),
        ("/pub/.;x/secret", HiddenDots),
        ("/%2fsecret", HiddenSlash),
        ("/a%2f/b", HiddenSlash),
        ("/a/./%2fb", HiddenSlash),
    ];
    for (text, reason) in cases {
        assert_eq!(normalise(text), Err(reason), "{text}");
    }
}

#[test]
fn a_normal_path_costs_no_allocation() {
    for text in ["/", "/a/b/", "/%2525/a%2Fb;x", "/.well-known/..a"] {
        assert!(matches!(normalise(text), Ok(Cow::Borrowed(_))), "{text}");
    }
}

#[test]
fn the_path_of_a_route_has_no_trailing_slash() {
    for (text, normal) in [
        ("/", "/"),
        ("/api/", "/api"),
        ("/a//b/", "/a/b"),
        ("/%61/", "/a"),
    ] {
        assert_eq!(normalise_route_path(text).as_deref(), Ok(normal), "{text}");
    }
    assert_eq!(
        normalise_route_path("api"),
        Err(InvalidPath::NotAbsolute.into())
    );
    assert_eq!(normalise_route_path("/a?b=1"), Err(InvalidRoutePath::Query));
    assert_eq!(
        normalise_route_path("/a#b"),
        Err(InvalidPath::Fragment.into())
    );
    assert_eq!(
        normalise_route_path("/a;b"),
        Err(InvalidRoutePath::Parameter)
    );
}

fn paths() -> impl Strategy<Value = String> {
    let pieces = [
        "/", "/", "/", ".", "..", "a", "b", ";", ";x=1", "%2f", "%2F", "%2e", "%2E", "%252e",
        "%252f", "%5c", "%00", "%3b", "%c0", "%ae", "%", "%4", "\\", "A", "%41", " ", "é", "#",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// Dot segments one at a time, by the letter of RFC 3986 section 5.2.4, after merging slashes.
fn naive(path: &str) -> String {
    let mut merged = path.to_owned();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    let (mut input, mut output) = (merged, String::new());
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("/./") {
            input = format!("/{rest}");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn normalising_a_path_twice_changes_nothing(path in paths()) {
        if let Ok(once) = normalise(&path) {
            let twice = normalise(&once);
            prop_assert_eq!(twice.as_deref(), Ok(&*once));
            prop_assert!(matches!(twice, Ok(Cow::Borrowed(_))));
        }
    }

    #[test]
    fn nothing_climbs_for_readers_that_decode_escaped_slashes_or_cut_parameters(path in paths()) {
        if let Ok(normal) = normalise(&path) {
            prop_assert!(normal.starts_with('/') && !normal.contains("//"));
            // Only inside a segment may escaped slashes follow each other.
            let mut single = normal.into_owned();
            while single.contains("%2F%2F") {
                single = single.replace("%2F%2F", "%2F");
            }
            let decoded = single.replace("%2F", "/");
            prop_assert!(!decoded.contains("//"), "{}", decoded);
            for segment in decoded.split('/') {
                let bare = segment.replace("%3B", ";");
                let bare = bare.split(';').next().unwrap();
                prop_assert!(bare != "." && bare != "..", "{}", decoded);
            }
        }
    }

    #[test]
    fn dot_segments_are_resolved_as_the_rfc_says(path in "(/|\\.|\\.\\.|a|b){0,12}") {
        let path = format!("/{path}");
        let normal = normalise(&path);
        prop_assert_eq!(normal.as_deref(), Ok(&*naive(&path)));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = normalise(&text);
        let _ = normalise_route_path(&text);
    }
}
