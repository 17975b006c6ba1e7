//! A pause is shortened by a server that becomes reachable, and by nothing else.

use crate::core::sync::subscription::tests::*;

impl Bench {
    fn on_drawn(&mut self, event: Event, random: f64) -> Vec<Action> {
        let now = self.now;
        self.machine.on(Moment { now, random }, event)
    }

    /// Lets connects fail on both servers in turn until the pauses have grown to half a minute.
    fn unreached(&mut self) {
        for _ in 0..12 {
            self.on(Event::ConnectFailed);
        }
    }

    /// Waits for `seconds`, tick by tick as the machine asks, and returns the probed servers with the time of each probe.
    fn probed_within(&mut self, seconds: u64) -> Vec<(usize, Duration)> {
        let (start, end) = (self.now, self.now + Duration::from_secs(seconds));
        let mut probed = Vec::new();
        while let Some(wake) = self.machine.next_wake().filter(|wake| *wake <= end) {
            self.now = wake;
            for action in self.on_drawn(Event::Tick, 0.5) {
                if let Action::Probe { server } = action {
                    probed.push((server, wake - start));
                }
            }
        }
        self.now = end;
        probed
    }
}

fn servers(probed: &[(usize, Duration)]) -> Vec<usize> {
    let mut servers: Vec<_> = probed.iter().map(|(server, _)| *server).collect();
    servers.sort_unstable();
    servers.dedup();
    servers
}

fn go_away(from: u64, to: u64) -> Message {
    Message::GoAway {
        reason: "patience".to_owned(),
        retry_min: Duration::from_secs(from),
        retry_max: Duration::from_secs(to),
    }
}

/// F-18 (tests/SECURITY.md): a partition between nodes and control.
#[test]
fn a_control_that_can_be_reached_again_is_dialled_soon_however_long_the_pause() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    let probed = bench.probed_within(10);
    assert_eq!(servers(&probed), [0, 1], "all that were not reached");
    assert!((16..=20).contains(&probed.len()), "{probed:?}");
    let (server, after) = dialled(&bench.on_drawn(Event::Probed(1), 0.25)).unwrap();
    assert_eq!((server, after), (1, Duration::from_millis(250)));
    assert_eq!(bench.probed_within(10), [], "the dial itself tells");
    assert!(greeting(&bench.on(Event::Connected)).is_some());
}

#[test]
fn nodes_that_were_cut_off_together_neither_probe_nor_come_back_in_step() {
    let first = |random| {
        let mut bench = Bench::new(None);
        bench.on(Event::Start);
        bench.unreached();
        bench.on_drawn(Event::ConnectFailed, random);
        let probe = bench.machine.next_wake().unwrap() - bench.now;
        bench.now += probe;
        (
            probe,
            dialled(&bench.on_drawn(Event::Probed(0), random))
                .unwrap()
                .1,
        )
    };
    let ms = Duration::from_millis;
    assert_eq!(first(0.25), (ms(750), ms(250)));
    assert_eq!(first(1.0), (ms(1_500), ms(1_000)));
}

#[test]
fn a_dial_that_is_due_sooner_is_not_put_off() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    let probed = bench.probed_within(29);
    assert!(!probed.is_empty());
    bench.now += Duration::from_millis(700);
    let after = dialled(&bench.on(Event::Probed(0))).unwrap().1;
    assert_eq!(after, Duration::from_millis(300));
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    bench.now += Duration::from_secs(30);
    let late = bench.on(Event::Probed(0));
    assert!(dialled(&late).is_none(), "it is being dialled already");
}

#[test]
fn a_control_that_accepts_and_breaks_or_stays_silent_is_met_with_the_whole_pause() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    let mut pauses = Vec::new();
    for attempt in 0..20 {
        let lost = match attempt % 3 {
            0 => bench.on(Event::StreamLost),
            1 => {
                bench.on(Event::Connected);
                bench.on(Event::StreamLost)
            }
            _ => {
                bench.on(Event::Connected);
                bench.after(GREETING.as_secs_f64())
            }
        };
        let (_, pause) = dialled(&lost).unwrap();
        pauses.push(pause.as_millis());
        assert_eq!(bench.probed_within(20), [], "nobody probes what accepts");
        let again = [bench.on(Event::Probed(0)), bench.on(Event::Probed(1))];
        assert!(again.iter().all(|actions| dialled(actions).is_none()));
    }
    assert_eq!(pauses[..4], [200, 400, 800, 1_600]);
    assert_eq!(pauses[8..], [30_000; 12], "the pause grows and stays");
}

#[test]
fn a_control_that_comes_back_and_breaks_each_time_is_dialled_once_for_each_whole_pause() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    bench.probed_within(2);
    assert!(dialled(&bench.on(Event::Probed(0))).is_some());
    // The connect succeeds, and the stream is lost immediately.
    bench.on(Event::Connected);
    let (server, pause) = dialled(&bench.on(Event::StreamLost)).unwrap();
    assert_eq!((server, pause), (1, Duration::from_secs(30)));
    // Server 1 was never reached and is still probed; server 0 was reached and is not.
    assert_eq!(servers(&bench.probed_within(20)), [1]);
    assert!(dialled(&bench.on(Event::Probed(0))).is_none());
    assert_eq!(dialled(&bench.on(Event::Probed(1))).unwrap().0, 1);
}

#[test]
fn a_pause_that_control_asked_for_is_never_cut_short() {
    // Neither by the server that asked, nor by one that was unreachable before.
    let not_cut = |bench: &mut Bench| {
        assert_eq!(bench.probed_within(25), []);
        for server in 0..2 {
            assert!(dialled(&bench.on(Event::Probed(server))).is_none());
        }
    };
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    bench.on(Event::Connected);
    bench.hear(welcome(1));
    let sent = dialled(&bench.hear(go_away(20, 40)));
    assert_eq!(sent, Some((0, Duration::from_secs(40))));
    not_cut(&mut bench);
    // Without a `Welcome` the other server is tried first, after a pause that is not shortened either.
    bench.now += Duration::from_secs(15);
    bench.on(Event::Connected);
    let sent = dialled(&bench.hear(go_away(20, 40)));
    assert_eq!(sent, Some((1, Duration::from_secs(30))));
    not_cut(&mut bench);
    bench.now += Duration::from_secs(5);
    bench.on(Event::Connected);
    let sent = dialled(&bench.hear(go_away(20, 40)));
    assert_eq!(sent, Some((0, Duration::from_secs(40))));
    not_cut(&mut bench);
}

#[test]
fn a_control_that_asked_for_patience_is_not_probed_while_another_is_away() {
    let mut bench = Bench::new(None);
    bench.on(Event::Start);
    bench.unreached();
    bench.on(Event::Probed(0));
    bench.on(Event::Connected);
    bench.hear(go_away(20, 40));
    bench.on(Event::ConnectFailed);
    assert_eq!(servers(&bench.probed_within(10)), [1]);
    assert!(dialled(&bench.on(Event::Probed(0))).is_none());
}

#[test]
fn a_stream_that_is_lost_says_nothing_of_whether_control_can_be_reached() {
    let mut bench = Bench::live(None);
    let (server, pause) = dialled(&bench.on(Event::StreamLost)).unwrap();
    assert_eq!((server, pause), (0, Duration::from_millis(200)));
    assert_eq!(bench.probed_within(1), []);
    bench.unreached();
    assert_eq!(servers(&bench.probed_within(5)), [0, 1]);
    assert!(matches!(bench.on(Event::Shutdown)[..], [Action::Leave]));
    assert!(bench.on(Event::Probed(0)).is_empty());
    assert_eq!(bench.machine.next_wake(), None);
}
