use serde_json::{Value, json};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

fn progress(outcome: &str, nodes: &Value) -> Progress {
    let whole = json!({"version": 1, "revision": 7, "outcome": outcome, "nodes": nodes});
    serde_json::from_value(whole).unwrap()
}

/// Exit code and text after the first decision other than `Wait`; `None` for `Wait`.
fn end(outcome: &str, nodes: &Value, late: bool) -> Option<(Exit, String)> {
    let progress = progress(outcome, nodes);
    match decide(&progress, late) {
        Decision::Wait => None,
        decided => Some(match decided.end(&progress, 7, LIMIT) {
            Ok(()) => (Exit::Done, String::new()),
            Err(failure) => (failure.exit, failure.words),
        }),
    }
}

fn node(name: &str, state: &str) -> Value {
    json!({"node": name, "group": "default", "state": state, "running": null, "faults": []})
}

fn refusing(name: &str) -> Value {
    json!({"node": name, "state": "refused", "running": {"generation": 1, "revision": 6, "root": "ab"},
        "faults": [{"resource": "VirtualHost \"x\"", "field": "max_hosts", "code": "limit", "reason": "3 hosts, this node takes 2"}]})
}

#[test]
fn every_node_running_it_is_done() {
    let nodes = json!([node("a", "applied"), node("b", "applied")]);
    assert_eq!(end("proven", &nodes, false).unwrap().0, Exit::Done);
    assert_eq!(end("proven", &nodes, true).unwrap().0, Exit::Done);
}

#[test]
fn nodes_away_since_before_are_not_awaited() {
    let nodes = json!([node("a", "applied"), node("b", "away")]);
    assert_eq!(end("proven", &nodes, false).unwrap().0, Exit::Done);
}

#[test]
fn a_refusal_ends_it_at_once_and_names_node_resource_field_and_reason() {
    let nodes = json!([node("a", "pending"), refusing("b")]);
    let (exit, words) = end("pending", &nodes, false).unwrap();
    assert_eq!(exit, Exit::NodeRefused);
    assert_eq!(
        words,
        "node b refuses revision 7: VirtualHost \"x\" max_hosts: 3 hosts, this node takes 2"
    );
}

#[test]
fn a_refusal_beats_a_lost_node_and_the_time() {
    let nodes = json!([node("a", "lost"), refusing("b")]);
    for outcome in ["pending", "refused", "unproven", "proven"] {
        assert_eq!(
            end(outcome, &nodes, true).unwrap().0,
            Exit::NodeRefused,
            "{outcome}"
        );
    }
}

#[test]
fn what_is_open_is_awaited_until_the_time_is_over() {
    let nodes = json!([
        node("a", "applied"),
        node("b", "pending"),
        node("c", "lost")
    ]);
    assert_eq!(end("pending", &nodes, false), None);
    let (exit, words) = end("pending", &nodes, true).unwrap();
    assert_eq!(exit, Exit::Unproven);
    assert!(
        words.contains("node b has not reported yet") && words.contains("node c is lost"),
        "{words}"
    );
    assert!(!words.contains("node a"), "{words}");
}

#[test]
fn control_may_say_early_that_it_will_not_be_proven() {
    let nodes = json!([node("a", "lost")]);
    assert_eq!(end("unproven", &nodes, false).unwrap().0, Exit::Unproven);
}

#[test]
fn no_node_at_all_proves_nothing() {
    for nodes in [json!([]), json!([node("a", "away")])] {
        for outcome in ["proven", "unproven"] {
            let (exit, words) = end(outcome, &nodes, false).unwrap();
            assert_eq!(exit, Exit::Unproven);
            assert!(words.contains("no node is connected"), "{words}");
        }
    }
    let (_, words) = end("unproven", &json!([node("edge-7", "away")]), false).unwrap();
    assert!(words.contains("edge-7"), "{words}");
}

#[test]
fn a_node_that_a_restarted_control_has_not_seen_yet_is_still_waited_for() {
    let before = progress(
        "pending",
        &json!([
            node("a", "applied"),
            node("b", "pending"),
            node("c", "away")
        ]),
    );
    let nobody = progress("unproven", &json!([])).after(&before);
    assert_eq!(decide(&nobody, false), Decision::Wait);
    assert_eq!(decide(&nobody, true), Decision::Unproven);
    let first = progress("proven", &json!([node("a", "applied")])).after(&nobody);
    assert_eq!(decide(&first, false), Decision::Wait);
    let both = json!([node("a", "applied"), node("b", "applied")]);
    let both = progress("proven", &both).after(&first);
    assert_eq!(decide(&both, false), Decision::Proven);
    let refused = progress("refused", &json!([refusing("a")])).after(&first);
    assert_eq!(decide(&refused, false), Decision::Refused);
}
