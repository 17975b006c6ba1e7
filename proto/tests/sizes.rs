//! Size and encoding: a large document is read fast, and bytes that are not text are refused.

use std::time::Duration;

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::main_config;

/// Returns the CPU time of this thread, which does not include other work on the machine.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("no schedstat");
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    Duration::from_nanos(nanos.expect("no number"))
}

#[test]
fn text_that_is_no_text_is_refused_with_its_place() {
    let refused = |text: &[u8]| {
        main_config::read("f", text)
            .expect_err("not refused")
            .to_string()
    };
    assert_eq!(
        refused(b"a: 1\nb: \xff\n"),
        "f:2:4: is not UTF-8: byte 8 is 0xff"
    );
    assert_eq!(
        refused(b"a: \0\n"),
        "f:1:4: byte 3 is the control byte 0x00"
    );
    assert_eq!(
        refused(b"\xff\xfea\0"),
        "f:1:1: is UTF-16; save it as UTF-8"
    );
    let large = vec![b'#'; (64 << 20) + 1];
    assert_eq!(
        refused(&large),
        "f:1:1: has 67108865 bytes; the maximum is 64 MiB"
    );
}

#[test]
fn a_large_document_reads_in_a_moment() {
    let mut text = String::new();
    for host in 0..10_000 {
        text.push_str(&format!("host{host}.example.com:\n  paths:\n"));
        for path in 0..5 {
            text.push_str(&format!(
                "    \"/some/path/{path}\":\n      to_https: false\n      headers:\n        - \"X-Some-Thing:Yaaaaaaaaaaaa\"\n        - \"X-Proxy-From:Hopaaaaaaaaaaaar\"\n      servers:\n        - \"10.0.0.1:8000\"\n        - \"10.0.0.2:8000\"\n"
            ));
        }
    }
    let set = DocumentSet::of_main(text.into());
    let started = spent();
    let authored = document::read(&set, &Surroundings::default()).expect("faults");
    let took = spent() - started;
    println!(
        "{} bytes: {took:?}",
        set.documents()["upstreams.yaml"].len()
    );
    assert_eq!(authored.hosts.len(), 10_000);
    assert!(took < Duration::from_secs(3), "CPU time {took:?}");
}
