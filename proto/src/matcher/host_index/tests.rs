use proptest::prelude::*;

use super::*;

fn index(patterns: &[&str]) -> HostIndex<String> {
    let mut index = HostIndex::default();
    for text in patterns {
        index.insert(&text.parse().unwrap(), (*text).to_owned());
    }
    index
}

#[test]
fn exact_wins_over_the_longest_suffix_and_that_over_the_catch_all() {
    let index = index(&["a.example", "*.example", "*.b.example", "DEFAULT", "[::1]"]);
    let cases = [
        ("a.example", "a.example"),
        ("c.example", "*.example"),
        ("x.a.example", "*.example"),
        ("x.b.example", "*.b.example"),
        ("y.x.b.example", "*.b.example"),
        ("b.example", "*.example"),
        ("example", "DEFAULT"),
        ("other", "DEFAULT"),
        ("[::1]", "[::1]"),
        ("[::2]", "DEFAULT"),
    ];
    for (host, expected) in cases {
        assert_eq!(
            index.lookup(host).map(String::as_str),
            Some(expected),
            "{host}"
        );
    }
}

#[test]
fn without_a_catch_all_an_unknown_host_finds_nothing() {
    let mut index = index(&["a.example", "*.b"]);
    assert_eq!(index.lookup("b"), None);
    assert_eq!(index.lookup("notb"), None);
    assert_eq!(index.len(), 2);
    index.remove(&"*.b".parse().unwrap());
    assert_eq!(index.lookup("a.b"), None);
}

fn naive<'a>(patterns: &'a [String], host: &str) -> Option<&'a String> {
    let best = patterns.iter().filter_map(|pattern| {
        if pattern == host {
            return Some((usize::MAX, pattern));
        }
        if pattern == HostPattern::CATCH_ALL {
            return Some((0, pattern));
        }
        let suffix = pattern.strip_prefix('*')?;
        host.ends_with(suffix).then_some((suffix.len(), pattern))
    });
    best.max().map(|(_, pattern)| pattern)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_lookup_finds_what_comparing_with_every_pattern_finds(
        patterns in prop::collection::vec("(\\*\\.)?[ab](\\.[ab]){0,3}|DEFAULT", 0..12),
        hosts in prop::collection::vec("[ab](\\.[ab]){0,4}", 1..12),
    ) {
        let index = index(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        for host in hosts {
            prop_assert_eq!(index.lookup(&host), naive(&patterns, &host));
        }
    }
}
