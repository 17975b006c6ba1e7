//! Hostile texts, which try to cost more than their size: each is refused with a clear reason in under a second of CPU time and within
//! 100 MB of memory, the text itself included. One test, since the kernel reports peak memory per process.

use std::time::Duration;

use aralez_proto::document::{self, DocumentSet, Surroundings};

/// Returns a number of this process's status, in kB: `VmRSS` is its memory, `VmHWM` the peak since [`forget_peak`].
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("no status");
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|kb| kb.parse().ok()).expect("no number")
}

/// Returns the CPU time of this thread, which does not include other work on the machine.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("no schedstat");
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    Duration::from_nanos(nanos.expect("no number"))
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("cannot reset the peak");
}

/// A name, a text, and words that the refusal must contain.
type Case = (&'static str, fn() -> Vec<u8>, &'static str);

const SIZE: usize = 64 << 20;

fn filled(head: &str, pattern: &str) -> Vec<u8> {
    let mut text = head.as_bytes().to_vec();
    text.reserve_exact(SIZE - text.len());
    while text.len() + pattern.len() <= SIZE {
        text.extend_from_slice(pattern.as_bytes());
    }
    text
}

fn alias_bomb() -> Vec<u8> {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text.into_bytes()
}

fn merge_bomb() -> Vec<u8> {
    let keys = |n: usize| format!("  k{n}: 1\n");
    let mut text = format!("a: &a\n{}", (0..1_000).map(keys).collect::<String>());
    (0..2_000).for_each(|n| text.push_str(&format!("m{n}: {{<<: *a}}\n")));
    text.into_bytes()
}

fn numbered(count: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    (0..count).map(line).collect::<String>().into_bytes()
}

const TOO_LONG: &str = "longer than 120 KiB";

const CASES: [Case; 22] = [
    ("a list of 64 MiB", || filled("", "- a\n"), "values"),
    (
        "a map of 64 MiB",
        || numbered(5_000_000, |n| format!("k{n}: 1\n")),
        "values",
    ),
    ("1e5 brackets", || vec![b'['; 100_000], ""),
    ("1e5 braces", || "{a: ".repeat(100_000).into_bytes(), ""),
    (
        "1e5 dashes",
        || "- ".repeat(100_000).into_bytes(),
        "nested deeper than 64",
    ),
    (
        "1e5 question marks",
        || "? ".repeat(100_000).into_bytes(),
        "",
    ),
    (
        "indentation",
        || numbered(3_000, |n| format!("{}a:\n", " ".repeat(n))),
        "nested deeper than 64",
    ),
    ("alias bomb", alias_bomb, "values"),
    (
        "alias in itself",
        || b"a: &a [*a]\n".to_vec(),
        "refers to a value that contains it",
    ),
    ("merge bomb", merge_bomb, "values"),
    (
        "merges of merges",
        || b"a: &a {x: 1}\nb: &b {<<: *a}\nc: {<<: *b}\n".to_vec(),
        "one level deep",
    ),
    (
        "empty documents of 64 MiB",
        || filled("", "---\n"),
        "empty documents",
    ),
    (
        "1e6 keys",
        || numbered(1_000_000, |n| format!("k{n}: 1\n")),
        "values",
    ),
    (
        "3e5 unknown keys",
        || numbered(300_000, |n| format!("k{n}: 1\n")),
        "299000 more faults",
    ),
    ("brackets of 64 MiB", || filled("[", "a,"), TOO_LONG),
    (
        "brackets of 64 MiB in lines",
        || filled("[", "a,\n "),
        TOO_LONG,
    ),
    (
        "a quoted text of 64 MiB",
        || filled("a: \"", "aaaaaaaaaaaaaaa "),
        TOO_LONG,
    ),
    (
        "a plain text of 64 MiB",
        || filled("a: ", "aaaaaaaaaaaaaaaa"),
        TOO_LONG,
    ),
    (
        "a block text of 64 MiB",
        || filled("a: |\n", " aaaaaaaaaaaaaa\n"),
        TOO_LONG,
    ),
    (
        "1e5 anchors",
        || numbered(100_000, |n| format!("- &a{n} x\n")),
        "anchor",
    ),
    (
        "3e5 headers in a list",
        || {
            [
                b"headers:\n".to_vec(),
                numbered(300_000, |n| format!("- X-{n}:1\n")),
            ]
            .concat()
        },
        "more than 256 header edits",
    ),
    (
        "3e5 headers in a map",
        || {
            let head = b"server_headers:\n  set:\n".to_vec();
            [head, numbered(300_000, |n| format!("    X-{n}: 1\n"))].concat()
        },
        "more than 256 header edits",
    ),
];

#[test]
fn no_text_costs_more_than_it_weighs() {
    for (name, text, reason) in CASES {
        let set = DocumentSet::of_main(text().into());
        forget_peak();
        let before = memory("VmRSS");
        let started = spent();
        let faults = document::read(&set, &Surroundings::default()).expect_err(name);
        let (took, more) = (spent() - started, memory("VmHWM") - before);
        println!("{name}: {took:?}, {more} kB: {faults:.200}");
        assert!(faults.to_string().contains(reason), "{name}: {faults}");
        // Well below 1 s if nothing else runs; other tests share the processor.
        assert!(took < Duration::from_secs(2), "{name}: CPU time {took:?}");
        assert!(more + (SIZE as u64 >> 10) < 100_000, "{name}: +{more} kB");
    }
}
