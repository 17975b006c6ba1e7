//! The one more try of a suspect content without control.

use crate::core::sync::subscription::tests::*;

fn refusal(root: u8, code: FaultCode) -> ContentRefusal {
    ContentRefusal {
        content: Content::Authored(Digest::from([root; 32])),
        faults: vec![Fault::whole(code, "", "twice")],
    }
}

/// Returns a started, unconnected proxy that runs version 1 of root 1 and refuses these contents.
fn bench(refused: Vec<ContentRefusal>) -> Bench {
    let held = Some(version(1, 1, 1));
    let mut bench = Bench::new(held);
    bench.machine = Subscription::new(1, Limits::default(), held, Vec::new(), refused);
    bench.on(Event::Start);
    bench
}

fn tried(actions: &[Action]) -> Option<Digest> {
    actions.iter().find_map(|action| match action {
        Action::Try(root) => Some(*root),
        _ => None,
    })
}

/// Advances the clock by `minutes` and returns the content that is tried, if any.
fn after(bench: &mut Bench, minutes: u64) -> Option<Digest> {
    bench.now += Duration::from_secs(minutes * 60);
    tried(&bench.on(Event::Tick))
}

#[test]
fn a_proxy_alone_tries_its_newest_suspect_after_the_time_that_was_drawn() {
    for (random, minutes) in [(0.0, 10), (0.5, 20), (1.0, 30)] {
        let refused = vec![
            refusal(2, FaultCode::Suspect),
            refusal(3, FaultCode::Suspect),
            refusal(4, FaultCode::Invalid),
        ];
        let held = Some(version(1, 1, 1));
        let mut machine = Subscription::new(1, Limits::default(), held, Vec::new(), refused);
        let now = Instant::now();
        machine.on(Moment { now, random }, Event::Start);
        let due = now + Duration::from_secs(minutes * 60);
        assert_eq!(machine.next_wake(), Some(due));
        let just_before = due - Duration::from_millis(1);
        let early = Moment {
            now: just_before,
            random,
        };
        assert_eq!(tried(&machine.on(early, Event::Tick)), None);
        let actions = machine.on(Moment { now: due, random }, Event::Tick);
        assert_eq!(tried(&actions), Some(Digest::from([3; 32])));
    }
}

#[test]
fn a_content_that_was_fatal_is_not_tried_by_the_proxy() {
    let mut bench = bench(vec![refusal(2, FaultCode::Fatal)]);
    assert_eq!(bench.machine.next_wake(), None);
    assert_eq!(after(&mut bench, 60), None);
}

#[test]
fn where_there_is_control_it_decides_and_the_wait_begins_anew_when_it_is_lost() {
    let mut bench = bench(vec![refusal(2, FaultCode::Suspect)]);
    assert_eq!(after(&mut bench, 29), None);
    bench.on(Event::Connected);
    bench.hear(welcome(1));
    assert_eq!(after(&mut bench, 60), None);
    bench.on(Event::StreamLost);
    assert_eq!(after(&mut bench, 29), None);
    assert!(after(&mut bench, 1).is_some());
}

#[test]
fn what_was_tried_and_serves_is_what_the_proxy_says_it_holds() {
    let mut bench = bench(vec![refusal(2, FaultCode::Suspect)]);
    assert!(after(&mut bench, 30).is_some());
    // Control connects during the apply: the held version is known only afterwards.
    assert!(bench.on(Event::Connected).is_empty());
    let newer = version(1, 2, 2);
    let actions = bench.on(Event::Applied {
        version: newer,
        took: Duration::ZERO,
    });
    match &actions[..] {
        [Action::Greet(hello)] => {
            assert_eq!((hello.held, hello.refused.len()), (Some(newer), 0));
        }
        other => panic!("expected a greeting, got {other:?}"),
    }
}

#[test]
fn a_suspect_that_could_not_be_tried_stays_refused_and_keeps_nobody_from_control() {
    let mut bench = bench(vec![refusal(2, FaultCode::Suspect)]);
    assert!(after(&mut bench, 30).is_some());
    assert_eq!(bench.machine.next_wake(), None, "nothing else meanwhile");
    bench.on(Event::Connected);
    let actions = bench.on(Event::Untried);
    assert!(matches!(&actions[..], [Action::Greet(hello)] if hello.refused.len() == 1));
}

#[test]
fn nothing_is_tried_between_hello_and_welcome() {
    let mut bench = bench(vec![refusal(2, FaultCode::Suspect)]);
    bench.now += Duration::from_secs(30 * 60 - 5);
    bench.on(Event::Connected);
    bench.now += Duration::from_secs(10);
    assert_eq!(tried(&bench.on(Event::Tick)), None);
    assert!(
        bench
            .machine
            .next_wake()
            .is_some_and(|wake| wake > bench.now)
    );
}

#[test]
fn a_suspect_that_had_to_be_started_is_refused_again_once_another_content_runs_unless_it_proved_good()
 {
    for (minutes, refused) in [(0, 1), (2, 0)] {
        let held = version(1, 2, 2);
        let mut bench = Bench::new(Some(held));
        let refusals = vec![refusal(2, FaultCode::Suspect)];
        bench.machine = Subscription::new(1, Limits::default(), Some(held), Vec::new(), refusals);
        bench.on(Event::Start);
        assert!(bench.machine.refused().is_empty());
        bench.now += Duration::from_secs(minutes * 60);
        // Only endpoints changed: the authored content is the same.
        let churned = Version {
            root: Digest::from([7; 32]),
            ..held
        };
        for (runs, expected) in [(churned, 0), (version(1, 3, 3), refused)] {
            let took = Duration::ZERO;
            bench.on(Event::Applied {
                version: runs,
                took,
            });
            assert_eq!(bench.machine.refused().len(), expected);
        }
    }
}
