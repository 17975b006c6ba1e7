use aralez_proto::version::Version;

use super::*;
use crate::core::session::tests::fixtures::memory;

fn version(revision: u64, root: u8) -> Version {
    Version {
        generation: 1,
        revision,
        root: [root; 32].into(),
        authored_root: [root; 32].into(),
        ..Version::default()
    }
}

fn facts() -> NodeFacts {
    NodeFacts {
        node: "n1".parse().unwrap(),
        group: "default".parse().unwrap(),
        proxy_version: "0.10.0".to_owned(),
        peer: None,
    }
}

fn session_state(running: Option<Version>, target: Version) -> SessionState {
    SessionState {
        running,
        target,
        refused: None,
    }
}

fn state(fleet: &Fleet) -> NodeState {
    fleet.nodes().values().next().unwrap().state()
}

#[test]
fn a_node_is_current_only_with_the_newest_version_and_root() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    let newest = version(2, 2);
    let cases = [
        (None, NodeState::Behind),
        (Some(version(1, 2)), NodeState::Behind),
        (Some(version(2, 1)), NodeState::Behind),
        (Some(newest), NodeState::Current),
    ];
    for (running, expected) in cases {
        fleet.joined(1, facts(), session_state(running, newest), now);
        assert_eq!(state(&fleet), expected, "{running:?}");
    }
}

#[test]
fn an_older_stream_no_longer_speaks_for_the_node() {
    let now = Instant::now();
    let node = facts().node;
    let (old, new) = (version(1, 1), version(2, 2));
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(Some(old), new), now);
    fleet.joined(2, facts(), session_state(Some(new), new), now);
    fleet.observe(&node, 1, session_state(Some(old), new), now);
    assert_eq!(state(&fleet), NodeState::Current);
}

#[test]
fn an_older_stream_that_is_late_to_join_does_not_take_the_name_back() {
    let now = Instant::now();
    let node = facts().node;
    let (old, new) = (version(1, 1), version(2, 2));
    let mut fleet = Fleet::default();
    fleet.joined(2, facts(), session_state(Some(new), new), now);
    fleet.joined(1, facts(), session_state(Some(old), new), now);
    fleet.observe(&node, 2, session_state(Some(new), new), now);
    assert_eq!(state(&fleet), NodeState::Current);
    assert_eq!(fleet.counts().connected, 1);
}

#[test]
fn an_applied_update_came_over_the_stream_even_before_the_next_status() {
    let node = facts().node;
    let newest = version(2, 2);
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(None, newest), Instant::now());
    let before = NodeStatus {
        origin: "none".to_owned(),
        ..NodeStatus::default()
    };
    fleet.reported(&node, 1, before, Instant::now());
    fleet.applied(&node, 1);
    let origin = |fleet: &Fleet| fleet.nodes()[&node].status.origin.clone();
    assert_eq!(origin(&fleet), "stream");
    fleet.joined(
        2,
        facts(),
        session_state(Some(newest), newest),
        Instant::now(),
    );
    fleet.applied(&node, 1);
    assert_eq!(origin(&fleet), "", "an older stream does not speak for it");
}

fn ahead() -> (String, Option<Version>) {
    ("it holds 1.9".to_owned(), Some(version(9, 9)))
}

#[test]
fn a_node_that_comes_back_ahead_is_no_longer_waited_for() {
    let now = Instant::now();
    let (old, new) = (version(1, 1), version(2, 2));
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(Some(old), new), now);
    fleet.committed(new, &TouchedGroups::default());
    let record = fleet.nodes.get_mut(&facts().node).unwrap();
    Arc::make_mut(record).stream = None;
    fleet.turned_away(facts(), NodeState::Ahead, ahead(), now);
    let proof = fleet.proof(2).unwrap();
    assert_eq!(proof.outcome(), crate::core::proof::Outcome::Unproven);
    let listing = fleet.listing();
    let (node, record) = &listing.nodes[0];
    assert_eq!(listing.state_of(node, record), NodeState::Ahead);
    assert_eq!(
        (
            fleet.counts().of(NodeState::Ahead),
            fleet.counts().connected
        ),
        (1, 0)
    );
    fleet.joined(2, facts(), session_state(Some(new), new), now);
    assert_eq!(fleet.counts().of(NodeState::Ahead), 0, "it was let in");
}

#[test]
fn a_stranger_never_takes_the_place_of_a_good_node_of_the_same_name() {
    let now = Instant::now();
    let newest = version(2, 2);
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(Some(newest), newest), now);
    let why = ("another cluster".to_owned(), None);
    fleet.turned_away(facts(), NodeState::Foreign, why, now);
    let listing = fleet.listing();
    let (node, record) = &listing.nodes[0];
    assert_eq!(listing.state_of(node, record), NodeState::Current);
    assert_eq!(
        fleet.turned_away_nodes().all().len(),
        1,
        "it is listed all the same"
    );
}

#[test]
fn a_duplicate_is_shown_until_the_other_process_is_gone_for_a_while() {
    let now = Instant::now();
    let node = facts().node;
    let newest = session_state(Some(version(2, 2)), version(2, 2));
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), newest.clone(), now);
    fleet.duplicated(&node, now);
    assert_eq!(state(&fleet), NodeState::Duplicate);
    let second = std::time::Duration::from_secs(1);
    fleet.observe(&node, 1, newest.clone(), now + DUPLICATE_SHOWN - second);
    assert_eq!(state(&fleet), NodeState::Duplicate);
    fleet.observe(&node, 1, newest, now + DUPLICATE_SHOWN);
    assert_eq!(state(&fleet), NodeState::Current);
}

#[test]
fn nodes_long_gone_are_forgotten_first() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    for (number, age) in [(1, 30), (2, 90), (3, 60)] {
        let node = format!("n{number}").parse().unwrap();
        let seen = now - std::time::Duration::from_secs(age);
        let facts = NodeFacts { node, ..facts() };
        fleet.joined(
            number,
            facts.clone(),
            session_state(None, version(2, 2)),
            seen,
        );
        let record = fleet.nodes.get_mut(&facts.node).unwrap();
        Arc::make_mut(record).stream = None;
    }
    fleet.forget_beyond(2);
    let left: Vec<_> = fleet.nodes().keys().map(ToString::to_string).collect();
    assert_eq!(left, ["n1", "n3"]);
}

fn changes(fleet: &mut Fleet) -> Vec<(String, Option<bool>)> {
    let changes = fleet.roster().take().into_iter();
    changes
        .map(|(node, change)| match change {
            RosterChange::Seen { connected, .. } => (node.to_string(), Some(connected)),
            RosterChange::Forgotten => (node.to_string(), None),
        })
        .collect()
}

#[test]
fn joining_leaving_and_forgetting_are_written_and_heartbeats_are_not() {
    let now = Instant::now();
    let node = facts().node;
    let newest = version(2, 2);
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(None, newest), now);
    assert_eq!(changes(&mut fleet), [("n1".to_owned(), Some(true))]);
    for seconds in 1..100 {
        let heard = now + std::time::Duration::from_secs(seconds);
        fleet.observe(&node, 1, session_state(Some(newest), newest), heard);
        fleet.reported(&node, 1, NodeStatus::default(), heard);
        fleet.tick(heard);
    }
    assert_eq!(changes(&mut fleet), []);
    fleet.tick(now + crate::core::roster::REFRESH * 2);
    assert_eq!(changes(&mut fleet), [("n1".to_owned(), Some(true))]);
    assert_eq!(fleet.forget(&node), Err(NotForgotten::Connected));
    fleet.left(&node, 1, memory());
    assert_eq!(changes(&mut fleet), [("n1".to_owned(), Some(false))]);
    assert_eq!(fleet.forget(&node), Ok(()));
    assert_eq!(changes(&mut fleet), [("n1".to_owned(), None)]);
    assert_eq!(fleet.forget(&node), Err(NotForgotten::Unknown));
}

#[test]
fn a_node_that_is_gone_for_a_month_is_forgotten_by_itself() {
    let now = Instant::now();
    let mut fleet = Fleet::default();
    fleet.joined(1, facts(), session_state(None, version(2, 2)), now);
    fleet.left(&facts().node, 1, memory());
    fleet.tick(now);
    fleet.tick(now + KEPT - std::time::Duration::from_secs(1));
    assert_eq!(fleet.nodes().len(), 1);
    fleet.tick(now + KEPT + crate::core::roster::REFRESH);
    assert_eq!(fleet.nodes().len(), 0);
    assert_eq!(changes(&mut fleet), [("n1".to_owned(), None)]);
}
