//! The dependencies of Aralez: only permitted licences, no duplicate version without a reason, no unused crate, no known advisory.
//!
//! All of it is read from Cargo.lock and from the crates that cargo downloaded for the build, so it needs no network. Each rule has a list
//! of exceptions with reasons; an exception that is no longer needed is an error as well.

mod advisories;
mod graph;
mod used;

use std::collections::BTreeMap;

use graph::{Graph, Package};

/// Permitted licences. Of the alternatives that a crate offers, one must be in this list.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that the shipped binaries link in two versions.
const TWICE: [(&str, &str); 6] = [
    ("base64", "tonic 0.14 is behind hyper-util"),
    ("cpufeatures", "chacha20 0.9 is behind blake3"),
    ("foldhash", "hashbrown 0.15 of saphyr-parser's hashlink"),
    (
        "getrandom",
        "0.2 is not linked: cargo metadata counts the optional rand_core of signature, behind jsonwebtoken, because pingora has it",
    ),
    (
        "hashbrown",
        "hashlink 0.10 of saphyr-parser is behind indexmap",
    ),
    (
        "syn",
        "a few macros have not moved to syn 3; it is not linked",
    ),
];

/// Advisories that do not apply.
const ACCEPTED: [(&str, &str); 2] = [
    (
        "RUSTSEC-2024-0388",
        "derivative: of pingora, which only the benchmarks' reference proxy links; a macro that works",
    ),
    (
        "RUSTSEC-2026-0097",
        "rand 0.8: of pingora, as above; no logger of ours draws random numbers",
    ),
];

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_crate_comes_from_the_registry_under_a_licence_that_aralez_may_have() {
    let graph = Graph::read();
    let mut found = Vec::new();
    for package in graph.packages.values() {
        if !package.is_ours() && package.source.as_deref() != Some(graph::REGISTRY) {
            found.push(format!("{package} comes from {:?}", package.source));
        }
        if !may_be_used(package) {
            found.push(format!("{package} is under {:?}", package.licence));
        }
    }
    none("crates that may not be used", &found);
}

fn may_be_used(package: &Package) -> bool {
    let licence = package.licence.as_deref().unwrap_or_default();
    let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
    expression.is_ok_and(|expression| {
        expression.evaluate(|licence| LICENCES.contains(&licence.to_string().as_str()))
    })
}

#[test]
fn a_licence_that_gives_no_choice_of_ours_is_not_taken() {
    let under = |licence: &str| {
        let package = Package {
            licence: Some(licence.to_owned()),
            ..Package::default()
        };
        may_be_used(&package)
    };
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "MIT AND Zlib"] {
        assert!(under(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "AGPL-3.0-only", "mine"] {
        assert!(!under(bad), "{bad}");
    }
}

#[test]
fn the_daemons_link_no_crate_twice_without_a_reason() {
    let graph = Graph::read();
    let mut versions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in graph.shipped() {
        let versions = versions.entry(package.name.as_str()).or_default();
        versions.push(package.version.to_string());
    }
    versions.retain(|_, versions| versions.len() > 1);
    let known = |name: &str| TWICE.iter().any(|(known, _)| *known == name);
    let new = versions.iter().filter(|(name, _)| !known(name));
    let new = new.map(|(name, versions)| format!("{name}: {}", versions.join(" and ")));
    none("linked twice", &new.collect::<Vec<_>>());
    let gone = TWICE
        .iter()
        .filter(|(name, _)| !versions.contains_key(name));
    let gone = gone.map(|(name, _)| (*name).to_owned());
    none("not linked twice any more", &gone.collect::<Vec<_>>());
}

#[test]
fn every_dependency_of_a_manifest_is_named_by_code() {
    let graph = Graph::read();
    let mut found = Vec::new();
    for package in graph.packages.values().filter(|package| package.is_ours()) {
        found.extend(used::unused(package));
    }
    none("dependencies that nothing uses", &found);
}

#[test]
fn no_crate_has_a_known_flaw_that_applies() {
    let graph = Graph::read();
    let known = advisories::read();
    let accepted = |id: &str| ACCEPTED.iter().any(|(accepted, _)| *accepted == id);
    let (mut found, mut applies) = (Vec::new(), Vec::new());
    for advisory in &known {
        let packages = graph.packages.values();
        for package in packages.filter(|package| advisory.affects(package)) {
            applies.push(advisory.id.as_str());
            if !accepted(&advisory.id) {
                found.push(format!("{package}: {}: {}", advisory.id, advisory.title));
            }
        }
    }
    none("crates with a known flaw", &found);
    let gone = ACCEPTED.iter().filter(|(id, _)| !applies.contains(id));
    let gone = gone.map(|(id, _)| (*id).to_owned());
    none(
        "accepted flaws that no crate has any more",
        &gone.collect::<Vec<_>>(),
    );
    println!("{} advisories, {}", known.len(), advisories::date());
}
