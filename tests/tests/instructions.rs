//! A request costs no more instructions than it did: each part of its pure path stays within 3 % of the kept count.
//!
//! Counts depend on the compiler, the C library and the processor, so they are kept for each such platform, in
//! `tests/instructions/counts.txt`; on another platform they are printed only. `ARALEZ_RENEW=1` writes those of this platform.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aralez_tests::files::workspace;
use tempfile::NamedTempFile;

/// The largest increase over the kept count, in percent.
const TOLERANCE: u64 = 3;

/// Number of runs of each part.
const RUNS: usize = 3;

/// Instructions by part of the path.
type Counts = BTreeMap<String, u64>;

fn kept_file() -> PathBuf {
    workspace().join("tests/instructions/counts.txt")
}

/// Returns the output of a program that must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| {
        panic!("{command:?}: {error}; `make test-deps` installs what the tests need")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// Describes everything that counts depend on besides our code, in one line.
fn platform() -> String {
    let rustc = output(Command::new("rustc").arg("--version"));
    let libc = output(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    // The C library and memchr choose their functions by the processor.
    #[cfg(target_arch = "x86_64")]
    let vectors = if std::is_x86_feature_detected!("avx2") {
        " avx2"
    } else {
        ""
    };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    let (rustc, libc, arch) = (rustc.trim(), libc.trim(), env::consts::ARCH);
    format!("{rustc}, {libc}, {arch}{vectors}")
}

/// The parts of the path, as `aralez-proxy/benches/request_path` names them.
const PARTS: [&str; 5] = ["parse", "decide", "edit", "forward", "exchange"];

/// Builds the program that runs the parts, unless `make test` did, and returns its path.
fn program() -> PathBuf {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let messages = output(
        Command::new(cargo)
            .args(["bench", "--offline", "--locked", "--quiet", "--no-run"])
            .args(["--profile", "instructions", "--message-format", "json"])
            .args(["-p", "aralez-proxy", "--bench", "request_path"])
            .current_dir(workspace()),
    );
    let of_program = |line: &&str| line.contains("benches/request_path");
    let built = messages.lines().rfind(of_program);
    let built: serde_json::Value =
        serde_json::from_str(built.expect("the program is built")).expect("a JSON message");
    let path = built["executable"].as_str();
    path.expect("an executable").into()
}

/// Runs a part under callgrind and returns its instructions.
fn count(program: &Path, part: &str) -> u64 {
    let out = NamedTempFile::new().expect("a temporary file");
    let callgrind = [
        "--tool=callgrind",
        "--collect-atstart=no",
        "--toggle-collect=*counted*",
    ];
    output(
        Command::new("valgrind")
            .args(callgrind)
            .arg(format!("--callgrind-out-file={}", out.path().display()))
            .arg(program)
            .arg(part),
    );
    let profile = fs::read_to_string(out.path()).expect("callgrind wrote its profile");
    let totals = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    totals
        .and_then(|total| total.parse().ok())
        .expect("a total")
}

/// Returns the least of several counts: the hash maps of the table have random seeds, and some seeds have more collisions.
fn least(program: &Path, part: &str) -> u64 {
    let counts = (0..RUNS).map(|_| count(program, part));
    counts.min().expect("there is at least one run")
}

fn measure() -> Counts {
    let program = program();
    let counted = PARTS.map(|part| (part.to_owned(), least(&program, part)));
    counted.into_iter().collect()
}

/// Reads the kept counts: a line for each platform, followed by an indented line for each part.
fn kept() -> BTreeMap<String, Counts> {
    let text = fs::read_to_string(kept_file()).unwrap_or_default();
    let mut kept = BTreeMap::<String, Counts>::new();
    let mut platform = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("  ") {
            None => platform = line.to_owned(),
            Some(entry) => {
                let (name, count) = entry.split_once(": ").expect("a name and a count");
                let count = count.parse().expect("a count");
                let counts = kept.entry(platform.clone()).or_default();
                counts.insert(name.to_owned(), count);
            }
        }
    }
    kept
}

fn keep(all: &BTreeMap<String, Counts>) {
    let mut text = String::new();
    for (platform, counts) in all {
        writeln!(text, "{platform}").expect("writing to a string cannot fail");
        for (name, count) in counts {
            writeln!(text, "  {name}: {count}").expect("writing to a string cannot fail");
        }
    }
    fs::write(kept_file(), text).expect("the file can be written");
}

#[test]
fn a_request_costs_no_more_instructions_than_before() {
    let (platform, counts) = (platform(), measure());
    assert!(counts.values().all(|count| *count > 100), "{counts:?}");
    let mut all = kept();
    if env::var_os("ARALEZ_RENEW").is_some() {
        all.insert(platform, counts);
        return keep(&all);
    }
    let Some(before) = all.get(&platform) else {
        println!("no counts are kept for {platform}: {counts:#?}");
        return;
    };
    let names = |counts: &Counts| counts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(before), names(&counts), "{}", kept_file().display());
    let mut more = Vec::new();
    for (name, count) in &counts {
        println!("{name}: {count} instructions, kept {}", before[name]);
        if count * 100 > before[name] * (100 + TOLERANCE) {
            more.push(format!("{name}: {} before, {count} now", before[name]));
        }
    }
    assert!(
        more.is_empty(),
        "more than {TOLERANCE} % over the kept counts: {more:#?}"
    );
}
