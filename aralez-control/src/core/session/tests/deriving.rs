//! Derivations for a node that refuses the newest view.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::snapshot::SharedSnapshot;

use super::*;

/// A view that nodes refuse for one of its hosts, with the endpoints of the other.
fn bad(revision: u64, ports: &[u16]) -> SharedSnapshot {
    snapshot(
        revision,
        &spec(&[("a.example", 1, ports), ("b.example", 13, &[1])]),
    )
}

/// The view that nodes run when it arrives.
fn runs() -> SharedSnapshot {
    snapshot(5, &spec(&[("a.example", 1, &[1, 2])]))
}

/// A node that has just refused revision 6 with these faults.
fn refusing(hello: Hello, faults: Vec<Fault>, now: Instant) -> (Session, Arc<Recent>) {
    let before = recent(&runs());
    let mut session = open(hello, &before, now).session;
    let after = Arc::new(before.followed_by(&bad(6, &[1, 2])).unwrap());
    let actions = session.handle(Event::View(Arc::clone(&after)), now);
    let nack = Event::Nack {
        update_id: sent(&actions).id,
        kept: Some(runs().version()),
        faults,
    };
    handled(&mut session, nack, now);
    (session, after)
}

fn node(now: Instant) -> (Session, Arc<Recent>) {
    let faults = vec![fault_of_host("b.example")];
    refusing(hello(Some(runs().version())), faults, now)
}

/// Sends a view to the session and returns its actions; derivations stay outstanding.
fn look(session: &mut Session, recent: &mut Arc<Recent>, view: &SharedSnapshot) -> Vec<Action> {
    *recent = Arc::new(recent.followed_by(view).unwrap());
    session.handle(Event::View(Arc::clone(recent)), Instant::now())
}

#[track_caller]
fn wanted(actions: &[Action]) -> Derivation {
    match actions {
        [Action::Derive(needed)] => needed.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nodes_that_refuse_the_same_want_the_same_made_and_others_do_not() {
    let now = Instant::now();
    let key = |greeting: Hello, faults: Vec<Fault>| {
        let (mut session, mut recent) = refusing(greeting, faults, now);
        wanted(&look(&mut session, &mut recent, &bad(6, &[2]))).key()
    };
    let held = || hello(Some(runs().version()));
    let of_host = |reason: &str| Fault::of(&host_key("b.example"), FaultCode::Invalid, "x", reason);
    let plain = key(held(), vec![of_host("one")]);
    assert_eq!(plain, key(held(), vec![of_host("in other words")]));
    let also = Fault::of(&host_key("a.example"), FaultCode::Invalid, "x", "nor here");
    let both = key(held(), vec![of_host("one"), also.clone()]);
    assert_ne!(plain, both);
    assert_eq!(both, key(held(), vec![also, of_host("one")]));
    let small = Hello {
        limits: Limits {
            max_endpoints: Some(3),
            ..Limits::default()
        },
        ..held()
    };
    assert_ne!(plain, key(small, vec![of_host("one")]));
}

#[test]
fn heartbeats_go_on_while_it_is_made_and_it_is_wanted_and_sent_once() {
    let now = Instant::now();
    let (mut session, mut recent) = node(now);
    let needed = wanted(&look(&mut session, &mut recent, &bad(6, &[2])));
    let mut later = now;
    for _ in 0..4 {
        later += Pace::default().heartbeat;
        session.handle(Event::Status(NodeStatus::default()), later);
        let actions = session.handle(Event::Tick, later);
        let [Action::Heartbeat { expected, .. }] = actions[..] else {
            panic!("{actions:?}");
        };
        assert_eq!(expected, Some(runs().version()));
    }
    let actions = session.handle(derived(&needed), later);
    let update = sent(&actions).clone();
    let expected = snapshot(5, &spec(&[("a.example", 1, &[2])]));
    assert_eq!(update.to.version(), expected.version());
    assert!(session.handle(derived(&needed), later).is_empty());
    assert!(session.handle(ack(&update), later).is_empty());
    assert!(session.handle(derived(&needed), later).is_empty());
}

#[test]
fn a_newer_view_that_is_not_refused_is_sent_at_once_and_what_was_made_before_is_not() {
    let now = Instant::now();
    let (mut session, mut recent) = node(now);
    let needed = wanted(&look(&mut session, &mut recent, &bad(6, &[2])));
    let mended = snapshot(7, &spec(&[("a.example", 1, &[2])]));
    let actions = look(&mut session, &mut recent, &mended);
    let update = sent(&actions).clone();
    assert_eq!(update.to.version(), mended.version());
    assert!(session.handle(derived(&needed), now).is_empty());
    assert!(session.handle(ack(&update), now).is_empty());
    assert!(session.handle(derived(&needed), now).is_empty());
}

#[test]
fn a_newer_view_replaces_what_is_waited_for() {
    let now = Instant::now();
    let (mut session, mut recent) = node(now);
    let first = wanted(&look(&mut session, &mut recent, &bad(6, &[2])));
    assert!(look(&mut session, &mut recent, &bad(6, &[3])).is_empty());
    assert!(look(&mut session, &mut recent, &bad(6, &[4])).is_empty());
    let second = wanted(&session.handle(derived(&first), now));
    assert!(
        session.handle(derived(&first), now).is_empty(),
        "it was told before"
    );
    let actions = session.handle(derived(&second), now);
    let newest = snapshot(5, &spec(&[("a.example", 1, &[4])]));
    assert_eq!(sent(&actions).to.version(), newest.version());
}

#[test]
fn where_views_come_faster_than_anything_is_made_the_node_gets_on_all_the_same() {
    let now = Instant::now();
    let (mut session, mut recent) = node(now);
    let mut needed = wanted(&look(&mut session, &mut recent, &bad(6, &[10])));
    let mut updates = 0;
    for port in 11..30 {
        assert!(look(&mut session, &mut recent, &bad(6, &[port])).is_empty());
        let actions = session.handle(derived(&needed), now);
        needed = match &actions[..] {
            [Action::Send(update)] => {
                updates += 1;
                // The result before it was outdated.
                wanted(&session.handle(ack(update), now))
            }
            other => wanted(other),
        };
    }
    assert!(updates >= 9, "{updates}");
    let actions = session.handle(derived(&needed), now);
    let update = match &actions[..] {
        [Action::Send(update)] => update.clone(),
        other => sent(&session.handle(derived(&wanted(other)), now)).clone(),
    };
    let newest = snapshot(5, &spec(&[("a.example", 1, &[29])]));
    assert_eq!(update.to.version().root, newest.version().root);
}

#[test]
fn an_operator_who_has_it_tried_again_need_not_wait_for_what_is_being_made() {
    let now = Instant::now();
    let (mut session, mut recent) = node(now);
    let newest = bad(6, &[2]);
    let needed = wanted(&look(&mut session, &mut recent, &newest));
    let actions = session.handle(Event::Retry, now);
    assert_eq!(sent(&actions).to.version(), newest.version());
    assert!(session.handle(derived(&needed), now).is_empty());
}

#[test]
fn a_node_that_runs_the_newest_endpoints_loses_none_when_its_view_was_made_again_with_others() {
    let made_again = snapshot(5, &spec(&[("a.example", 1, &[4])]));
    let needed = Derivation::new(
        made_again,
        bad(6, &[1, 2]),
        runs().version(),
        (Refusals::default(), Limits::default()),
    );
    assert!(needed.derive().is_none());
}
