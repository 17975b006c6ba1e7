use std::sync::atomic::{AtomicU64, Ordering};

use aralez_proto::snapshot::Limits;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::core::session::tests::fixtures::{Spec, fault_of_host, hello, snapshot, spec};
use crate::core::session::{Action, Event, Hello, Pace, Recent, Session};

/// Counts the derivations made.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU64>);

impl Count {
    fn ask(&self, all: &Arc<Derivations>, needed: Derivation, stream: &Waiting) {
        let count = Arc::clone(&self.0);
        all.ask(needed, stream, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn content(ports: &[u16], tag: u64) -> Spec {
    let mut content = spec(&[("a.example", 1, ports)]);
    if tag > 1 {
        content.extend(spec(&[("b.example", tag, &[1])]));
    }
    content
}

/// Returns the derivation that a node with these limits needs after it refused a push and then endpoints changed.
fn needed(limits: Limits, ports: &[u16]) -> Derivation {
    let now = Instant::now();
    let runs = snapshot(1, &content(&[1, 2], 1));
    let before = Recent::new(Arc::clone(&runs));
    let refused = before
        .followed_by(&snapshot(2, &content(&[1, 2], 13)))
        .unwrap();
    let newest = refused
        .followed_by(&snapshot(2, &content(ports, 13)))
        .unwrap();
    let greeting = Hello {
        limits,
        ..hello(Some(runs.version()))
    };
    let recent = Arc::new(refused);
    let opened = Session::open(greeting, &[7; 16], None, recent, Pace::default(), now).unwrap();
    let mut session = opened.session;
    let [Action::Send(update)] = &opened.actions[..] else {
        panic!("{:?}", opened.actions);
    };
    let nack = Event::Nack {
        update_id: update.id,
        kept: Some(runs.version()),
        faults: vec![fault_of_host("b.example")],
    };
    for action in session.handle(nack, now) {
        if let Action::Derive(needed) = action {
            let made = needed.derive();
            let key = needed.key();
            session.handle(Event::Derived { key, made }, now);
        }
    }
    let actions = session.handle(Event::View(Arc::new(newest)), now);
    let [Action::Derive(needed)] = &actions[..] else {
        panic!("{actions:?}");
    };
    needed.clone()
}

async fn answer(stream: &mut UnboundedReceiver<Command>) -> (Digest, Option<SharedSnapshot>) {
    match stream.recv().await.unwrap() {
        Command::Derived { key, made } => (key, made),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_many_nodes_need_is_made_once() {
    let (all, count) = (Arc::new(Derivations::default()), Count::default());
    let mut streams = Vec::new();
    let same = needed(Limits::default(), &[2]);
    for _ in 0..1_000 {
        let (stream, answers) = unbounded_channel();
        count.ask(&all, same.clone(), &stream);
        streams.push((stream, answers));
    }
    let mut told: Vec<SharedSnapshot> = Vec::new();
    for (_, answers) in &mut streams {
        let (key, made) = answer(answers).await;
        assert_eq!(key, same.key());
        told.extend(made);
    }
    assert_eq!(told.len(), 1_000);
    assert!(told.iter().all(|one| Arc::ptr_eq(one, &told[0])));
    assert_eq!(told[0].version(), snapshot(1, &content(&[2], 1)).version());

    let (late, mut answers) = unbounded_channel();
    count.ask(&all, needed(Limits::default(), &[2]), &late);
    assert!(answer(&mut answers).await.1.is_some());
    assert_eq!(count.get(), 1);
    let others = Limits {
        max_hosts: Some(9),
        ..Limits::default()
    };
    count.ask(&all, needed(others, &[2]), &late);
    answer(&mut answers).await;
    count.ask(&all, needed(Limits::default(), &[3]), &late);
    answer(&mut answers).await;
    assert_eq!(count.get(), 3);
}

#[tokio::test]
async fn few_are_kept_and_those_of_long_ago_are_let_go() {
    let (all, count) = (Arc::new(Derivations::default()), Count::default());
    let (stream, mut answers) = unbounded_channel();
    for port in 10..60 {
        count.ask(&all, needed(Limits::default(), &[port]), &stream);
        answer(&mut answers).await;
        all.next_view();
        assert!(all.places.lock().by_key.len() <= KEPT);
    }
    for _ in 0..=VIEWS {
        all.next_view();
    }
    assert!(all.places.lock().by_key.is_empty());
}

#[tokio::test]
async fn what_only_streams_that_ended_wanted_is_not_made() {
    let (all, count) = (Arc::new(Derivations::default()), Count::default());
    let (gone, _) = unbounded_channel();
    let turn = all.turn.lock().await;
    count.ask(&all, needed(Limits::default(), &[2]), &gone);
    let (stream, mut answers) = unbounded_channel();
    count.ask(&all, needed(Limits::default(), &[3]), &stream);
    drop(turn);
    answer(&mut answers).await;
    assert_eq!(count.get(), 1);
    assert_eq!(all.places.lock().by_key.len(), 1);
}
