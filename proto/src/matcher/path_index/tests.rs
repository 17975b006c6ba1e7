use proptest::prelude::*;

use super::*;

impl<V> PathIndex<V> {
    fn lookup(&self, reading: &str) -> Option<&V> {
        self.place(reading, Some).map(|at| &self.routes[at].value)
    }
}

fn index(paths: &[&str]) -> PathIndex<String> {
    let route = |path: &&str| (Arc::from(*path), None, (*path).to_owned());
    paths.iter().map(route).collect()
}

#[test]
fn the_longest_route_takes_a_path_by_whole_segments() {
    let index = index(&["/", "/foo", "/foo/bar", "/foo-bar", "/x/y/z"]);
    let cases = [
        ("/", "/"),
        ("/foo", "/foo"),
        ("/foo/", "/foo"),
        ("/foo/ba", "/foo"),
        ("/foo/bar", "/foo/bar"),
        ("/foo/bar/baz/qux/quux", "/foo/bar"),
        ("/foo/barbar", "/foo"),
        ("/foobar", "/"),
        ("/foo-bar/x", "/foo-bar"),
        ("/x/y", "/"),
        ("/x/y/z/", "/x/y/z"),
    ];
    for (path, expected) in cases {
        assert_eq!(
            index.lookup(path).map(String::as_str),
            Some(expected),
            "{path}"
        );
    }
}

#[test]
fn without_a_root_route_an_unknown_path_finds_nothing() {
    assert_eq!(index(&["/foo"]).lookup("/"), None);
    assert_eq!(index(&["/foo"]).lookup("/foobar"), None);
    assert_eq!(index(&["/foo"]).lookup("/fo"), None);
    assert_eq!(index(&[]).lookup("/foo"), None);
}

fn naive<'a>(routes: &'a [String], path: &str) -> Option<&'a String> {
    let takes = |route: &&String| {
        let rest = path.strip_prefix(route.as_str());
        *route == "/" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    routes.iter().filter(takes).max_by_key(|route| route.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_lookup_finds_what_comparing_with_every_route_finds(
        routes in prop::collection::btree_set("/|(/[ab-]{1,2}){1,4}", 0..16),
        paths in prop::collection::vec("(/[ab-]{1,2}){0,6}/?", 1..16),
    ) {
        let routes: Vec<String> = routes.into_iter().collect();
        let index = index(&routes.iter().map(String::as_str).collect::<Vec<_>>());
        for path in paths {
            let path = if path.is_empty() { "/" } else { &path };
            prop_assert_eq!(index.lookup(path), naive(&routes, path), "{}", path);
        }
    }
}
