//! Signals: those that a daemon obeys, and those that must not end it.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use rustix::process::Signal;

/// Signals that end a process that does not take them, and that no daemon is meant by.
const STRAYS: [Signal; 8] = [
    Signal::ALARM,
    Signal::USR2,
    Signal::VTALARM,
    Signal::PROF,
    Signal::IO,
    Signal::POWER,
    Signal::XFSZ,
    Signal::PIPE,
];

fn replace(fleet: &Fleet, file: &str, from: &str, to: &str) {
    let path = fleet.folder().join(file);
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(from), "{before}");
    std::fs::write(&path, before.replace(from, to)).unwrap();
}

async fn says(fleet: &Fleet, daemon: &str, words: &str) {
    let said = || async {
        let log = fleet.log(daemon);
        log.contains(words).then_some(()).ok_or(log)
    };
    eventually(LIVE, words, said).await;
}

#[tokio::test]
async fn a_stray_signal_ends_no_daemon_and_no_request() {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.serves(LIVE, "a.test", "a").await;
    for signal in STRAYS {
        fleet.control().signal(signal);
        let answer = fleet.get(0, "a.test", "/").await.unwrap();
        assert_eq!(answer.status, 200, "{signal:?}");
        assert!(fleet.head().await.is_ok(), "{signal:?}");
    }
}

#[tokio::test]
async fn hup_takes_the_live_keys_of_control_and_names_those_that_need_a_restart() {
    let fleet = Plan::new(0)
        .control("config_api_enabled: true\nlog_level: info")
        .start()
        .await;
    let document = site("a.test", &["127.0.0.1:9".parse().unwrap()]);
    replace(
        &fleet,
        "control.yaml",
        "config_api_enabled: true",
        "config_api_enabled: false",
    );
    replace(
        &fleet,
        "control.yaml",
        MASTER_KEY,
        "another-key-that-waits-for-a-restart",
    );
    fleet.control().signal(Signal::HUP);
    says(&fleet, "control", "after a restart").await;
    let log = fleet.log("control");
    assert!(
        log.contains("keys=\"master_key\"") || log.contains("keys=master_key"),
        "{log}"
    );
    let answer = fleet.push(&document).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (403, "Config remote API is disabled !\n")
    );

    replace(
        &fleet,
        "control.yaml",
        "config_api_enabled: false",
        "config_api_enabled: perhaps",
    );
    fleet.control().signal(Signal::HUP);
    says(&fleet, "control", "expected true or false").await;
    assert_eq!(
        fleet.push(&document).await.status,
        403,
        "a faulty file changes nothing"
    );

    replace(
        &fleet,
        "control.yaml",
        "config_api_enabled: perhaps",
        "config_api_enabled: true",
    );
    fleet.control().signal(Signal::HUP);
    let pushed = || async {
        let answer = fleet.push(&document).await;
        (answer.status == 200).then_some(()).ok_or(answer.text())
    };
    eventually(
        LIVE,
        "the API takes configuration again, by the key of the start",
        pushed,
    )
    .await;
}

#[tokio::test]
async fn usr1_opens_the_log_file_of_control_again() {
    let mut fleet = Plan::new(0).lay_out();
    let log = fleet.folder().join("error.log");
    let path = fleet.folder().join("control.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{config}error_log: {}\n", log.display())).unwrap();
    fleet.start_control().await;
    let rotated = fleet.folder().join("error.log.1");
    std::fs::rename(&log, &rotated).unwrap();
    fleet.control().signal(Signal::USR1);
    let reopened = || async {
        let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        text.contains("opened again").then_some(()).ok_or(text)
    };
    eventually(LIVE, "the new file is written", reopened).await;
}

#[tokio::test]
async fn quit_lets_control_leave_in_order() {
    let mut fleet = Fleet::start(0).await;
    let mut control = fleet.control.take().unwrap();
    control.signal(Signal::QUIT);
    let (status, _) = control.end(Duration::from_secs(10)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let output = fleet.ctl(&["status"]).await;
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
}
