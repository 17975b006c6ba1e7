use super::*;
use crate::matcher::{PathIndex, PlainGet};

mod matches;
mod slow;

/// Returns the forwarded path.
fn forwarded(path: &str) -> Result<String, InvalidPath> {
    RequestPath::parse(path).map(|path| path.forwarded().to_owned())
}

/// Returns the route that a path selects.
fn select(routes: &[&str], path: &str) -> Result<Option<String>, InvalidPath> {
    let index: PathIndex<String> = routes
        .iter()
        .map(|route| ((*route).into(), None, (*route).to_owned()))
        .collect();
    let path = RequestPath::parse(path)?;
    Ok(index.select(&path, &PlainGet)?.cloned())
}

#[test]
fn a_path_without_dot_segments_is_forwarded_as_it_was_written() {
    for path in [
        "/",
        "/a/b/",
        "/a//b///c//",
        "/unsafe/https://img/x",
        "/app;jsessionid=1",
        "/%7euser/%c3%a9/%252e",
        "/%41%2fb",
        "/api/queues/%2F/q",
        "/a%5cb",
        "/a%3fb%23c%3bd",
        "/...",
        "/a..b/c../.d",
        "/%c0%ae%c0%ae/x",
        "/a|b{c}\"",
    ] {
        assert_eq!(forwarded(path).as_deref(), Ok(path));
    }
    for (path, goes) in [("//secret", "/secret"), ("///", "/"), ("//a//b", "/a//b")] {
        assert_eq!(forwarded(path).as_deref(), Ok(goes), "{path}");
    }
}

#[test]
fn dot_segments_are_resolved_in_what_is_forwarded() {
    for (path, goes) in [
        ("/./a", "/a"),
        ("/secret/.", "/secret/"),
        ("/a/..", "/"),
        ("/..", "/"),
        ("/pub/../secret", "/secret"),
        ("/pub//../secret", "/secret"),
        ("/a//b/./c", "/a/b/c"),
        ("/pub/%2e%2e/secret", "/secret"),
        ("/pub/.%2E/", "/"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("/x/../%7euser/%c3%a9/%2f", "/~user/%c3%a9/%2f"),
        ("/./a;v=1/b", "/a;v=1/b"),
    ] {
        assert_eq!(forwarded(path).as_deref(), Ok(goes), "{path}");
    }
}

#[test]
fn what_no_path_may_hold_is_refused() {
    use InvalidPath::*;
    for (path, reason) in [
        ("", NotAbsolute),
        ("a", NotAbsolute),
        ("*", NotAbsolute),
        ("/%zz", Escape),
        ("/%2", Escape),
        ("/%", Escape),
        ("/%+1", Escape),
        ("/%2%46", Escape),
        ("/%00", Control),
        ("/secret%09", Control),
        ("/%0d%0a", Control),
        ("/%7f", Control),
        ("/%1f/../a", Control),
        ("/a\tb", Control),
        ("/a\\..\\b", Backslash),
        ("/a b", Unescaped),
        ("/é", Unescaped),
        ("/a#b", Fragment),
        ("/a%5cb;c", BackslashAndParameter),
        ("/a%3Bb/%5C", BackslashAndParameter),
    ] {
        assert_eq!(forwarded(path), Err(reason), "{path}");
    }
}

#[test]
fn a_dot_segment_that_only_some_readers_see_is_refused() {
    for path in [
        "/pub/..%2fsecret",
        "/pub/%2e%2e%2fsecret",
        "/pub/x%2f..",
        "/pub/x%2f.%2fy",
        "/a%5c..%5Cb",
        "/pub/..;/secret",
        "/pub/..;x=1/secret",
        "/pub/..%3bx/secret",
        "/pub/.;x/secret",
        "/pub/..%3Fx",
        "/pub/.%23x",
        "/pub/..;x%2fy",
    ] {
        let refused = Err(InvalidPath::HiddenDots);
        assert_eq!(select(&["/"], path), refused, "{path}");
    }
}

#[test]
fn readings_that_lead_to_different_routes_are_refused() {
    for path in [
        "/secret%2Fx",
        "/secret%5cx",
        "/secret%3Ba",
        "/secret%2F",
        "/secret%3fx",
        "/secret%23",
        "/%2fsecret",
        "/%2Fsecret/x",
        "/%5csecret",
        "/;x%2Fsecret",
    ] {
        let refused = Err(InvalidPath::OtherRoute);
        assert_eq!(select(&["/", "/secret"], path), refused, "{path}");
        // With a single route for all readings there is nothing to refuse.
        assert_eq!(select(&["/"], path).unwrap().as_deref(), Some("/"));
    }
    // Refused as well if only one reading has a route at all.
    let only = select(&["/secret"], "/secret%2Fx");
    assert_eq!(only, Err(InvalidPath::OtherRoute));
}

#[test]
fn a_path_selects_the_route_that_all_its_readings_select() {
    let routes = ["/", "/secret", "/api/queues", "/caf%C3%A9", "/a!b"];
    for (path, route) in [
        ("/secret;x=1", "/secret"),
        ("/secret/%2F/q", "/secret"),
        ("/secret//x", "/secret"),
        ("//secret", "/secret"),
        ("/%73ecret", "/secret"),
        ("/pub;x/../secret", "/secret"),
        ("/;x/secret", "/secret"),
        ("/api/queues/%2F/q", "/api/queues"),
        ("/api/queues/%5C", "/api/queues"),
        ("/api/queues;a/x%3Bb%3Fc", "/api/queues"),
        ("/caf%c3%a9/x", "/caf%C3%A9"),
        ("/a%21b", "/a!b"),
        ("/a!b", "/a!b"),
        ("/secret%20", "/"),
        ("/secretx", "/"),
        ("/%252fsecret", "/"),
        ("/pub%2Fsecret", "/"),
        ("/app;jsessionid=1", "/"),
        ("/unsafe/https://img/x", "/"),
    ] {
        let selected = select(&routes, path);
        assert_eq!(selected.unwrap().as_deref(), Some(route), "{path}");
    }
}

#[test]
fn a_normal_path_is_matched_and_forwarded_without_allocating() {
    for path in ["/", "/a/b/", "/%2525/%20", "/.well-known/..a"] {
        let read = RequestPath::parse(path).unwrap();
        assert_eq!(read.as_written(), Some(path));
        let same = read.select(|reading| Some(std::ptr::eq(reading, path)));
        assert_eq!(same, Ok(Some(true)), "{path}");
    }
    for path in ["//a//b;c/%7e", "/a%2fb"] {
        let read = RequestPath::parse(path).unwrap();
        assert!(read.as_written().is_some(), "{path}");
    }
}

#[test]
fn the_path_of_a_route_has_no_trailing_slash() {
    for (text, normal) in [
        ("/", "/"),
        ("/api/", "/api"),
        ("/a//b/", "/a/b"),
        ("/%61/", "/a"),
        ("/a%21", "/a!"),
        ("/a/../b", "/b"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
    ] {
        assert_eq!(normalise_route_path(text).as_deref(), Ok(normal), "{text}");
        assert_eq!(normalise_route_path(normal).as_deref(), Ok(normal));
    }
}

#[test]
fn the_path_of_a_route_holds_nothing_that_endpoints_read_differently() {
    use InvalidRoutePath::*;
    for (text, reason) in [
        ("api", Path(InvalidPath::NotAbsolute)),
        ("/a#b", Path(InvalidPath::Fragment)),
        ("/a?b=1", Query),
        ("/a;b", Parameter),
        ("/a%2fb", Escape("%2F")),
        ("/a%5Cb", Escape("%5C")),
        ("/a%3bb", Escape("%3B")),
        ("/a%3Fb", Escape("%3F")),
        ("/a%23b", Escape("%23")),
        ("/a%2Fb/../c", Escape("%2F")),
    ] {
        assert_eq!(normalise_route_path(text), Err(reason), "{text}");
    }
}
