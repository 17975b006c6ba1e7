//! A node's refusals between two of its streams.

use super::refusing::{limited, refusing};
use super::*;

#[test]
fn what_a_node_tells_again_is_still_known_by_its_records_when_its_content_is_long_gone() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = snapshot(2, &spec(&[("a.example", 1, &[1]), ("b.example", 13, &[1])]));
    let faults = vec![fault_of_host("b.example")];
    let refused = refusing_for(bad.version(), faults.clone());
    let (session, _) = refusing(hello(Some(runs.version())), &runs, &bad, faults, now);
    // Another control, or this one after a restart, does not have the refused content. The same host is part of another configuration.
    let other = snapshot(3, &spec(&[("a.example", 2, &[1]), ("b.example", 13, &[1])]));
    let greeting = Hello {
        refused: vec![refused],
        ..hello(Some(runs.version()))
    };
    let (memory, pace) = (Some(session.memory()), Pace::default());
    let opened = Session::open(greeting, &CLUSTER, memory, recent(&other), pace, now).unwrap();
    assert!(
        !opened
            .actions
            .iter()
            .any(|action| matches!(action, Action::Send(_)))
    );
}

#[test]
fn a_refusal_outlives_the_stream_unless_the_node_became_another() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let two = snapshot(2, &spec(&[("a.example", 1, &[1]), ("b.example", 1, &[1])]));
    let fault = Fault::of(&host_key("b.example"), FaultCode::Limit, "max_hosts", "2");
    let (session, recent) = refusing(limited(&runs, 1), &runs, &two, vec![fault], now);
    let reopen = |hello: Hello| {
        let (memory, pace) = (Some(session.memory()), Pace::default());
        Session::open(hello, &CLUSTER, memory, Arc::clone(&recent), pace, now).unwrap()
    };
    let mut same = reopen(limited(&runs, 1));
    assert!(made(&mut same.session, same.actions, now).is_empty());
    let raised = reopen(limited(&runs, 5));
    assert_eq!(sent(&raised.actions).to.version(), two.version());
}
