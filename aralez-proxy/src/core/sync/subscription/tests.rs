use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, Record, RecordKey, ResourceType};
use bytes::Bytes;

use super::*;

mod alone;
mod model;
mod reach;
mod refusing;

pub(super) fn version(generation: u64, revision: u64, root: u8) -> Version {
    Version {
        generation,
        revision,
        root: Digest::from([root; 32]),
        authored_root: Digest::from([root; 32]),
        ..Version::default()
    }
}

pub(super) fn put(name: &str, payload: &[u8]) -> Change {
    Change::Put(Record::new(
        RecordKey::new(ResourceType::Pool, name),
        Bytes::copy_from_slice(payload),
    ))
}

pub(super) fn welcome(cluster: u8) -> Message {
    Message::Welcome(Welcome {
        cluster: vec![cluster; 16],
        protocol: PROTOCOL,
        head: None,
        heartbeat: Duration::from_secs(15),
        ack_deadline: Duration::from_secs(30),
    })
}

pub(super) fn begin(update_id: u64, from: Option<u8>, to: Version) -> Message {
    Message::Begin(Begin {
        update_id,
        from_root: from.map(|root| Digest::from([root; 32])),
        to,
        parts: 1,
        bytes: 100,
    })
}

pub(super) fn part(update_id: u64, changes: Vec<Change>) -> Message {
    Message::UpdatePart(Part {
        update_id,
        changes,
        faults: Vec::new(),
    })
}

/// A state machine under test, with its clock.
pub(super) struct Bench {
    pub(super) machine: Subscription,
    pub(super) now: Instant,
}

impl Bench {
    pub(super) fn new(held: Option<Version>) -> Self {
        let limits = Limits {
            max_snapshot_bytes: Some(1000),
            ..Limits::default()
        };
        Self {
            machine: Subscription::new(2, limits, held, Vec::new(), Vec::new()),
            now: Instant::now(),
        }
    }

    pub(super) fn on(&mut self, event: Event) -> Vec<Action> {
        let moment = Moment {
            now: self.now,
            random: 1.0,
        };
        self.machine.on(moment, event)
    }

    pub(super) fn hear(&mut self, message: Message) -> Vec<Action> {
        self.on(Event::Received(message))
    }

    pub(super) fn after(&mut self, seconds: f64) -> Vec<Action> {
        self.now += Duration::from_secs_f64(seconds);
        self.on(Event::Tick)
    }

    pub(super) fn live(held: Option<Version>) -> Self {
        let mut bench = Self::new(held);
        bench.on(Event::Start);
        bench.on(Event::Connected);
        bench.hear(welcome(1));
        bench.after(0.0);
        bench
    }

    /// Sends a whole update and returns all resulting actions.
    pub(super) fn update(&mut self, update_id: u64, from: Option<u8>, to: Version) -> Vec<Action> {
        let mut actions = self.hear(begin(update_id, from, to));
        actions.extend(self.hear(part(update_id, vec![put("a", b"x")])));
        actions.extend(self.hear(Message::Commit { update_id }));
        actions
    }
}

pub(super) fn dialled(actions: &[Action]) -> Option<(usize, Duration)> {
    actions.iter().find_map(|action| match action {
        Action::Dial { server, after } => Some((*server, *after)),
        _ => None,
    })
}

pub(super) fn reports(actions: &[Action]) -> Vec<Report> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Send(report) => Some(report.clone()),
        _ => None,
    });
    sent.collect()
}

pub(super) fn greeting(actions: &[Action]) -> Option<Hello> {
    actions.iter().find_map(|action| match action {
        Action::Greet(hello) => Some(hello.clone()),
        _ => None,
    })
}

#[test]
fn an_update_is_applied_and_acknowledged_and_then_held() {
    let mut bench = Bench::live(None);
    let to = version(1, 4, 9);
    let actions = bench.update(7, None, to);
    assert!(matches!(&actions[..], [Action::Apply(update)] if update.full && update.to == to));
    let took = Duration::from_millis(3);
    let actions = bench.on(Event::Applied { version: to, took });
    let ack = Report::Ack {
        update_id: 7,
        version: to,
        took,
    };
    assert_eq!(reports(&actions), [ack]);
    assert_eq!(bench.machine.held(), Some(to));
}

#[test]
fn hello_names_what_is_held_and_what_is_refused() {
    let held = version(1, 4, 9);
    let mut bench = Bench::live(Some(held));
    let refused = version(1, 5, 10);
    bench.update(7, Some(9), refused);
    let fault = Fault::whole(FaultCode::Limit, "max_hosts", "too many");
    bench.on(Event::Refused {
        version: refused,
        faults: fault.clone().into(),
    });
    bench.on(Event::StreamLost);
    let hello = greeting(&bench.on(Event::Connected)).unwrap();
    assert_eq!(hello.held, Some(held));
    let faults = vec![fault];
    let content = Content::Whole(refused.root);
    assert_eq!(hello.refused, [ContentRefusal { content, faults }]);
    assert_eq!(hello.cluster, [1; 16]);
}

#[test]
fn a_report_is_not_sent_on_another_stream_than_its_update() {
    let mut bench = Bench::live(None);
    let to = version(1, 1, 1);
    bench.update(1, None, to);
    bench.on(Event::StreamLost);
    assert!(greeting(&bench.on(Event::Connected)).is_none());
    let took = Duration::ZERO;
    let actions = bench.on(Event::Applied { version: to, took });
    assert_eq!(reports(&actions), []);
    assert_eq!(greeting(&actions).unwrap().held, Some(to));
}

/// F-06: a control that hangs.
#[test]
fn a_control_that_falls_silent_is_left() {
    let mut bench = Bench::live(None);
    assert!(dialled(&bench.after(37.0)).is_none());
    bench.hear(Message::Heartbeat { expected: None });
    assert!(dialled(&bench.after(37.0)).is_none());
    assert!(dialled(&bench.after(0.6)).is_some());
}

/// F-06: a control that accepts and stays silent.
#[test]
fn a_control_that_does_not_welcome_is_left() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.on(Event::Connected);
    assert!(dialled(&bench.after(14.9)).is_none());
    assert_eq!(dialled(&bench.after(0.2)).unwrap().0, 1);
}

#[test]
fn a_proxy_left_behind_opens_its_stream_anew_and_one_that_is_ahead_or_refuses_does_not() {
    let newer = Message::Heartbeat {
        expected: Some(version(1, 5, 5)),
    };
    let wait = |bench: &mut Bench, message: &Message| {
        let mut left = None;
        for _ in 0..4 {
            left = left.or(dialled(&bench.hear(message.clone())));
            left = left.or(dialled(&bench.after(10.0)));
        }
        left.is_some()
    };
    let mut bench = Bench::live(Some(version(1, 4, 4)));
    assert!(wait(&mut bench, &newer));
    let mut bench = Bench::live(Some(version(2, 1, 4)));
    assert!(!wait(&mut bench, &newer));
    let mut bench = Bench::live(Some(version(1, 4, 4)));
    bench.hear(newer.clone());
    let version = version(1, 5, 5);
    bench.update(1, Some(4), version);
    let faults: Faults = Fault::whole(FaultCode::Limit, "", "no").into();
    bench.on(Event::Refused { version, faults });
    assert!(!wait(&mut bench, &newer));
}

#[test]
fn a_newer_name_of_the_same_content_is_taken_without_an_update() {
    let mut bench = Bench::live(Some(version(1, 4, 4)));
    let newer = version(1, 6, 4);
    let actions = bench.hear(Message::Heartbeat {
        expected: Some(newer),
    });
    assert!(matches!(&actions[..], [Action::Rename(name)] if *name == newer));
    assert_eq!(bench.machine.held(), Some(newer));
    let older = Some(version(1, 5, 4));
    assert!(
        bench
            .hear(Message::Heartbeat { expected: older })
            .is_empty()
    );
}

#[test]
fn a_proxy_sent_away_comes_back_within_the_window() {
    let mut bench = Bench::live(None);
    let actions = bench.hear(Message::GoAway {
        reason: "drain".to_owned(),
        retry_min: Duration::from_secs(1),
        retry_max: Duration::from_secs(3),
    });
    assert_eq!(dialled(&actions), Some((0, Duration::from_secs(3))));
}

#[test]
fn status_goes_out_when_something_changes_and_every_quarter_of_a_minute() {
    let mut bench = Bench::live(None);
    bench.now += Duration::from_millis(100);
    bench.on(Event::StatusChanged);
    assert_eq!(reports(&bench.after(0.5)), []);
    assert_eq!(reports(&bench.after(0.5)), [Report::Status]);
    bench.hear(Message::Heartbeat { expected: None });
    assert_eq!(reports(&bench.after(14.9)), []);
    assert_eq!(reports(&bench.after(0.1)), [Report::Status]);
}

#[test]
fn status_keeps_pace_with_a_control_whose_heartbeat_is_faster() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.on(Event::Connected);
    let Message::Welcome(usual) = welcome(1) else {
        unreachable!("welcome makes a welcome");
    };
    bench.hear(Message::Welcome(Welcome {
        heartbeat: Duration::from_secs(2),
        ..usual
    }));
    assert_eq!(reports(&bench.after(0.0)), [Report::Status]);
    bench.hear(Message::Heartbeat { expected: None });
    assert_eq!(reports(&bench.after(1.9)), []);
    assert_eq!(reports(&bench.after(0.1)), [Report::Status]);
}

#[test]
fn after_the_end_nothing_is_dialled() {
    let mut bench = Bench::live(None);
    assert!(matches!(bench.on(Event::Shutdown)[..], [Action::Leave]));
    assert!(bench.on(Event::StreamLost).is_empty());
    assert!(bench.on(Event::ConnectFailed).is_empty());
    assert_eq!(bench.machine.next_wake(), None);
}
