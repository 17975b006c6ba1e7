//! Which exits of a proxy count against its configuration, and which do not.

use std::time::Duration;

use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::process::{self, Daemon};
use aralez_tests::raw::{Connection, Request};
use rustix::process::Signal;

async fn persisted(fleet: &Fleet, revision: u64) {
    eventually(LIVE * 2, "the version is safe on disk", || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(revision),
        )
    })
    .await;
}

/// Starts a fleet of one proxy whose cache holds two revisions: both were applied, and the second one runs.
async fn two_revisions(a: &Origin, b: &Origin) -> (Fleet, u64) {
    let mut fleet = Plan::new(1)
        .document(&versioned("a.test", "1.a", a.address()))
        .start()
        .await;
    let first = fleet.until_current(LIVE).await;
    persisted(&fleet, first).await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE * 2).await.unwrap();
    fleet.start_proxy(0).await;
    let second = fleet.apply(&versioned("a.test", "2.b", b.address())).await;
    persisted(&fleet, second).await;
    (fleet, second)
}

/// Asserts that the last revision runs again and that no fault is reported against it.
async fn runs_on(fleet: &Fleet, revision: u64) {
    fleet.until_serving(LIVE, "a.test", "b").await;
    assert_eq!(fleet.revision(0).await.unwrap(), revision);
    assert_eq!(fleet.until_current(LIVE).await, revision);
    let node = fleet.node(0).await.unwrap();
    assert!(node.faults.is_empty(), "{node:?}");
}

/// `docker restart` during one long request, twice: the drain outlasts the runtime's stop timeout, and the kill looks like a crash.
#[tokio::test]
async fn two_crashes_in_the_middle_of_a_drain_do_not_cost_the_newer_configuration() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    for _ in 0..2 {
        fleet.until_serving(LIVE, "a.test", "b").await;
        b.answer_once(ScriptedAnswer::ok("late").after(Duration::from_secs(60)));
        let mut busy = Connection::open(fleet.http(0)).await.unwrap();
        let request = Request::get("a.test", "/slow").head();
        busy.write(&request).await.unwrap();
        let arrived = || async { same(&b.last().target(), &"/slow") };
        eventually(LIVE, "the slow request is under way", arrived).await;
        fleet.proxies[0].as_ref().unwrap().signal(Signal::TERM);
        fleet.until_draining(0).await;
        crashes(&mut fleet).await;
    }
    runs_on(&fleet, second).await;
}

/// Waits until the proxy's log contains `words` exactly `times` times.
async fn says(fleet: &Fleet, words: &str, times: usize) {
    let said = || async {
        let log = fleet.log("proxy-0");
        let count = log.matches(words).count();
        (count == times).then_some(()).ok_or(log)
    };
    eventually(LIVE, words, said).await;
}

#[tokio::test]
async fn two_crashes_of_a_proxy_that_waits_for_its_successor_do_not_cost_the_newer_configuration() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    let path = fleet.folder().join("proxy-0.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace("lame_duck: 0s", "lame_duck: 60s")).unwrap();
    fleet.proxies[0].as_ref().unwrap().signal(Signal::HUP);
    says(&fleet, "main.yaml reread", 1).await;
    for round in 1..=2 {
        fleet.proxies[0].as_ref().unwrap().signal(Signal::QUIT);
        says(&fleet, "waiting for a successor", round).await;
        crashes(&mut fleet).await;
    }
    runs_on(&fleet, second).await;
}

/// The signal of a defect, as abort() and a failed C assertion raise it. Rust's SIGSEGV handler ignores a SIGSEGV that another process
/// sends.
const DEFECT: Signal = Signal::ABORT;

/// Terminates the proxy with a signal of a defect, records the exit as the systemd unit does, and starts it again.
async fn crashes(fleet: &mut Fleet) {
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(DEFECT);
    proxy.end(LIVE).await.unwrap();
    record_exit(fleet, ("core-dump", "dumped", "ABRT")).await;
    fleet.start_proxy(0).await;
}

async fn record_exit(fleet: &Fleet, (result, code, status): (&str, &str, &str)) {
    let config = fleet.folder().join("proxy-0.yaml");
    let arguments = ["--record-exit", "-c", config.to_str().unwrap()];
    let told = [
        ("SERVICE_RESULT", result),
        ("EXIT_CODE", code),
        ("EXIT_STATUS", status),
    ];
    let output = process::run_with(LIVE, "aralez-proxy", &arguments, &told).await;
    assert!(output.status.success(), "{}", process::text(&output));
}

async fn is_suspect(fleet: &Fleet, code: &str) {
    eventually(LIVE, "control knows that it is suspect", || async {
        let node = fleet.node(0).await?;
        let faults = format!("{:?}", node.faults);
        same(&faults.contains(code), &true).map_err(|_| format!("{node:?}"))
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_crashed_twice_as_the_unit_saw_gives_way_and_one_that_was_killed_does_not()
 {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    // Out of memory, twice, and SIGKILL: the configuration may or may not be at fault.
    for result in ["oom-kill", "signal", "oom-kill"] {
        fleet.kill_proxy(0);
        record_exit(&fleet, (result, "killed", "KILL")).await;
        fleet.start_proxy(0).await;
        fleet.until_serving(LIVE, "a.test", "b").await;
    }
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    fleet.start_proxy(0).await;
    assert_eq!(fleet.revision(0).await.unwrap(), second);
    crashes(&mut fleet).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    crashes(&mut fleet).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    is_suspect(&fleet, "suspect").await;
    assert_eq!(fleet.revision(0).await.unwrap(), second - 1);
}

#[tokio::test]
async fn a_port_that_is_taken_says_nothing_about_the_configuration() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    crashes(&mut fleet).await;
    for _ in 0..4 {
        // Another process on the same state and ports fails, which does not count against the first one.
        let config = fleet.folder().join("proxy-0.yaml");
        let output = process::run(LIVE, "aralez-proxy", &["-c", config.to_str().unwrap()]).await;
        assert_eq!(output.status.code(), Some(1));
    }
    fleet.kill_proxy(0);
    record_exit(&fleet, ("exit-code", "exited", "1")).await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    assert_eq!(fleet.revision(0).await.unwrap(), second);
}

/// The supervisor passes the exit status of the previous proxy to the next one.
#[tokio::test]
async fn under_the_supervisor_a_configuration_that_crashed_twice_gives_way() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, _) = two_revisions(&a, &b).await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    let mut control = fleet.control.take().unwrap();
    control.signal(Signal::TERM);
    control.end(LIVE).await.unwrap();
    let main = fleet.one_box();
    let log = fleet.folder().join("one-box.log");
    let supervisor = Daemon::start("aralez", &["-c", &main], &log);
    let proxy_of = || async {
        let children = process::children(supervisor.pid());
        let proxy = children
            .iter()
            .find(|(_, name)| name.starts_with("aralez-proxy"));
        let (id, _) = proxy.ok_or_else(|| format!("no proxy in {children:?}"))?;
        let answer = fleet.get(0, "a.test", "/").await?;
        same(&answer.status, &200)?;
        Ok(*id)
    };
    for expected in ["b", "b", "a"] {
        let id = eventually(LIVE * 2, "a proxy serves", proxy_of).await;
        fleet.serves_on(0, LIVE, "a.test", expected).await;
        process::kill(id, DEFECT);
        let gone = || async { same(&process::alive(id), &false) };
        eventually(LIVE, "it is gone", gone).await;
    }
}

#[tokio::test]
async fn control_has_a_suspect_configuration_tried_once_more_and_it_serves() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    crashes(&mut fleet).await;
    crashes(&mut fleet).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    is_suspect(&fleet, "suspect").await;
    fleet.kill_control();
    fleet.add_control_arguments(&["--retry-suspects-ms", "500", "--heartbeat-ms", "300"]);
    fleet.start_control().await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    assert_eq!(fleet.until_current(LIVE).await, second);
    // The proxy died on that try: the configuration is refused until an operator requests another try.
    crashes(&mut fleet).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    is_suspect(&fleet, "fatal").await;
    stays(Duration::from_secs(3), "it is not tried again", || async {
        same(&fleet.get(0, "a.test", "/").await?.text(), &"a".to_owned())
    })
    .await;
    let output = fleet.ctl(&["node", "retry", "proxy-0"]).await;
    assert!(output.status.success(), "{}", process::text(&output));
    fleet.until_serving(LIVE, "a.test", "b").await;
}

#[tokio::test]
async fn a_proxy_alone_tries_a_suspect_configuration_once_more_by_itself() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    fleet.kill_control();
    crashes(&mut fleet).await;
    crashes(&mut fleet).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    fleet.add_proxy_arguments(0, &["--retry-alone-ms", "300"]);
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    assert_eq!(fleet.revision(0).await.unwrap(), second);
    fleet.kill_proxy(0);
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    stays(Duration::from_secs(3), "it is not tried again", || async {
        same(&fleet.get(0, "a.test", "/").await?.text(), &"a".to_owned())
    })
    .await;
    fleet.start_control().await;
    is_suspect(&fleet, "fatal").await;
}
