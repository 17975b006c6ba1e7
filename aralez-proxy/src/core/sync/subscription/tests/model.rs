//! Checks the invariants under arbitrary sequences of events.

use proptest::prelude::*;

use crate::core::sync::subscription::tests::*;

#[derive(Clone, Debug)]
enum Step {
    Connected,
    ConnectFailed,
    /// A probe reaches a server.
    Probed(usize),
    StreamLost,
    Hear(Box<Message>),
    /// The apply in progress finishes, successfully or not.
    Finish(bool),
    Wait(u16),
    Changed,
}

fn any_version() -> impl Strategy<Value = Version> {
    (1..3u64, 0..4u64, 0..4u8)
        .prop_map(|(generation, revision, root)| version(generation, revision, root))
}

fn any_message() -> impl Strategy<Value = Message> {
    let ids = 0..3u64;
    prop_oneof![
        4 => (1..3u8).prop_map(welcome),
        6 => (ids.clone(), prop::option::of(0..4u8), any_version()).prop_map(|(id, from, to)| begin(id, from, to)),
        6 => ids.clone().prop_map(|id| part(id, vec![put("a", b"x")])),
        6 => ids.prop_map(|update_id| Message::Commit { update_id }),
        4 => prop::option::of(any_version()).prop_map(|expected| Message::Heartbeat { expected }),
        2 => Just(Message::AskDigest { question: 1 }),
        2 => Just(Message::AskDetail { question: 1, buckets: vec![0, 5_000] }),
        1 => Just(Message::Broken("bits".to_owned())),
        1 => Just(Message::GoAway { reason: String::new(), retry_min: Duration::ZERO, retry_max: Duration::MAX }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Connected),
        2 => Just(Step::ConnectFailed),
        2 => (0..3usize).prop_map(Step::Probed),
        1 => Just(Step::StreamLost),
        20 => any_message().prop_map(|message| Step::Hear(Box::new(message))),
        6 => any::<bool>().prop_map(Step::Finish),
        2 => (0..40_000u16).prop_map(Step::Wait),
        1 => Just(Step::Changed),
    ]
}

/// The model of everything outside the machine.
#[derive(Default)]
struct World {
    running: Option<Version>,
    applying: Option<Update>,
    dialling: bool,
    /// A server was probed successfully: only then may one dial replace another.
    probed: Option<usize>,
    /// For each server: the last connect failed.
    unreached: [bool; 2],
    server: usize,
    /// When the dial is due, and whether control asked for the pause.
    due: Option<Instant>,
    asked: bool,
    open: bool,
    pinned: Option<Vec<u8>>,
}

impl World {
    fn dial(&mut self, now: Instant, server: usize, after: Duration) {
        assert!(server < 2 && after <= Duration::from_secs(600));
        let due = now + after;
        if let Some(probed) = self.probed {
            assert!(
                self.dialling && !self.asked,
                "cut short what control asked for"
            );
            assert!(
                probed == server && self.unreached[server],
                "an accept alone is no news"
            );
            assert!(self.due.is_some_and(|before| due <= before && now < before));
        } else {
            assert!(!self.dialling);
        }
        (self.dialling, self.open) = (true, false);
        (self.server, self.due) = (server, Some(due));
    }

    fn see(&mut self, now: Instant, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Dial { server, after } => self.dial(now, *server, *after),
                Action::Probe { server } => assert!(
                    self.dialling && !self.asked && self.unreached[*server],
                    "probed what was reached or asked for patience"
                ),
                Action::Greet(hello) => {
                    assert!(
                        self.applying.is_none(),
                        "said hello while an update is applied"
                    );
                    assert_eq!(hello.held, self.running, "Hello tells what runs");
                    assert!(hello.refused.len() <= 8);
                    self.open = true;
                }
                Action::Pin(cluster) => {
                    assert!(
                        self.pinned.replace(cluster.clone()).is_none(),
                        "pinned twice"
                    );
                }
                Action::Apply(update) => {
                    assert!(self.applying.is_none(), "two updates at once");
                    if let Some(running) = self.running {
                        assert!(update.to.order(&running).is_ge(), "went backwards");
                    }
                    self.applying = Some(update.clone());
                }
                Action::Try(root) => panic!("{} was never suspect", root.short()),
                Action::Rename(version) => {
                    let running = self.running.unwrap();
                    assert!(self.applying.is_none() && running.root == version.root);
                    assert!(version.order(&running).is_gt(), "renamed backwards");
                    self.running = Some(*version);
                }
                Action::TellDigest { .. } | Action::TellDetail { .. } => assert!(
                    self.open && self.applying.is_none(),
                    "told what is held while it changes"
                ),
                Action::Send(_) => assert!(self.open, "spoke without a stream"),
                Action::Close(_) | Action::Leave => {}
            }
        }
    }

    /// Ends the connection attempt.
    fn tried(&mut self, reached: bool, event: Event) -> Option<Event> {
        self.unreached[self.server] = !reached;
        (self.dialling, self.asked) = (false, false);
        Some(event)
    }

    fn event(&mut self, step: Step) -> Option<Event> {
        self.probed = None;
        match step {
            Step::Connected if self.dialling => self.tried(true, Event::Connected),
            Step::ConnectFailed if self.dialling => self.tried(false, Event::ConnectFailed),
            Step::StreamLost if self.dialling => self.tried(true, Event::StreamLost),
            Step::StreamLost if self.open => {
                self.open = false;
                Some(Event::StreamLost)
            }
            Step::Probed(server) => {
                self.probed = Some(server);
                Some(Event::Probed(server))
            }
            Step::Hear(message) if self.open => {
                self.asked = matches!(*message, Message::GoAway { .. });
                Some(Event::Received(*message))
            }
            Step::Finish(well) => {
                let update = self.applying.take()?;
                if well {
                    self.running = Some(update.to);
                    let (version, took) = (update.to, Duration::ZERO);
                    return Some(Event::Applied { version, took });
                }
                let faults = Fault::whole(FaultCode::Invalid, "", "no").into();
                Some(Event::Refused {
                    version: update.to,
                    faults,
                })
            }
            Step::Changed => Some(Event::StatusChanged),
            Step::Wait(_) => Some(Event::Tick),
            Step::Connected | Step::ConnectFailed | Step::StreamLost | Step::Hear(_) => None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_promises_hold_in_every_order_of_events(held in prop::option::of(any_version()), steps in prop::collection::vec(any_step(), 0..120)) {
        let mut bench = Bench::new(held);
        let mut world = World { running: held, ..World::default() };
        world.see(bench.now, &bench.on(Event::Start));
        for step in steps {
            if let Step::Wait(milliseconds) = step {
                bench.now += Duration::from_millis(milliseconds.into());
            }
            let Some(event) = world.event(step) else { continue };
            let actions = bench.on(event);
            world.see(bench.now, &actions);
            prop_assert_eq!(bench.machine.held(), world.running);
            // The machine always waits for something: a connection, an apply, or a timer.
            prop_assert!(world.dialling || world.applying.is_some() || bench.machine.next_wake().is_some());
            if let Some(wake) = bench.machine.next_wake() {
                prop_assert!(wake <= bench.now + Duration::from_secs(600 * 3));
            }
        }
    }
}
