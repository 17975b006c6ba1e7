//! Every fault of a pushed document is answered with its place, its reason and the nearest valid alternative, and changes nothing.

use aralez_tests::stage::UnchangedStage;

async fn push(stage: &UnchangedStage, text: &str) -> (u16, String) {
    let response = stage.fleet.push(text).await;
    (response.status, response.text())
}

/// A document, and the parts that the answer to it must contain.
type Faulty = (String, Vec<&'static str>);

fn route(lines: &str) -> String {
    format!("x.test:\n  paths:\n    \"/\":\n{lines}")
}

fn with_server(server: &str) -> String {
    route(&format!("      servers: [{server}]\n"))
}

const GOOD: &str = "      servers: [\"127.0.0.1:8000\"]\n";

fn keys() -> Vec<Faulty> {
    let global = |line: &str| format!("{line}\n{}", route(GOOD));
    vec![
        (
            global("to_htps: true"),
            vec!["upstreams.yaml:1:1", "to_htps", "to_https"],
        ),
        (
            route(&format!("      rate_limt: 3\n{GOOD}")),
            vec!["upstreams.yaml:4:", "rate_limt", "rate_limit"],
        ),
        (
            route("      servers: 7\n"),
            vec!["upstreams.yaml:4:", "servers"],
        ),
        (
            route(&format!("      to_https: 17\n{GOOD}")),
            vec!["upstreams.yaml:4:", "to_https"],
        ),
        (
            route("      to_https: false\n"),
            vec!["upstreams.yaml:", "servers"],
        ),
        (
            global("sticky_sessions: true"),
            vec!["upstreams.yaml:1:", "sticky_sessions"],
        ),
        (
            global("provider: zookeeper"),
            vec!["upstreams.yaml:1:", "provider", "zookeeper"],
        ),
        ("- a\n- b\n".to_owned(), vec!["upstreams.yaml:1:"]),
        ("x.test: [unclosed\n".to_owned(), vec!["upstreams.yaml:"]),
        (
            "x.test:\n\tpaths: 1\n".to_owned(),
            vec!["upstreams.yaml:2:"],
        ),
    ]
}

fn duplicates() -> Vec<Faulty> {
    let hosts = |a: &str, b: &str| {
        format!("{a}:\n  paths:\n    \"/\":\n{GOOD}{b}:\n  paths:\n    \"/\":\n{GOOD}")
    };
    let paths =
        |a: &str, b: &str| format!("x.test:\n  paths:\n    \"{a}\":\n{GOOD}    \"{b}\":\n{GOOD}");
    vec![
        (
            hosts("x.test", "x.test"),
            vec!["upstreams.yaml:5:", "x.test", "1"],
        ),
        (
            hosts("x.test", "X.Test."),
            vec!["upstreams.yaml:5:", "x.test", "1"],
        ),
        (
            hosts("bücher.test", "xn--bcher-kva.test"),
            vec!["upstreams.yaml:5:", "1"],
        ),
        (paths("/p", "/p"), vec!["upstreams.yaml:5:", "/p"]),
        (paths("/p", "/p/"), vec!["upstreams.yaml:5:", "/p"]),
        (paths("/p", "//q/../p"), vec!["upstreams.yaml:5:", "/p"]),
    ]
}

fn endpoints() -> Vec<Faulty> {
    let cases = [
        "\"127.0.0.1:0\"",
        "\"127.0.0.1:70000\"",
        "\"127.0.0.1\"",
        "\"[::1]\"",
    ];
    let mut faulty: Vec<_> = cases
        .into_iter()
        .map(|server| (with_server(server), vec!["upstreams.yaml:4:", "port"]))
        .collect();
    faulty.push((with_server(""), vec!["upstreams.yaml:4:", "servers"]));
    faulty.push((
        with_server("\"not an address:80\""),
        vec!["upstreams.yaml:4:"],
    ));
    faulty
}

#[tokio::test]
async fn each_fault_is_answered_with_its_place_and_changes_nothing() {
    let stage = UnchangedStage::new().await;
    let mut missing = Vec::new();
    for (text, parts) in [keys(), duplicates(), endpoints()].into_iter().flatten() {
        let (status, answer) = push(&stage, &text).await;
        let (first, faults) = answer.split_once('\n').unwrap_or_default();
        if (status, first) != (502, "Failed to parse config!") {
            missing.push(format!("{text:?}: {status} {answer:?}"));
        }
        let lacking = parts.into_iter().filter(|part| !faults.contains(part));
        missing.extend(lacking.map(|part| format!("{text:?}: {part:?} is not in {faults:?}")));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    stage.nothing_changed().await;
}

#[tokio::test]
async fn every_fault_of_a_document_comes_at_once() {
    let stage = UnchangedStage::new().await;
    let lines =
        "      servers: [\"127.0.0.1:0\", \"127.0.0.1:1\", \"nope\"]\n      to_https: maybe\n";
    let (_, answer) = push(&stage, &format!("bogus: 1\n{}", route(lines))).await;
    for part in [
        "upstreams.yaml:1:1",
        "upstreams.yaml:5:",
        "upstreams.yaml:6:",
        "bogus",
        "to_https",
    ] {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
    assert!(answer.lines().count() >= 5, "{answer}");
    stage.nothing_changed().await;
}
