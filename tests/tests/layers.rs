//! The layers of ARCHITECTURE.md hold: who may import whom, and what a file may be.
//!
//! This reads the sources as text, on purpose: it is short, and it sees what a person sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = [
    "proto",
    "runtime",
    "aralez-proxy",
    "aralez-control",
    "aralez-ctl",
];
const DAEMONS: [&str; 2] = ["aralez-proxy", "aralez-control"];
const APP: [&str; 4] = ["app", "main", "args", "lib"];
/// Adapters that speak the stream, and those that write to disk: the only ones beside `proto::convert` that see the wire types.
const STREAM_ADAPTERS: [&str; 2] = ["stream", "sync"];
const STORAGE_ADAPTERS: [&str; 2] = ["ledger", "cache"];
const LONGEST_FILE: usize = 400;
const BAD_NAMES: [&str; 5] = ["utils", "common", "helpers", "misc", "manager"];

/// One source file: its path from the root of the workspace, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// `stream` for `aralez-control/src/stream/reader.rs` and for `aralez-control/src/stream.rs`.
    fn module(&self) -> String {
        let inside = self
            .path
            .components()
            .nth(2)
            .expect("sources lie in CRATE/src");
        let name = Path::new(inside.as_os_str())
            .file_stem()
            .expect("files have names");
        name.to_string_lossy().into_owned()
    }

    fn is_test(&self) -> bool {
        self.path.file_stem().is_some_and(|stem| stem == "tests")
            || self
                .path
                .components()
                .any(|part| part.as_os_str() == "tests")
    }

    /// The lines of code with their numbers: no comments, and nothing after the start of the unit tests.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]" || !self.ends_in_tests())
            .enumerate()
            .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
    }

    fn ends_in_tests(&self) -> bool {
        self.text.contains("#[cfg(test)]\nmod tests")
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("the tests lie in the workspace")
        .to_owned()
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_owned();
            found.push(Source { path, text });
        }
    }
}

fn product() -> Vec<Source> {
    let sources: Vec<_> = CRATES
        .iter()
        .flat_map(|name| sources(&format!("{name}/src")))
        .collect();
    assert!(sources.len() > 20, "the test does not find the sources");
    sources
}

/// Fails with one line for each thing found.
#[track_caller]
fn none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Lines of code in which one of `words` stands, each as `file:line: word`.
fn mentions(source: &Source, words: &[&str]) -> Vec<String> {
    let path = source.path.display();
    source
        .code()
        .flat_map(|(number, line)| {
            let hits = words.iter().filter(move |word| line.contains(**word));
            hits.map(move |word| (number, *word))
        })
        .map(|(number, word)| format!("{path}:{number}: {word}"))
        .collect()
}

/// The keys of `[dependencies]` and `[build-dependencies]` as written; what tests need is their own affair.
fn dependencies(name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
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
fn proto_is_pure() {
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
    let wrong: Vec<_> = dependencies("proto")
        .into_iter()
        .filter(|key| banned.iter().any(|ban| key.starts_with(ban)))
        .collect();
    none("proto depends on what does I/O", &wrong);
    let words = [
        "tokio",
        "pingora",
        "axum::",
        "std::fs",
        "std::process",
        "std::thread",
        "std::time::Instant",
        "SystemTime",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "std::env",
    ];
    let wrong: Vec<_> = sources("proto/src")
        .iter()
        .flat_map(|source| mentions(source, &words))
        .collect();
    none(
        "proto touches the world (it is pure: text and bytes in, values out)",
        &wrong,
    );
}

/// F-14: a clock that steps takes nothing along.
#[test]
fn only_dates_for_people_and_the_age_of_files_come_from_the_wall_clock() {
    // `clock` gives dates to people and to the ledger; the others write `Date:` and judge how old a file is.
    let allowed = [
        "clock.rs",
        "date.rs",
        "engine/worker.rs",
        "source/file/look.rs",
    ];
    let sources = CRATES
        .iter()
        .flat_map(|name| sources(&format!("{name}/src")));
    let wrong: Vec<_> = sources
        .filter(|source| !source.is_test() && !allowed.iter().any(|end| source.path.ends_with(end)))
        .flat_map(|source| mentions(&source, &["SystemTime"]))
        .collect();
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
        "Instant::now",
        "SystemTime::now",
        "getrandom",
    ];
    let mut wrong = Vec::new();
    for source in product()
        .iter()
        .filter(|source| source.module() == "core" && !source.is_test())
    {
        wrong.extend(mentions(source, &outside));
        for (number, line) in source.code() {
            let paths = line.split("crate::").skip(1);
            let foreign = paths.filter(|path| !path.starts_with("core"));
            wrong.extend(
                foreign.map(|path| format!("{}:{number}: crate::{path}", source.path.display())),
            );
        }
    }
    none(
        "core imports an adapter, or does I/O (it is pure and synchronous; time and randomness are passed in)",
        &wrong,
    );
}

#[test]
fn adapters_do_not_import_each_other() {
    let mut wrong = Vec::new();
    for daemon in DAEMONS {
        for source in sources(&format!("{daemon}/src")) {
            let module = source.module();
            if APP.contains(&module.as_str()) || module == "core" {
                continue;
            }
            for (number, line) in source.code() {
                for path in line.split("crate::").skip(1) {
                    let to: String = path
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    if to != "core" && to != module && !to.is_empty() {
                        wrong.push(format!(
                            "{}:{number}: {module} imports {to}",
                            source.path.display()
                        ));
                    }
                }
            }
        }
    }
    none(
        "adapters import each other (they meet in app, through values or core traits)",
        &wrong,
    );
}

#[test]
fn wire_types_stay_where_they_are_converted() {
    let mut wrong = Vec::new();
    for source in product() {
        let module = source.module();
        let crate_name = source
            .path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let stream = STREAM_ADAPTERS.contains(&module.as_str());
        let storage = STORAGE_ADAPTERS.contains(&module.as_str());
        if crate_name == "proto" && ["convert", "wire"].contains(&module.as_str()) {
            continue;
        }
        let mut words = vec!["wire::resource"];
        if !stream {
            words.push("wire::control");
        }
        if !storage {
            words.push("wire::storage");
        }
        wrong.extend(mentions(&source, &words));
    }
    none(
        "wire types outside of their adapters (proto::convert is the only door)",
        &wrong,
    );
}

#[test]
fn names_say_what_a_thing_is() {
    let mut wrong = Vec::new();
    for source in product().iter().chain(&sources("tests")) {
        let stem = source.path.file_stem().unwrap().to_string_lossy();
        if BAD_NAMES.contains(&stem.as_ref()) || stem == "mod" {
            wrong.push(source.path.display().to_string());
        }
        for name in BAD_NAMES {
            wrong.extend(mentions(
                source,
                &[&format!("mod {name} "), &format!("mod {name};")],
            ));
        }
    }
    none("names that name nothing, or mod.rs", &wrong);
}

#[test]
fn files_are_short_and_begin_by_saying_what_they_are() {
    let mut wrong = Vec::new();
    for source in product().iter().chain(&sources("tests")) {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!(
                "{}: {lines} lines, at most {LONGEST_FILE}",
                source.path.display()
            ));
        }
        let first = source.text.lines().next().unwrap_or_default();
        // A module's `tests.rs` is said by the module.
        if !first.starts_with("//! ") && source.path.file_stem().is_some_and(|stem| stem != "tests")
        {
            wrong.push(format!(
                "{}: does not begin with `//! ` and a sentence",
                source.path.display()
            ));
        }
    }
    none(
        "files that are too long or do not say what they are",
        &wrong,
    );
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let mut wrong = Vec::new();
    let words = ["/wo\u{72}k/", "/root\u{2f}"];
    for source in product().iter().chain(&sources("tests")) {
        let lines = source.text.lines().enumerate();
        let hits = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        wrong.extend(
            hits.map(|(index, line)| format!("{}:{}: {line}", source.path.display(), index + 1)),
        );
    }
    none("paths of one machine", &wrong);
}
