//! Signals that a daemon obeys, and signals that must not terminate it.

use std::process::Command;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::process::{self, Daemon, text};
use aralez_tests::raw;
use rustix::process::Signal;

/// Signals that terminate a process by default and have no meaning for a daemon. The last four are real-time signals: SIGRTMIN of glibc and
/// of musl, one in the middle, and SIGRTMAX.
const STRAYS: [i32; 14] = [
    Signal::ALARM.as_raw(),
    Signal::USR2.as_raw(),
    Signal::VTALARM.as_raw(),
    Signal::PROF.as_raw(),
    Signal::IO.as_raw(),
    Signal::POWER.as_raw(),
    Signal::XFSZ.as_raw(),
    Signal::XCPU.as_raw(),
    Signal::STKFLT.as_raw(),
    Signal::PIPE.as_raw(),
    34,
    35,
    50,
    64,
];

/// Sends a signal with the `kill` command: rustix has no real-time signals.
fn kill(number: i32, daemon: &Daemon) {
    let line = format!("kill -{number} {}", daemon.pid());
    let sent = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(sent.success(), "{line}");
}

/// Starts one supervisor with both daemons, which logs to `aralez.log`.
async fn one_box(lines: &str, document: &str) -> (Fleet, Daemon) {
    let fleet = Plan::new(1).control(lines).document(document).lay_out();
    let config = fleet.one_box();
    let log = fleet.folder().join("aralez.log");
    let supervisor = Daemon::start("aralez", &["-c", &config], &log);
    fleet.serves_on(0, 2 * LIVE, "a.test", "a").await;
    (fleet, supervisor)
}

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
    fleet.until_serving(LIVE, "a.test", "a").await;
    for signal in STRAYS {
        kill(signal, fleet.control());
        kill(signal, fleet.proxies[0].as_ref().unwrap());
        let answer = fleet.get(0, "a.test", "/").await;
        assert!(answer.is_ok_and(|answer| answer.status == 200), "{signal}");
        assert!(fleet.head().await.is_ok(), "{signal}");
    }
}

#[tokio::test]
async fn hup_takes_the_live_keys_of_control_and_names_those_that_need_a_restart() {
    let fleet = Plan::new(0)
        .control("config_api_enabled: true\nlog_level: info")
        .start()
        .await;
    let document = site("a.test", &["127.0.0.1:9"]);
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
    says(&fleet, "control", "need a restart").await;
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
        text.contains("log reopened").then_some(()).ok_or(text)
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

#[tokio::test]
async fn hup_takes_the_times_of_leaving_of_a_proxy_and_names_what_needs_a_restart() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 60s\nlog_level: info")
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let threads = "threads: 2";
    replace(
        &fleet,
        "proxy-0.yaml",
        "grace_period: 60s",
        "grace_period: 1s",
    );
    replace(&fleet, "proxy-0.yaml", threads, "threads: 3");
    fleet.proxies[0].as_ref().unwrap().signal(Signal::HUP);
    says(&fleet, "proxy-0", "need a restart").await;
    let log = fleet.log("proxy-0");
    assert!(
        log.contains("threads") && log.contains("grace_period"),
        "{log}"
    );

    replace(&fleet, "proxy-0.yaml", "threads: 3", "threads: many");
    fleet.proxies[0].as_ref().unwrap().signal(Signal::HUP);
    says(&fleet, "proxy-0", "keeping the previous one").await;
    fleet.until_serving(LIVE, "a.test", "a").await;

    // A hanging request keeps the proxy alive for its whole grace period: the one second that SIGHUP set.
    origin.answer_with(ScriptedAnswer::ok("never").after(Duration::from_secs(60)));
    let address = fleet.http(0);
    let hangs = tokio::spawn(async move { raw::get(address, "a.test", "/hangs").await });
    eventually(LIVE, "a request is under way", || async {
        same(&origin.last().target(), &"/hangs")
    })
    .await;
    let told = Instant::now();
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(
        told.elapsed() >= Duration::from_secs(1),
        "{:?}",
        told.elapsed()
    );
    hangs.abort();
}

#[tokio::test]
async fn usr1_opens_the_log_file_of_a_proxy_again() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    let log = fleet.folder().join("error.log");
    let path = fleet.folder().join("proxy-0.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{config}error_log: {}\n", log.display())).unwrap();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    std::fs::rename(&log, fleet.folder().join("error.log.1")).unwrap();
    fleet.proxies[0].as_ref().unwrap().signal(Signal::USR1);
    eventually(LIVE, "the new file is written", || async {
        let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        text.contains("log reopened").then_some(()).ok_or(text)
    })
    .await;
}

#[tokio::test]
async fn the_one_box_command_passes_hup_and_usr1_on_and_survives_strays() {
    let origin = Origin::start("a").await;
    let document = site("a.test", &[origin.address()]);
    let (fleet, supervisor) = one_box("", &document).await;
    let config = fleet.folder().join("main.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        format!("{text}config_api_enabled: false\nlame_duck: 1s\n").replace("lame_duck: 0s\n", ""),
    )
    .unwrap();
    supervisor.signal(Signal::HUP);
    eventually(LIVE, "control takes it", || async {
        same(&fleet.push(&document).await.status, &403)
    })
    .await;
    says(&fleet, "aralez", "lame_duck").await;
    supervisor.signal(Signal::USR1);
    eventually(LIVE, "all three say so", || async {
        same(&fleet.log("aralez").matches("log reopened").count(), &3)
    })
    .await;
    let before = process::children(supervisor.pid());
    for signal in STRAYS {
        kill(signal, &supervisor);
    }
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    assert_eq!(process::children(supervisor.pid()), before);
}

#[tokio::test]
async fn quit_lets_the_one_box_command_leave_with_both_daemons() {
    let origin = Origin::start("a").await;
    let (fleet, mut supervisor) = one_box("", &site("a.test", &[origin.address()])).await;
    supervisor.signal(Signal::QUIT);
    // A second SIGQUIT does not cut the shutdown short.
    supervisor.signal(Signal::QUIT);
    let (status, _) = supervisor.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(
        !fleet.log("aralez").contains("killing"),
        "{}",
        fleet.log("aralez")
    );
}
