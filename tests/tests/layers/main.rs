//! Enforces the layers of ARCHITECTURE.md: which module may import which, and the shape of a file.
//!
//! Sources are read as tokens, so that every form of naming an item is found.

use std::collections::BTreeSet;
use std::path::Path;

use aralez_tests::files::workspace;
use circles::circles;
use modules::{Absolute, Modules};
use names::How;
use sources::{CRATES, Source, harness, product, shipped};

mod circles;
mod citations;
mod modules;
mod names;
mod rows;
mod shape;
mod sources;
mod types;

const DAEMONS: [&str; 2] = ["aralez-proxy", "aralez-control"];

/// The crates that only compute.
const PURE: [&str; 2] = ["proto", "decision"];
const APP: [&str; 4] = ["app", "main", "args", ""];
/// Adapters that speak the stream, and adapters that write to disk: besides `proto::convert` and `proto::rules`, only these see the wire
/// types.
const STREAM_ADAPTERS: [&str; 2] = ["stream", "sync"];
const STORAGE_ADAPTERS: [&str; 2] = ["ledger", "cache"];

/// Fails with one line for each finding.
#[track_caller]
fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Returns the paths that the chosen sources name and that begin with one of `banned`, as `file:line: path`. A prefix may end inside a
/// segment: `std::net::Tcp`.
fn naming(sources: &[Source], banned: &[&str], of: impl Fn(&Source) -> bool) -> Vec<String> {
    let modules = Modules::new(sources);
    let chosen = sources.iter().filter(|source| of(source));
    chosen
        .flat_map(|source| wrong(&modules, source, |path| is_banned(path, banned)))
        .collect()
}

fn is_banned(path: &Absolute, banned: &[&str]) -> bool {
    let path = path.join("::");
    banned.iter().any(|ban| path.starts_with(ban))
}

/// Returns the wrong paths that a source names, as `file:line: path`. A single identifier is a local name, unless it is imported.
fn wrong(
    modules: &Modules<'_>,
    source: &Source,
    is_wrong: impl Fn(&Absolute) -> bool,
) -> Vec<String> {
    let named = source.names.paths.iter();
    let named = named.filter(|named| named.path.len() > 1 || named.how != How::Inline);
    let named = named.map(|named| (named.line, modules.absolute(source, named)));
    let found = named.filter(|(_, path)| is_wrong(path));
    found
        .map(|(line, path)| format!("{}: {}", source.at(line), path.join("::")))
        .collect()
}

/// Returns the keys of `[dependencies]` as written; dev and build dependencies are exempt.
fn dependencies(name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace().join(name).join("Cargo.toml")).unwrap();
    let mut section = "";
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]" {
            let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
            keys.insert(key.to_owned());
        }
    }
    keys.remove("");
    keys
}

#[test]
fn proto_and_decision_are_pure() {
    let banned = [
        "tokio",
        "pingora",
        "axum",
        "kube",
        "reqwest",
        "hyper",
        "notify",
        "redb",
        "rustix",
        "aralez-runtime",
    ];
    let wrong: Vec<_> = PURE
        .iter()
        .flat_map(|name| dependencies(name))
        .filter(|key| banned.iter().any(|ban| key.starts_with(ban)))
        .collect();
    none("a pure crate depends on what does I/O", &wrong);
    let outside = [
        "tokio",
        "pingora",
        "axum::",
        "std::fs",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "Instant::",
        "std::time::SystemTime",
        "SystemTime",
        "std::net::Tcp",
        "TcpStream",
        "TcpListener",
        "std::net::Udp",
        "UdpSocket",
        "std::os::unix::net",
        "UnixStream",
        "std::env",
    ];
    let wrong = naming(&product(), &outside, |source| {
        PURE.contains(&source.folder())
    });
    none(
        "a pure crate touches the world (text and bytes in, values out)",
        &wrong,
    );
}

/// F-14: a step of the wall clock has no effect.
#[test]
fn only_dates_for_people_and_the_age_of_files_come_from_the_wall_clock() {
    // `clock` provides dates for people and for the ledger; the others write `Date:`, `Last-Modified:` and entity tags, and compute the age
    // of files.
    let allowed = [
        "clock.rs",
        "date.rs",
        "engine/threads/context.rs",
        "engine/exchange/serving_files.rs",
        "engine/files/lookup.rs",
        "core/request/files/validators.rs",
        "source/file/look.rs",
    ];
    let banned = ["std::time::SystemTime", "SystemTime"];
    let wrong = naming(&product(), &banned, |source| {
        !source.is_test() && !allowed.iter().any(|end| source.path.ends_with(end))
    });
    none("timers and versions do not ask what time it is", &wrong);
}

#[test]
fn the_daemons_and_ctl_never_import_each_other() {
    let planes = ["aralez-proxy", "aralez-control", "aralez-ctl"];
    for name in CRATES {
        let wrong: Vec<_> = dependencies(name)
            .into_iter()
            .filter(|key| planes.contains(&key.as_str()))
            .collect();
        none(&format!("{name} imports another plane"), &wrong);
    }
    let runtime = dependencies("runtime");
    for engine in ["tokio", "tonic", "axum", "pingora"] {
        assert!(
            !runtime.contains(engine),
            "runtime is small and synchronous, and imports {engine}"
        );
    }
}

/// The README promises this.
#[test]
fn nothing_of_pingora_is_in_what_ships() {
    let uses = |name: &&str| {
        dependencies(name)
            .iter()
            .any(|key| key.starts_with("pingora"))
    };
    let wrong: Vec<_> = CRATES
        .iter()
        .filter(|name| uses(name))
        .map(ToString::to_string)
        .collect();
    none("depends on Pingora", &wrong);
}

#[test]
fn core_is_pure_and_knows_no_adapter() {
    let outside = [
        "tokio",
        "tonic",
        "axum",
        "pingora",
        "redb",
        "notify",
        "reqwest",
        "hyper",
        "aralez_runtime",
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::os::unix::net",
        "std::env",
        "std::process",
        "std::time::Instant::now",
        "Instant::now",
        "std::time::SystemTime::now",
        "SystemTime::now",
        "getrandom",
    ];
    let is_core = |source: &Source| source.layer() == "core" && !source.is_test();
    let sources = product();
    let modules = Modules::new(&sources);
    let mut found = naming(&sources, &outside, is_core);
    for source in sources.iter().filter(|source| is_core(source)) {
        let own = crate_of(source);
        found.extend(wrong(&modules, source, |path| {
            path[0] == own && path.get(1).is_some_and(|layer| layer != "core")
        }));
    }
    none(
        "core imports an adapter, or does I/O (it is pure and synchronous; time and randomness are passed in)",
        &found,
    );
}

/// Returns the crate of a source, as code names it.
fn crate_of(source: &Source) -> String {
    modules::module_of(source)[0].clone()
}

#[test]
fn adapters_do_not_import_each_other() {
    let sources = product();
    let modules = Modules::new(&sources);
    let mut found = Vec::new();
    for source in &sources {
        let layer = source.layer();
        let adapter =
            DAEMONS.contains(&source.folder()) && layer != "core" && !APP.contains(&layer.as_str());
        if !adapter {
            continue;
        }
        let own = crate_of(source);
        found.extend(wrong(&modules, source, |path| {
            let foreign = |to: &String| *to != layer && to != "core";
            path[0] == own && path.get(1).is_some_and(foreign)
        }));
    }
    none(
        "adapters import each other (they meet in app, through values or core traits)",
        &found,
    );
}

#[test]
fn wire_types_stay_where_they_are_converted() {
    let sources = product();
    let modules = Modules::new(&sources);
    let mut found = Vec::new();
    for source in &sources {
        let layer = source.layer();
        if source.folder() == "proto" && ["convert", "rules", "wire"].contains(&layer.as_str()) {
            continue;
        }
        let mut banned = vec!["aralez_proto::wire::resource"];
        if !STREAM_ADAPTERS.contains(&layer.as_str()) {
            banned.push("aralez_proto::wire::control");
        }
        if !STORAGE_ADAPTERS.contains(&layer.as_str()) {
            banned.push("aralez_proto::wire::storage");
        }
        found.extend(wrong(&modules, source, |path| is_banned(path, &banned)));
    }
    none(
        "wire types outside of their adapters (proto::convert and proto::rules are the only doors)",
        &found,
    );
}

#[test]
fn no_files_need_each_other_in_a_circle() {
    let sources = shipped();
    let needs = Modules::new(&sources).needs();
    let mut found = Vec::new();
    for circle in circles(&needs) {
        found.push(format!("a circle of {} files:", circle.len()));
        for file in &circle {
            let inside = needs[*file].iter().filter(|(to, _)| circle.contains(to));
            found.extend(inside.map(|(to, line)| {
                format!(
                    "  {} needs {}",
                    sources[*file].at(*line),
                    sources[*to].path.display()
                )
            }));
        }
    }
    none("files that can only be understood together", &found);
}

/// A rule is named in few files only. The example is a scalar that is written, sent and enforced.
#[test]
fn a_rule_stands_in_its_file_in_the_list_in_its_message_and_where_it_is_obeyed() {
    let names = |text: &str| {
        let product = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let code = product
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let mut code = code.filter(|line| line.contains("to_https") || line.contains("ToHttps"));
        code.next().is_some()
    };
    let sources = shipped();
    let code = sources
        .iter()
        .map(|source| (source.path.as_path(), source.text.as_str()));
    let message = Path::new("proto/proto/aralez/resource/v1/resource.proto");
    let messages = std::fs::read_to_string(workspace().join(message)).unwrap();
    let all = code.chain([(message, messages.as_str())]);
    let touched: BTreeSet<_> = all
        .filter(|(_, text)| names(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    let expected = [
        "decision/src/policy.rs",
        "proto/proto/aralez/resource/v1/resource.proto",
        "proto/src/rules.rs",
        "proto/src/rules/to_https.rs",
    ];
    assert_eq!(touched, expected.map(str::to_owned).into());
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut wrong = Vec::new();
    let words = ["/wo\u{72}k/", "/root\u{2f}"];
    for source in product().iter().chain(&harness()) {
        let lines = source.text.lines().enumerate();
        let hits = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        wrong.extend(hits.map(|(index, line)| format!("{}: {line}", source.at(index + 1))));
    }
    none("paths of one machine", &wrong);
}
