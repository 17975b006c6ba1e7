mod deriving;
pub(crate) mod fixtures;
mod properties;
mod refusing;
mod remembering;
mod repairing;
mod suspect;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::record::{Change, Record};
use aralez_proto::snapshot::SharedSnapshot;
use bytes::Bytes;

use super::*;
use fixtures::*;

pub(super) const CLUSTER: [u8; 16] = [7; 16];

pub(super) fn recent(snapshot: &SharedSnapshot) -> Arc<Recent> {
    Arc::new(Recent::new(Arc::clone(snapshot)))
}

pub(super) fn open(hello: Hello, recent: &Arc<Recent>, now: Instant) -> OpenedSession {
    let pace = Pace::default();
    Session::open(hello, &CLUSTER, None, Arc::clone(recent), pace, now).unwrap()
}

/// The memory of a node of which nothing is known.
pub(crate) fn memory() -> NodeMemory {
    let opened = open(hello(None), &recent(&Arc::default()), Instant::now());
    opened.session.memory()
}

/// Returns the one update among the actions.
#[track_caller]
pub(super) fn sent(actions: &[Action]) -> &Update {
    let mut updates = actions.iter().filter_map(|action| match action {
        Action::Send(update) => Some(update),
        _ => None,
    });
    let update = updates.next().expect("an update");
    assert!(updates.next().is_none(), "two updates: {actions:?}");
    update
}

/// Handles an event and completes every derivation immediately; returns all actions.
pub(super) fn handled(session: &mut Session, event: Event, now: Instant) -> Vec<Action> {
    let actions = session.handle(event, now);
    made(session, actions, now)
}

/// Completes the derivations among actions that were already returned.
pub(super) fn made(session: &mut Session, actions: Vec<Action>, now: Instant) -> Vec<Action> {
    let mut rest = Vec::new();
    for action in actions {
        match action {
            Action::Derive(needed) => rest.extend(handled(session, derived(&needed), now)),
            other => rest.push(other),
        }
    }
    rest
}

/// The answer to a requested derivation.
pub(super) fn derived(needed: &Derivation) -> Event {
    Event::Derived {
        key: needed.key(),
        made: needed.derive(),
    }
}

pub(super) fn ack(update: &Update) -> Event {
    Event::Ack {
        update_id: update.id,
        version: update.to.version(),
    }
}

/// The answer of a node that runs this.
pub(super) fn digest(question: u64, runs: &SharedSnapshot) -> Event {
    let marks = runs.records().marks().collect();
    Event::Digest { question, marks }
}

pub(super) fn detail(question: u64, runs: &SharedSnapshot, buckets: &[usize]) -> Event {
    let held = Some(runs.records().held_in(buckets).collect());
    Event::Detail { question, held }
}

#[test]
fn an_unchanged_proxy_gets_nothing() {
    let view = snapshot(3, &spec(&[("a.example", 1, &[1])]));
    let opened = open(hello(Some(view.version())), &recent(&view), Instant::now());
    assert_eq!(opened.resume, Resume::UpToDate);
    assert!(opened.actions.is_empty());
    assert_eq!(opened.expected, Some(view.version()));
}

#[test]
fn a_proxy_that_comes_back_gets_the_difference_and_a_stranger_everything() {
    let now = Instant::now();
    let old = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let new = snapshot(2, &spec(&[("a.example", 2, &[1])]));
    let recent = Arc::new(recent(&old).followed_by(&new).unwrap());
    let opened = open(hello(Some(old.version())), &recent, now);
    assert_eq!(opened.resume, Resume::Delta);
    assert_eq!(sent(&opened.actions).from.version().unwrap(), old.version());

    let opened = open(hello(None), &recent, now);
    assert_eq!(opened.resume, Resume::Full);
    assert!(sent(&opened.actions).from.version().is_none());
}

#[test]
fn a_newer_view_does_not_make_a_silent_node_look_heard() {
    let began = Instant::now();
    let view = snapshot(3, &spec(&[("a.example", 1, &[1])]));
    let newer = snapshot(4, &spec(&[("a.example", 2, &[1])]));
    let mut session = open(hello(Some(view.version())), &recent(&view), began).session;
    let later = began + Duration::from_secs(5);
    let actions = session.handle(Event::View(recent(&newer)), later);
    assert_eq!(session.last_heard(), began);
    session.handle(ack(sent(&actions)), later);
    assert_eq!(session.last_heard(), later);
}

#[test]
fn before_the_first_commit_nobody_is_told_anything() {
    let opened = open(hello(None), &recent(&Arc::default()), Instant::now());
    assert!(opened.actions.is_empty());
    assert_eq!(opened.expected, None);
}

/// F-07: the newest view wins.
#[test]
fn a_slow_node_skips_what_came_meanwhile() {
    let now = Instant::now();
    let views: Vec<_> = (1..=4)
        .map(|tag| snapshot(tag, &spec(&[("a.example", tag, &[1])])))
        .collect();
    let mut recent = recent(&views[0]);
    let OpenedSession {
        mut session,
        actions,
        ..
    } = open(hello(None), &recent, now);
    let first = sent(&actions).clone();
    for view in &views[1..] {
        recent = Arc::new(recent.followed_by(view).unwrap());
        assert!(
            session
                .handle(Event::View(Arc::clone(&recent)), now)
                .is_empty()
        );
    }
    let actions = session.handle(ack(&first), now);
    let second = sent(&actions);
    assert_eq!(second.from.version().unwrap(), views[0].version());
    assert_eq!(second.to.version(), views[3].version());
}

#[test]
fn a_commit_that_does_not_touch_the_view_still_tells_the_version() {
    let now = Instant::now();
    let content = spec(&[("a.example", 1, &[1])]);
    let (first, second) = (snapshot(1, &content), snapshot(2, &content));
    let before = recent(&first);
    let mut session = open(hello(Some(first.version())), &before, now).session;
    let after = Arc::new(before.followed_by(&second).unwrap());
    let actions = session.handle(Event::View(after), now);
    let update = sent(&actions);
    assert_eq!(update.from.version().unwrap().root, second.version().root);
    assert!(session.handle(ack(update), now).is_empty());
    assert_eq!(session.state().running, Some(second.version()));
}

#[test]
fn no_answer_to_an_update_ends_the_stream() {
    let start = Instant::now();
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let mut session = open(hello(None), &recent(&view), start).session;
    let mut now = start;
    while now < start + Duration::from_secs(30) {
        session.handle(Event::Status(NodeStatus::default()), now);
        let actions = session.handle(Event::Tick, now);
        assert!(
            !actions
                .iter()
                .any(|action| matches!(action, Action::Close(_)))
        );
        now = session.deadline().max(now + Duration::from_secs(1));
    }
    let actions = session.handle(Event::Tick, start + Duration::from_secs(30));
    assert!(
        matches!(actions[..], [Action::Close(Closing::Stuck)]),
        "{actions:?}"
    );
}

#[test]
fn a_large_update_on_a_slow_connection_is_not_stuck_while_its_parts_go_out() {
    let start = Instant::now();
    let second = Duration::from_secs(1);
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let mut session = open(hello(None), &recent(&view), start).session;
    let mut closed_at = None;
    for passed in 1..=1_000 {
        let now = start + second * passed;
        session.handle(Event::Status(NodeStatus::default()), now);
        // A part every 20 s for five minutes, then none.
        if passed % 20 == 0 && passed <= 300 {
            session.progressed(now);
        }
        let actions = session.handle(Event::Tick, now);
        if matches!(actions[..], [Action::Close(Closing::Stuck)]) {
            closed_at.get_or_insert(passed);
        }
    }
    assert_eq!(closed_at, Some(330));
}

#[test]
fn an_update_that_trickles_does_not_hold_its_place_for_ever() {
    let start = Instant::now();
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let mut session = open(hello(None), &recent(&view), start).session;
    let mut now = start;
    while now < start + Duration::from_mins(20) {
        now += Duration::from_secs(10);
        session.handle(Event::Status(NodeStatus::default()), now);
        session.progressed(now);
        let actions = session.handle(Event::Tick, now);
        if matches!(actions[..], [Action::Close(Closing::Stuck)]) {
            break;
        }
    }
    assert_eq!(now, start + Duration::from_mins(15));
}

/// F-06, on the side of control.
#[test]
fn a_silent_node_is_lost_after_two_and_a_half_heartbeats() {
    let start = Instant::now();
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let mut session = open(hello(Some(view.version())), &recent(&view), start).session;
    let mut beats = Vec::new();
    let closed_at = loop {
        let now = session.deadline();
        match &session.handle(Event::Tick, now)[..] {
            [Action::Heartbeat { expected, count }] => {
                assert_eq!(*expected, Some(view.version()));
                beats.push(*count);
            }
            [Action::Close(Closing::Lost)] => break now,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(closed_at - start, Duration::from_millis(37_500));
    assert_eq!(beats, [0, 1]);
}

#[test]
fn an_answer_with_another_root_ends_the_stream() {
    let now = Instant::now();
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let opened = open(hello(None), &recent(&view), now);
    let mut session = opened.session;
    let mut version = view.version();
    version.root = [9; 32].into();
    let actions = session.handle(
        Event::Ack {
            update_id: 1,
            version,
        },
        now,
    );
    assert!(
        matches!(actions[..], [Action::Close(Closing::Drifted)]),
        "{actions:?}"
    );
}

#[test]
fn a_node_that_cannot_follow_a_difference_gets_everything_once() {
    let now = Instant::now();
    let old = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let new = snapshot(2, &spec(&[("a.example", 2, &[1])]));
    let recent = Arc::new(recent(&old).followed_by(&new).unwrap());
    let opened = open(hello(Some(old.version())), &recent, now);
    let mut session = opened.session;
    let nack = |update_id| Event::Nack {
        update_id,
        kept: Some(old.version()),
        faults: vec![Fault::whole(FaultCode::HashMismatch, "root", "another")],
    };
    let actions = session.handle(nack(1), now);
    assert!(sent(&actions).from.version().is_none());
    let actions = session.handle(nack(2), now);
    assert!(
        matches!(actions[..], [Action::Refused { .. }]),
        "{actions:?}"
    );
}

/// F-04, on the side of control: a node of another cluster, and one that is ahead.
#[test]
fn strangers_are_turned_away_with_the_reason() {
    let now = Instant::now();
    let view = snapshot(3, &spec(&[("a.example", 1, &[1])]));
    let newer = snapshot(4, &spec(&[("a.example", 1, &[1])])).version();
    let cases = [
        (
            Hello {
                protocol_min: 2,
                protocol_max: 3,
                ..hello(None)
            },
            "protocol",
        ),
        (
            Hello {
                cluster: Bytes::from_static(&[1; 16]),
                ..hello(None)
            },
            "cluster",
        ),
        (hello(Some(newer)), "newer"),
    ];
    for (hello, word) in cases {
        let held = hello.held;
        let pace = Pace::default();
        let turned = Session::open(hello, &CLUSTER, None, recent(&view), pace, now).unwrap_err();
        assert!(turned.go_away.reason.contains(word), "{turned:?}");
        assert!(turned.go_away.retry_max > turned.go_away.retry_min);
        assert_eq!(turned.ahead.as_deref(), held.as_ref());
    }
}

#[test]
fn a_drained_session_sends_go_away_with_the_retry_window() {
    let now = Instant::now();
    let view = snapshot(1, &spec(&[("a.example", 1, &[1])]));
    let mut session = open(hello(Some(view.version())), &recent(&view), now).session;
    let within = Duration::from_secs(4);
    let actions = session.handle(Event::Drain { within }, now);
    assert!(
        matches!(&actions[..], [Action::GoAway(go), Action::Close(Closing::Drained)] if go.retry_max == within),
        "{actions:?}"
    );
    assert!(session.handle(Event::Retry, now).is_empty());
}

#[test]
fn parts_are_small_and_hold_everything_in_order() {
    let delta: Vec<Change> = (0..100_usize)
        .map(|index| {
            let payload = Bytes::from(vec![0; index * 37 % 900]);
            Change::Put(Record::new(host_key(&format!("h{index}.example")), payload))
        })
        .collect();
    let parts = split(&delta, 1_000);
    assert!(split(&[], 1_000).is_empty());
    assert_eq!(
        parts.iter().flat_map(Clone::clone).collect::<Vec<_>>(),
        (0..100).collect::<Vec<_>>()
    );
    for part in parts {
        let bytes: usize = delta[part.clone()]
            .iter()
            .map(|change| match change {
                Change::Put(record) => record.payload.len() + record.key.name.len(),
                Change::Delete(key) => key.name.len(),
            })
            .sum();
        assert!(bytes <= 1_000, "{part:?}");
    }
}
