//! Progress of the open nodes only. While a push waits, control is asked for the nodes that do not run it yet: in a large fleet the others
//! would make up most of the answer. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Completes an answer that lists only the open nodes: known nodes that it does not list run the revision by now. `None` if their number
/// differs from the one control counts, because a node is new or control has forgotten one; then all nodes must be requested.
pub(super) fn filled(mut open: Value, before: &Value) -> Option<Value> {
    let counts = &open["counts"];
    let run = counts["applied"].as_u64()? + counts["superseded"].as_u64()?;
    let listed = open["nodes"].as_array()?;
    let names: BTreeSet<&str> = listed.iter().map(name).collect();
    let others = before["nodes"].as_array()?.iter();
    let others = others.filter(|node| !names.contains(name(node)));
    let others: Vec<Value> = others.cloned().map(running_it).collect();
    if others.len() as u64 != run {
        return None;
    }
    let mut nodes: Vec<Value> = listed.iter().cloned().chain(others).collect();
    nodes.sort_by(|one, other| name(one).cmp(name(other)));
    open["nodes"] = nodes.into();
    Some(open)
}

fn name(node: &Value) -> &str {
    node["node"].as_str().unwrap_or_default()
}

fn running_it(mut node: Value) -> Value {
    let state = node["state"].as_str();
    if !state.is_some_and(|state| ["applied", "superseded"].contains(&state)) {
        node["state"] = json!("applied");
        // Known again after the next answer that lists all nodes.
        node["running"] = Value::Null;
        node["faults"] = json!([]);
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, state: &str) -> Value {
        json!({"node": name, "state": state, "running": {"revision": 6}, "faults": []})
    }

    fn open(applied: u64, nodes: &[Value]) -> Value {
        json!({"outcome": "pending", "counts": {"applied": applied, "superseded": 0}, "nodes": nodes})
    }

    #[test]
    fn nodes_that_are_no_longer_open_run_it() {
        let before =
            json!({"nodes": [node("a", "pending"), node("b", "applied"), node("c", "pending")]});
        let now = filled(open(2, &[node("c", "refused")]), &before).unwrap();
        let states: Vec<_> = now["nodes"].as_array().unwrap().iter().collect();
        let states = states
            .iter()
            .map(|node| (name(node), node["state"].as_str().unwrap()));
        let expected = [("a", "applied"), ("b", "applied"), ("c", "refused")];
        assert_eq!(states.collect::<Vec<_>>(), expected);
        assert_eq!(now["nodes"][0]["running"], Value::Null);
        assert_eq!(now["nodes"][1]["running"]["revision"], 6);
    }

    #[test]
    fn where_control_counts_others_than_were_heard_of_all_are_asked_for() {
        let before = json!({"nodes": [node("a", "pending"), node("b", "pending")]});
        assert!(filled(open(2, &[node("b", "pending")]), &before).is_none());
        assert!(filled(open(1, &[]), &before).is_none());
        assert!(filled(open(2, &[]), &before).is_some());
        assert!(
            filled(json!({"nodes": []}), &before).is_none(),
            "an older control"
        );
    }
}
