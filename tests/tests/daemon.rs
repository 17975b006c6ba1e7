//! Starting, stopping, refusing to start: exit codes, and the one line that names the problem and its place.

use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::process::{self, run, text};
use aralez_tests::raw;
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(15);
const DAEMONS: [&str; 2] = ["aralez-control", "aralez-proxy"];

/// Asserts that the last non-empty line contains `parts`, and that the output holds no backtrace.
#[track_caller]
fn one_line(output: &std::process::Output, parts: &[&str]) {
    let said = text(output);
    let lines: Vec<_> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.last().copied().unwrap_or_default();
    for part in parts {
        assert!(
            last.contains(part),
            "{part:?} is not in the last line of {said}"
        );
    }
    assert!(
        !said.contains("panicked") && !said.contains("backtrace"),
        "{said}"
    );
}

#[tokio::test]
async fn versions_and_usage() {
    for name in ["aralez-control", "aralez-proxy", "aralez-ctl", "aralez"] {
        let output = run(SOON, name, &["-V"]).await;
        assert_eq!(output.status.code(), Some(0), "{name} -V");
        assert!(
            text(&output).contains(env!("CARGO_PKG_VERSION")),
            "{name}: {}",
            text(&output)
        );
        let output = run(SOON, name, &["--no-such-thing"]).await;
        assert_eq!(output.status.code(), Some(2), "{name}: usage");
    }
}

#[tokio::test]
async fn a_check_finds_every_fault_and_starts_nothing() {
    let fleet = Plan::new(1).lay_out();
    let control = fleet.folder().join("control.yaml").display().to_string();
    let proxy = fleet.folder().join("proxy-0.yaml").display().to_string();
    for (name, file) in [("aralez-control", &control), ("aralez-proxy", &proxy)] {
        let output = run(SOON, name, &["-t", "-c", file]).await;
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output));
    }
    let bad = fleet.folder().join("bad.yaml").display().to_string();
    std::fs::write(
        &bad,
        "config_adress: 127.0.0.1:3000\nproxy_address_http: 127.0.0.1:70000\n",
    )
    .unwrap();
    for name in DAEMONS {
        for arguments in [vec!["-t", "-c", &bad], vec!["-c", &bad]] {
            let output = run(SOON, name, &arguments).await;
            let said = text(&output);
            assert_eq!(output.status.code(), Some(1), "{name}: {said}");
            for part in [
                "bad.yaml:1:1",
                "config_adress",
                "config_address",
                "bad.yaml:2:",
                "70000",
            ] {
                assert!(said.contains(part), "{name}: {part} is not in {said}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_start_says_what_and_where_and_exits_1() {
    let fleet = Plan::new(1).start().await;
    let missing = fleet.folder().join("missing.yaml").display().to_string();
    for name in DAEMONS {
        let output = run(SOON, name, &["-c", &missing]).await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        one_line(&output, &["missing.yaml"]);
    }
    let control = fleet.folder().join("control.yaml").display().to_string();
    let output = run(SOON, "aralez-control", &["-c", &control]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    one_line(&output, &[fleet.state().join("control").to_str().unwrap()]);
    let proxy = fleet.folder().join("proxy-0.yaml").display().to_string();
    let output = run(SOON, "aralez-proxy", &["-c", &proxy]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    one_line(&output, &[fleet.state().to_str().unwrap()]);

    let elsewhere = tempfile::tempdir().unwrap();
    for (name, file, port) in [
        ("aralez-control", &control, fleet.api().port()),
        ("aralez-proxy", &proxy, fleet.http(0).port()),
    ] {
        let config = std::fs::read_to_string(file).unwrap();
        let config = config.replace(
            fleet.folder().to_str().unwrap(),
            elsewhere.path().to_str().unwrap(),
        );
        let copy = elsewhere.path().join("main.yaml").display().to_string();
        std::fs::create_dir_all(elsewhere.path().join("documents")).unwrap();
        std::fs::write(&copy, config).unwrap();
        let output = run(SOON, name, &["-c", &copy]).await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        one_line(&output, &[&port.to_string()]);
    }
}

#[tokio::test]
async fn sigterm_finishes_what_runs_and_leaves_when_idle() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 20s")
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    a.answer_with(ScriptedAnswer::ok("late").after(Duration::from_millis(1_500)));
    let address = fleet.http(0);
    let slow = tokio::spawn(async move { raw::get(address, "a.test", "/slow").await });
    let arrived = || async {
        same(
            &a.requests()
                .iter()
                .any(|request| request.target() == "/slow"),
            &true,
        )
    };
    eventually(LIVE, "the slow request is under way", arrived).await;
    let start = Instant::now();
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    let response = slow.await.unwrap().unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, "late"));
    let (status, _) = proxy.end(SOON).await.unwrap();
    println!("the proxy left {:?} after SIGTERM", start.elapsed());
    assert_eq!(status.code(), Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "it leaves when idle: {:?}",
        start.elapsed()
    );

    let mut control = fleet.control.take().unwrap();
    control.signal(Signal::TERM);
    let (status, took) = control.end(SOON).await.unwrap();
    println!("control left after {took:?}");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn sigterm_does_not_wait_longer_than_the_grace() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 1s")
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    a.answer_with(ScriptedAnswer::ok("never").after(Duration::from_secs(60)));
    let address = fleet.http(0);
    let slow = tokio::spawn(async move { raw::get(address, "a.test", "/slow").await });
    eventually(LIVE, "it is under way", || async { same(&a.count(), &1) }).await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    let (status, took) = proxy.end(SOON).await.unwrap();
    println!("left after {took:?} with a request that hangs");
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(8), "{took:?}");
    slow.abort();
}

fn daemon(supervisor: u32, name: &str) -> Option<u32> {
    // The kernel keeps the first fifteen bytes of a process name.
    let name = &name[..name.len().min(15)];
    process::children(supervisor)
        .into_iter()
        .find(|(_, child)| child == name)
        .map(|(id, _)| id)
}

#[tokio::test]
async fn one_box_restarts_a_daemon_that_died_and_takes_both_along() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .lay_out();
    let config = fleet.one_box();
    let supervisor = process::Daemon::start(
        "aralez",
        &["-c", &config],
        &fleet.folder().join("aralez.log"),
    );
    let id = supervisor.pid();
    fleet.proxies[0] = Some(supervisor);
    fleet.until_serving(LIVE * 2, "a.test", "a").await;
    for name in DAEMONS {
        let old = daemon(id, name)
            .unwrap_or_else(|| panic!("{name} is no child: {:?}", process::children(id)));
        process::kill(old, Signal::KILL);
        eventually(LIVE, "it is started again", || async {
            let new = daemon(id, name).filter(|new| *new != old);
            new.map(drop)
                .ok_or_else(|| format!("{:?}", process::children(id)))
        })
        .await;
        fleet.until_serving(LIVE * 2, "a.test", "a").await;
    }
    let both: Vec<_> = DAEMONS.iter().filter_map(|name| daemon(id, name)).collect();
    assert_eq!(both.len(), 2);
    process::kill(id, Signal::KILL);
    eventually(LIVE, "both daemons go with it", || async {
        let left: Vec<_> = both.iter().filter(|id| process::alive(**id)).collect();
        same(&left.len(), &0)
    })
    .await;
    println!(
        "one-box: {}",
        fleet.folder().join("aralez.log").metadata().unwrap().len()
    );
}

#[tokio::test]
async fn one_box_ends_in_peace_on_sigterm() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .lay_out();
    let config = fleet.one_box();
    let output = run(SOON, "aralez", &["-t", "-c", &config]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let mut supervisor = process::Daemon::start(
        "aralez",
        &["-c", &config],
        &fleet.folder().join("aralez.log"),
    );
    fleet.serves_on(0, LIVE * 2, "a.test", "a").await;
    supervisor.signal(Signal::TERM);
    let (status, took) = supervisor.end(SOON).await.unwrap();
    println!("one-box left after {took:?}");
    assert_eq!(status.code(), Some(0));
}
