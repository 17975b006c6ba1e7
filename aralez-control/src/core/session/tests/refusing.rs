//! Refused content is not sent again, and does not hold up anything else.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::record::{RecordKey, ResourceType};
use aralez_proto::snapshot::{Limits, SharedSnapshot};

use aralez_proto::content::Content;

use super::*;

/// A session whose node runs `runs` and has just refused `refused`.
pub(super) fn refusing(
    hello: Hello,
    runs: &SharedSnapshot,
    refused: &SharedSnapshot,
    faults: Vec<Fault>,
    now: Instant,
) -> (Session, Arc<Recent>) {
    let before = recent(runs);
    let mut session = open(hello, &before, now).session;
    let after = Arc::new(before.followed_by(refused).unwrap());
    let actions = session.handle(Event::View(Arc::clone(&after)), now);
    let nack = Event::Nack {
        update_id: sent(&actions).id,
        kept: Some(runs.version()),
        faults,
    };
    let actions = handled(&mut session, nack, now);
    assert!(
        matches!(actions[..], [Action::Refused { .. }]),
        "{actions:?}"
    );
    (session, after)
}

fn look(session: &mut Session, recent: &mut Arc<Recent>, view: &SharedSnapshot) -> Vec<Action> {
    *recent = Arc::new(recent.followed_by(view).unwrap());
    handled(session, Event::View(Arc::clone(recent)), Instant::now())
}

#[test]
fn refused_content_is_sent_again_only_when_it_changed() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = snapshot(2, &spec(&[("a.example", 1, &[1]), ("b.example", 13, &[1])]));
    let faults = vec![fault_of_host("b.example")];
    let (mut session, mut recent) = refusing(hello(Some(runs.version())), &runs, &bad, faults, now);
    let state = session.state();
    assert_eq!(state.running, Some(runs.version()));
    assert_eq!(
        state.refused.unwrap().content,
        Content::Authored(bad.version().authored_root)
    );
    assert_eq!(session.expected(), Some(runs.version()));

    let other = snapshot(3, &spec(&[("a.example", 2, &[1]), ("b.example", 13, &[1])]));
    assert!(look(&mut session, &mut recent, &other).is_empty());
    let mended = snapshot(4, &spec(&[("a.example", 2, &[1]), ("b.example", 14, &[1])]));
    let actions = look(&mut session, &mut recent, &mended);
    assert_eq!(sent(&actions).to.version(), mended.version());
    assert_eq!(session.state().refused, None);
}

#[test]
fn content_that_comes_back_is_still_refused() {
    let now = Instant::now();
    let good = spec(&[("a.example", 1, &[1])]);
    let runs = snapshot(1, &good);
    let bad = spec(&[("a.example", 13, &[1])]);
    let (mut session, mut recent) = refusing(
        hello(Some(runs.version())),
        &runs,
        &snapshot(2, &bad),
        vec![fault_of_host("a.example")],
        now,
    );
    let actions = look(&mut session, &mut recent, &snapshot(3, &good));
    let update = sent(&actions).clone();
    assert!(handled(&mut session, ack(&update), now).is_empty());
    assert!(look(&mut session, &mut recent, &snapshot(4, &bad)).is_empty());
    assert!(session.state().refused.is_some());
}

#[test]
fn endpoints_go_on_while_the_rest_is_refused() {
    let now = Instant::now();
    let runs = snapshot(
        5,
        &spec(&[("a.example", 1, &[1, 2]), ("gone.example", 1, &[7])]),
    );
    let bad = snapshot(
        6,
        &spec(&[("a.example", 1, &[1, 2]), ("b.example", 13, &[1])]),
    );
    let faults = vec![fault_of_host("b.example")];
    let (mut session, mut recent) = refusing(hello(Some(runs.version())), &runs, &bad, faults, now);

    let moved = snapshot(
        6,
        &spec(&[("a.example", 1, &[2, 3]), ("b.example", 13, &[1])]),
    );
    let actions = look(&mut session, &mut recent, &moved);
    let update = sent(&actions).clone();
    let expected = spec(&[("a.example", 1, &[2, 3]), ("gone.example", 1, &[7])]);
    assert_eq!(
        update.to.version().root,
        snapshot(5, &expected).version().root
    );
    assert_eq!(
        update.to.version().revision,
        5,
        "it keeps the revision of its configuration"
    );
    assert!(handled(&mut session, ack(&update), now).is_empty());
    assert!(session.state().refused.is_some());
}

/// Control after a restart: it knows the newest view, which the node refused, but not what the node runs.
fn after_a_restart(runs: &SharedSnapshot, newest: &SharedSnapshot) -> (Session, Arc<Recent>) {
    let recent = recent(newest);
    let refused = refusing_for(newest.version(), vec![fault_of_host("b.example")]);
    let greeting = Hello {
        refused: vec![refused],
        ..hello(Some(runs.version()))
    };
    let opened = open(greeting, &recent, Instant::now());
    let asked = Action::Recall(runs.version());
    assert_eq!(format!("{:?}", opened.actions), format!("{:?}", [asked]));
    assert_eq!(opened.expected, Some(runs.version()));
    (opened.session, recent)
}

#[test]
fn endpoints_go_on_after_a_restart_of_control_too() {
    let now = Instant::now();
    let runs = snapshot(5, &spec(&[("a.example", 1, &[1, 2])]));
    let newest = |ports| {
        snapshot(
            6,
            &spec(&[("a.example", 1, ports), ("b.example", 13, &[1])]),
        )
    };
    let (mut session, mut recent) = after_a_restart(&runs, &newest(&[1, 2]));
    assert!(
        look(&mut session, &mut recent, &newest(&[2])).is_empty(),
        "asked once"
    );
    let actions = handled(&mut session, Event::Recalled(Arc::clone(&runs)), now);
    let update = sent(&actions).clone();
    assert_eq!(update.from.version(), Some(runs.version()));
    let expected = snapshot(5, &spec(&[("a.example", 1, &[2])]));
    assert_eq!(update.to.version(), expected.version());
    assert!(handled(&mut session, ack(&update), now).is_empty());
    let actions = look(&mut session, &mut recent, &newest(&[3]));
    assert_eq!(sent(&actions).from.version(), Some(expected.version()));
}

#[test]
fn endpoints_that_changed_while_control_was_gone_are_made_up_for() {
    let now = Instant::now();
    let runs = snapshot(5, &spec(&[("a.example", 1, &[1, 2])]));
    let own = snapshot(5, &spec(&[("a.example", 1, &[2, 3])]));
    let newest = snapshot(
        6,
        &spec(&[("a.example", 1, &[2, 3]), ("b.example", 13, &[1])]),
    );
    let (mut session, _) = after_a_restart(&runs, &newest);
    let actions = handled(&mut session, Event::Recalled(Arc::clone(&own)), now);
    let [Action::AskDigest { question }] = actions[..] else {
        panic!("{actions:?}");
    };
    let actions = session.handle(digest(question, &runs), now);
    let [Action::AskDetail { ref buckets, .. }] = actions[..] else {
        panic!("{actions:?}");
    };
    let actions = session.handle(detail(question, &runs, buckets), now);
    let update = sent(&actions).clone();
    assert_eq!(update.to.version(), own.version());
    assert!(handled(&mut session, ack(&update), now).is_empty());
    assert_eq!(session.state().running, Some(own.version()));
    assert!(session.state().refused.is_some());
}

#[test]
fn a_view_of_another_revision_than_the_node_runs_is_of_no_use() {
    let now = Instant::now();
    let runs = snapshot(5, &spec(&[("a.example", 1, &[1, 2])]));
    let other = snapshot(4, &spec(&[("a.example", 1, &[1])]));
    let newest = snapshot(6, &spec(&[("a.example", 1, &[2]), ("b.example", 13, &[1])]));
    let (mut session, _) = after_a_restart(&runs, &newest);
    assert!(session.handle(Event::Recalled(other), now).is_empty());
    let actions = handled(&mut session, Event::Recalled(Arc::clone(&runs)), now);
    assert_eq!(sent(&actions).from.version(), Some(runs.version()));
    assert!(
        session.handle(Event::Recalled(runs), now).is_empty(),
        "it is known by then"
    );
}

#[test]
fn an_operator_can_have_it_tried_again() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = snapshot(2, &spec(&[("a.example", 13, &[1])]));
    let faults = vec![fault_of_host("a.example")];
    let (mut session, _) = refusing(hello(Some(runs.version())), &runs, &bad, faults, now);
    let actions = session.handle(Event::Retry, now);
    assert_eq!(sent(&actions).to.version(), bad.version());
}

pub(super) fn limited(held: &SharedSnapshot, max_hosts: u64) -> Hello {
    Hello {
        limits: Limits {
            max_hosts: Some(max_hosts),
            ..Limits::default()
        },
        ..hello(Some(held.version()))
    }
}

#[test]
fn a_limit_holds_until_the_view_fits() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let two = snapshot(2, &spec(&[("a.example", 1, &[1]), ("b.example", 1, &[1])]));
    let fault = Fault::of(&host_key("b.example"), FaultCode::Limit, "max_hosts", "2");
    let (mut session, mut recent) = refusing(limited(&runs, 1), &runs, &two, vec![fault], now);
    // The resource named by the fault may change or disappear: only the count matters.
    let also_two = snapshot(3, &spec(&[("a.example", 1, &[1]), ("c.example", 9, &[1])]));
    assert!(look(&mut session, &mut recent, &also_two).is_empty());
    let one = snapshot(4, &spec(&[("c.example", 9, &[1])]));
    let actions = look(&mut session, &mut recent, &one);
    assert_eq!(sent(&actions).to.version(), one.version());
}

#[test]
fn a_limit_that_control_does_not_see_holds_until_the_keys_change() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let two = snapshot(2, &spec(&[("a.example", 1, &[1]), ("b.example", 1, &[1])]));
    let fault = Fault::of(&host_key("b.example"), FaultCode::Limit, "max_hosts", "2");
    let (mut session, mut recent) = refusing(limited(&runs, 9), &runs, &two, vec![fault], now);
    let same_keys = snapshot(3, &spec(&[("a.example", 5, &[1]), ("b.example", 5, &[1])]));
    assert!(look(&mut session, &mut recent, &same_keys).is_empty());
    let other_keys = snapshot(4, &spec(&[("a.example", 5, &[1]), ("c.example", 5, &[1])]));
    let actions = look(&mut session, &mut recent, &other_keys);
    assert_eq!(sent(&actions).to.version(), other_keys.version());
}

#[test]
fn a_fault_of_the_whole_holds_for_that_root_alone() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = spec(&[("a.example", 2, &[1])]);
    let fault = Fault::whole(FaultCode::Suspect, "", "twice");
    let (mut session, mut recent) = refusing(
        hello(Some(runs.version())),
        &runs,
        &snapshot(2, &bad),
        vec![fault],
        now,
    );
    assert!(look(&mut session, &mut recent, &snapshot(3, &bad)).is_empty());
    let next = snapshot(4, &spec(&[("a.example", 3, &[1])]));
    let actions = look(&mut session, &mut recent, &next);
    assert_eq!(sent(&actions).to.version(), next.version());
}

#[test]
fn what_a_hello_refuses_is_not_sent_and_shows_in_the_fleet() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = snapshot(2, &spec(&[("a.example", 2, &[1])]));
    let recent = Arc::new(recent(&runs).followed_by(&bad).unwrap());
    let suspect = Fault::whole(FaultCode::Suspect, "", "twice");
    let refused = refusing_for(bad.version(), vec![suspect]);
    let hello = Hello {
        refused: vec![refused.clone()],
        ..hello(Some(runs.version()))
    };
    let opened = open(hello, &recent, now);
    // Only endpoints may reach it, and they do not differ here.
    let [Action::Derive(needed)] = &opened.actions[..] else {
        panic!("{:?}", opened.actions);
    };
    assert!(needed.derive().is_none());
    assert_eq!(opened.expected, Some(runs.version()));
    assert_eq!(opened.session.state().refused, Some(refused));
}

#[test]
fn a_missing_resource_holds_until_it_is_there() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let bad = snapshot(2, &spec(&[("a.example", 2, &[1])]));
    let missing = RecordKey::new(ResourceType::Pool, "b.example/");
    let fault = Fault::of(&missing, FaultCode::DanglingReference, "", "not there");
    let (mut session, mut recent) =
        refusing(hello(Some(runs.version())), &runs, &bad, vec![fault], now);
    let still = snapshot(3, &spec(&[("a.example", 3, &[1])]));
    assert!(look(&mut session, &mut recent, &still).is_empty());
    let there = snapshot(4, &spec(&[("a.example", 3, &[1]), ("b.example", 1, &[1])]));
    let actions = look(&mut session, &mut recent, &there);
    assert_eq!(sent(&actions).to.version(), there.version());
}

#[test]
fn endpoints_still_reach_a_node_that_was_given_everything_and_refused_it() {
    let now = Instant::now();
    let runs = snapshot(1, &spec(&[("a.example", 1, &[1, 2])]));
    let bad = spec(&[("a.example", 1, &[1, 2]), ("b.example", 13, &[1])]);
    let before = recent(&runs);
    let mut session = open(hello(Some(runs.version())), &before, now).session;
    let mut recent = Arc::new(before.followed_by(&snapshot(2, &bad)).unwrap());
    let actions = session.handle(Event::View(Arc::clone(&recent)), now);
    let nack = |update: &Update, faults| Event::Nack {
        update_id: update.id,
        kept: Some(runs.version()),
        faults,
    };
    let damaged = Fault::whole(FaultCode::HashMismatch, "root", "a bit flipped on the way");
    let actions = session.handle(nack(sent(&actions), vec![damaged]), now);
    let everything = sent(&actions);
    assert!(matches!(everything.from, Base::Nothing));
    let refused = nack(everything, vec![fault_of_host("b.example")]);
    handled(&mut session, refused, now);

    let fewer = spec(&[("a.example", 1, &[1]), ("b.example", 13, &[1])]);
    let actions = look(&mut session, &mut recent, &snapshot(2, &fewer));
    let update = sent(&actions);
    assert_eq!(update.from.version(), Some(runs.version()));
    let removed = spec(&[("a.example", 1, &[1])]);
    assert_eq!(
        update.to.version().root,
        snapshot(1, &removed).version().root
    );
}

#[test]
fn endpoints_reach_a_node_that_refuses_the_newest_though_a_difference_to_them_did_not_fit() {
    let now = Instant::now();
    let runs = snapshot(5, &spec(&[("a.example", 1, &[1, 2])]));
    let newest = |endpoints: &[u16]| {
        snapshot(
            6,
            &spec(&[("a.example", 1, endpoints), ("b.example", 13, &[1])]),
        )
    };
    let faults = vec![fault_of_host("b.example")];
    let (mut session, mut recent) = refusing(
        hello(Some(runs.version())),
        &runs,
        &newest(&[1, 2]),
        faults,
        now,
    );
    let actions = look(&mut session, &mut recent, &newest(&[1]));
    let difference = sent(&actions).clone();
    assert_eq!(difference.from.version(), Some(runs.version()));
    let damaged = Fault::whole(FaultCode::HashMismatch, "root", "a bit flipped on the way");
    let nack = Event::Nack {
        update_id: difference.id,
        kept: Some(runs.version()),
        faults: vec![damaged],
    };
    let actions = handled(&mut session, nack, now);
    let everything = sent(&actions).clone();
    assert!(matches!(everything.from, Base::Nothing));
    assert_eq!(everything.to.version(), difference.to.version());
    assert!(handled(&mut session, ack(&everything), now).is_empty());
    // Deltas are trusted again after that.
    let actions = look(&mut session, &mut recent, &newest(&[1, 3]));
    assert_eq!(sent(&actions).from.version(), Some(everything.to.version()));
}
