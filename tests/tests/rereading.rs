//! Settings that SIGHUP rereads from `main.yaml` apply immediately.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::Daemon;
use rustix::process::Signal;

const SECOND: Duration = Duration::from_secs(1);

fn replace(fleet: &Fleet, file: &str, from: &str, to: &str) {
    let path = fleet.folder().join(file);
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(from), "{before}");
    std::fs::write(&path, before.replace(from, to)).unwrap();
}

/// Sends SIGHUP and waits until the daemon has logged `words` once more.
async fn reread(daemon: &Daemon, words: &str) {
    let count = || daemon.log().matches(words).count();
    let before = count();
    daemon.signal(Signal::HUP);
    eventually(LIVE, words, || async { same(&(count() > before), &true) }).await;
}

/// Checks that logging follows `log_level`, by a line that is logged at `info` for each change: it disappears at `warn` and reappears at
/// `debug`.
async fn follows_the_level(
    fleet: &Fleet,
    origin: &Origin,
    daemon: &Daemon,
    file: &str,
    line: &str,
) {
    let told = || daemon.log().matches(line).count();
    let change = async |version: &str| {
        let document = versioned("a.test", version, origin.address());
        fleet.apply(&document).await;
        fleet.until_current(LIVE).await;
    };
    change("1").await;
    eventually(LIVE, "it tells of a change", || async {
        same(&(told() > 0), &true)
    })
    .await;
    let before = told();
    replace(fleet, file, "log_level: info", "log_level: warn");
    // A new `pid_file` needs a restart, which is logged at `warn`.
    let waits = "pid_file: /nowhere/aralez.pid\nlog_level";
    replace(fleet, file, "log_level", waits);
    reread(daemon, "need a restart").await;
    change("2").await;
    replace(fleet, file, "log_level: warn", "log_level: debug");
    reread(daemon, "main.yaml reread").await;
    change("3").await;
    eventually(LIVE, "it tells of changes again", || async {
        same(&(told() > before), &true)
    })
    .await;
    assert_eq!(told(), before + 1, "the second one came at `warn`");
}

#[tokio::test]
async fn hup_takes_the_log_level_of_both_daemons_at_once() {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(1)
        .control("log_level: info")
        .proxy(0, "log_level: info")
        .start()
        .await;
    let (control, proxy) = (fleet.control(), fleet.proxies[0].as_ref().unwrap());
    let applied = "update applied";
    follows_the_level(&fleet, &origin, proxy, "proxy-0.yaml", applied).await;
    assert!(
        !control.log().contains("sending update"),
        "{}",
        control.log()
    );
    follows_the_level(
        &fleet,
        &origin,
        control,
        "control.yaml",
        "committed revision",
    )
    .await;
    let log = control.log();
    assert_eq!(
        log.matches("sending update").count(),
        1,
        "at `debug`: {log}"
    );
}

#[tokio::test]
async fn hup_takes_the_lame_duck_of_a_proxy_at_once() {
    let mut fleet = Plan::new(1)
        .proxy(0, "client_defer_accept: false")
        .start()
        .await;
    replace(&fleet, "proxy-0.yaml", "lame_duck: 0s", "lame_duck: 2s");
    let mut proxy = fleet.proxies[0].take().unwrap();
    reread(&proxy, "main.yaml reread").await;
    let (told, address) = (Instant::now(), fleet.http(0));
    proxy.signal(Signal::TERM);
    let open = || async { same(&TcpStream::connect(address).is_err(), &true) };
    eventually(LIVE, "the listeners close", open).await;
    let open = told.elapsed();
    println!("the listeners closed {open:?} after the signal");
    assert!(open >= 2 * SECOND && open < 4 * SECOND, "{open:?}");
    let (status, _) = proxy.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
