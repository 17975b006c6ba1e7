//! A daemon that receives SIGTERM during its start: from its first answer on it shuts down gracefully, and it never ignores the signal.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::process::{self, Daemon};
use aralez_tests::raw;
use rustix::process::Signal;

/// Number of starts of each daemon. In each, the signal is sent a little later after the first answer.
const ROUNDS: u32 = 16;
const LATER: Duration = Duration::from_micros(150);

/// Waits for the first answer from that address. Once the address is bound, the request waits in the accept queue and is answered first.
async fn answers(address: SocketAddr) {
    eventually(LIVE, "it answers", || raw::get(address, "a.test", "/")).await;
}

/// Sends SIGTERM after a delay that grows with `round`, and expects a graceful exit.
async fn leaves(mut daemon: Daemon, round: u32) {
    let at = Instant::now() + LATER * round;
    while Instant::now() < at {
        std::hint::spin_loop();
    }
    daemon.signal(Signal::TERM);
    let (status, _) = daemon.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0), "round {round}: {status}");
}

#[tokio::test]
async fn a_proxy_that_is_told_to_leave_right_after_its_first_answer_drains_and_leaves() {
    let mut fleet = Plan::new(1)
        .proxy(0, "client_defer_accept: false")
        .lay_out();
    for round in 0..ROUNDS {
        fleet.launch_proxy(0);
        answers(fleet.http(0)).await;
        leaves(fleet.proxies[0].take().unwrap(), round).await;
    }
    let drained = fleet.log("proxy-0").matches("drained").count();
    assert_eq!(drained, ROUNDS as usize);
}

#[tokio::test]
async fn control_that_is_told_to_leave_right_after_its_first_answer_leaves_in_order() {
    let mut fleet = Plan::new(0).lay_out();
    for round in 0..ROUNDS {
        fleet.launch_control();
        answers(fleet.api()).await;
        leaves(fleet.control.take().unwrap(), round).await;
    }
}

/// Waits until the supervisor has started one of its daemons.
async fn keeps_somebody(supervisor: &Daemon) {
    let kept = || async {
        let children = process::children(supervisor.pid());
        (!children.is_empty())
            .then_some(())
            .ok_or_else(|| "nobody".to_owned())
    };
    eventually(LIVE, "a daemon is started", kept).await;
}

#[tokio::test]
async fn the_one_box_command_that_is_told_to_leave_while_its_daemons_start_leaves_with_them() {
    let document = site("a.test", &["127.0.0.1:9"]);
    let fleet: Fleet = Plan::new(1).document(&document).lay_out();
    let config = fleet.one_box();
    let log = fleet.folder().join("aralez.log");
    for round in 0..ROUNDS / 4 {
        let supervisor = Daemon::start("aralez", &["-c", &config], &log);
        keeps_somebody(&supervisor).await;
        leaves(supervisor, round).await;
    }
    assert!(!fleet.log("aralez").contains("killing"));
}
