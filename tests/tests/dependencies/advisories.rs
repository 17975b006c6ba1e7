//! The vendored list of security advisories.

use semver::VersionReq;

use crate::graph::Package;

const LIST: &str = include_str!("../../advisories.txt");

/// One known flaw of a crate.
#[derive(Debug)]
pub(crate) struct Advisory {
    pub(crate) id: String,
    package: String,
    unaffected: Vec<VersionReq>,
    pub(crate) title: String,
}

impl Advisory {
    /// Reports whether this version of the crate has the flaw.
    pub(crate) fn affects(&self, package: &Package) -> bool {
        let fine = |range: &VersionReq| range.matches(&package.version);
        self.package == package.name && !self.unaffected.iter().any(fine)
    }

    fn of(line: &str) -> Self {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [id, package, ranges, title] = parts[..] else {
            panic!("four parts make an advisory: {line}");
        };
        let range = |text: &str| {
            let range = text.trim().parse();
            range.unwrap_or_else(|error| panic!("{id}: {text}: {error}"))
        };
        Self {
            id: id.to_owned(),
            package: package.to_owned(),
            unaffected: match ranges {
                "none" => Vec::new(),
                ranges => ranges.split(';').map(range).collect(),
            },
            title: title.to_owned(),
        }
    }
}

/// Returns all advisories of the list.
pub(crate) fn read() -> Vec<Advisory> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.map(Advisory::of).collect()
}

/// Returns the date of the list.
pub(crate) fn date() -> &'static str {
    let first = LIST.lines().next().unwrap_or_default();
    let date = first.split_once("as of ").map_or("", |(_, date)| date);
    assert!(
        date.len() == "2026-01-01.".len(),
        "the list has a date: {first}"
    );
    date.trim_end_matches('.')
}

#[test]
fn a_version_is_affected_where_no_range_holds_it() {
    let advisory = Advisory::of("ID | a | >= 1.38.2, < 1.39.0; >= 1.44.2; < 0.2.5 | title");
    let affects = |name: &str, version: &str| {
        advisory.affects(&Package {
            name: name.to_owned(),
            version: version.parse().unwrap(),
            ..Package::default()
        })
    };
    for affected in ["1.38.1", "1.39.0", "1.44.1", "0.2.5"] {
        assert!(affects("a", affected), "{affected}");
    }
    for fine in ["1.38.2", "1.38.9", "1.44.2", "2.0.0", "0.2.4"] {
        assert!(!affects("a", fine), "{fine}");
    }
    assert!(!affects("b", "1.0.0"));
    let unmaintained = Advisory::of("ID | a | none | title");
    assert!(unmaintained.affects(&Package {
        name: "a".to_owned(),
        ..Package::default()
    }));
}

#[test]
fn the_list_is_sorted_by_crate_so_that_changes_read_well() {
    let known = read();
    let order: Vec<_> = known
        .iter()
        .map(|known| (&known.package, &known.id))
        .collect();
    assert!(order.is_sorted() && !order.is_empty(), "{order:?}");
    assert!(!date().is_empty());
}
