//! Measures control's responses with one entry per node at ten thousand nodes: how long the fleet is locked, and the size of the response.
//!
//! `cargo run --release -p aralez-bench --bin measure-answers`
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use aralez_control::api::{nodes_answer, push_answer};
use aralez_control::core::fleet::{Fleet, ListedNodes, SharedFleet};
use aralez_control::core::node::NodeFacts;
use aralez_control::core::proof::Awaited;
use aralez_control::core::session::SessionState;
use aralez_control::core::touched::TouchedGroups;
use aralez_proto::version::Version;
use serde::Serialize;

const NODES: u64 = 10_000;
/// Number of nodes that have not acknowledged the push.
const OPEN: u64 = 100;

fn version(revision: u64) -> Version {
    let byte = u8::try_from(revision).unwrap_or_default();
    Version {
        generation: 1_764_000_000,
        revision,
        root: [byte; 32].into(),
        authored_root: [byte; 32].into(),
        ..Version::default()
    }
}

fn fleet() -> SharedFleet {
    let shared = SharedFleet::default();
    let now = Instant::now();
    let mut fleet = shared.lock();
    let state = |running| SessionState {
        running: Some(version(running)),
        target: version(2),
        refused: None,
    };
    for number in 0..NODES {
        let facts = facts(number);
        fleet.joined(number + 1, facts, state(1), now);
    }
    fleet.committed(version(2), &TouchedGroups::default());
    for number in OPEN..NODES {
        fleet.observe(&facts(number).node, number + 1, state(2), now);
    }
    drop(fleet);
    shared
}

fn facts(number: u64) -> NodeFacts {
    NodeFacts {
        node: format!("edge-{number:05}.example")
            .parse()
            .expect("a node name"),
        group: "default".parse().expect("a group name"),
        proxy_version: "0.10.0".to_owned(),
        peer: None,
    }
}

/// Returns the shortest of 20 runs, to exclude the noise of the machine.
fn shortest<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let timed = |_| {
        let begun = Instant::now();
        let made = run();
        (begun.elapsed(), made)
    };
    let runs = (0..20).map(timed);
    runs.min_by_key(|(took, _)| *took)
        .expect("there are 20 runs")
}

fn row(what: &str, held: Duration, after: Duration, answer: &impl Serialize) {
    let bytes = serde_json::to_vec(answer).expect("an answer is JSON").len();
    println!(
        "{what}: the fleet is held for {} us; {} us more to make the answer of {bytes} bytes",
        held.as_micros(),
        after.as_micros()
    );
}

fn main() {
    let shared = fleet();
    let now = Instant::now();
    let (held, listing) = shortest(|| shared.lock().listing());
    let (made, answer) = shortest(|| nodes_answer(&listing, version(2), now));
    row("/v1/nodes", held, made, &answer);
    for (name, wanted) in [
        ("all", ListedNodes::All),
        ("open", ListedNodes::Open),
        ("none", ListedNodes::Counts),
    ] {
        let (held, push) = shortest(|| {
            shared
                .lock()
                .push(2, wanted)
                .expect("revision 2 is committed")
        });
        let (made, answer) = shortest(|| push_answer(&push, 2, Awaited::Present, now));
        row(&format!("/v1/pushes/2?nodes={name}"), held, made, &answer);
    }
    let counts = |fleet: &Fleet| fleet.proof(2).expect("revision 2 is committed").counts();
    let (held, _) = shortest(|| counts(&shared.lock()));
    println!("a look of a long poll: {} ns", held.as_nanos());
    let (held, _) = shortest(|| shared.lock().counts());
    println!("/v1/status and /metrics: {} us", held.as_micros());
}
