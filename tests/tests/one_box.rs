//! `aralez -u`: the one-box command is replaced by another one without a client noticing.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::new_connections::NewConnections;
use aralez_tests::origin::Origin;
use aralez_tests::process::{self, Daemon};
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(30);

fn start(fleet: &Fleet, round: usize, arguments: &[&str]) -> Daemon {
    let config = fleet.folder().join("main.yaml").display().to_string();
    let log = fleet.folder().join(format!("aralez-{round}.log"));
    Daemon::start("aralez", &[&["-c", &config], arguments].concat(), &log)
}

fn pid_file(fleet: &Fleet) -> Option<u32> {
    let text = std::fs::read_to_string(fleet.folder().join("aralez.pid")).ok()?;
    text.trim().parse().ok()
}

async fn leads(fleet: &Fleet, supervisor: &Daemon) {
    eventually(SOON, "it leads, with both daemons", || async {
        same(&pid_file(fleet), &Some(supervisor.pid()))?;
        let children = process::children(supervisor.pid());
        same(&children.len(), &2).map_err(|error| format!("{error}: {children:?}"))
    })
    .await;
}

/// A process that is no child of the test. It is killed when this is dropped.
struct Background(u32);

impl Background {
    /// Returns the process that the pid file names.
    fn of(fleet: &Fleet) -> Self {
        Self(pid_file(fleet).expect("it has written its pid file"))
    }

    async fn ended(&self) {
        eventually(SOON, "it ends", || async {
            same(&process::alive(self.0), &false)
        })
        .await;
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if process::alive(self.0) {
            process::kill(self.0, Signal::KILL);
        }
    }
}

fn one_box(origin: &Origin, lines: &str) -> Fleet {
    let fleet = Plan::new(1)
        .proxy(0, &format!("grace_period: 10s\n{lines}"))
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    let config = fleet.one_box();
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("lame_duck: 0s", "lame_duck: 10s");
    let pid = fleet.folder().join("aralez.pid");
    std::fs::write(config, format!("{text}pid_file: {}\n", pid.display())).unwrap();
    fleet
}

/// Four replacements, in both orders: the new command is started first, or the running one receives SIGQUIT first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_in_either_order_lose_no_client_and_no_history() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "max_connections_per_address: 0");
    let mut running = start(&fleet, 0, &[]);
    leads(&fleet, &running).await;
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    let load = NewConnections::start(fleet.http(0));
    for round in 1..=4 {
        let revision = fleet.revision(0).await.unwrap();
        if round % 2 == 0 {
            running.signal(Signal::QUIT);
        }
        let next = start(&fleet, round, &["-u"]);
        let (status, took) = running.end(SOON).await.unwrap();
        assert_eq!(status.code(), Some(0), "{}", running.log());
        leads(&fleet, &next).await;
        println!("round {round}: the one before left after {took:?}");
        running = next;
        load.go_on(100).await;
        // The new control has the history of its predecessor, and the new proxy follows it.
        let document = site(&format!("r{round}.test"), &[origin.address()]);
        let both = site("a.test", &[origin.address()]) + &document;
        eventually(SOON, "the new control takes a push", || async {
            let answer = fleet.try_push(&both).await?;
            (answer.status == 200).then_some(()).ok_or(answer.text())
        })
        .await;
        eventually(SOON, "the new proxy runs it", || async {
            let now = fleet.revision(0).await?;
            (now > revision).then_some(()).ok_or(format!("{now}"))
        })
        .await;
    }
    let served = load.all_served().await;
    println!("4 upgrades, {served} requests on new connections, none failed");
}

#[tokio::test]
async fn an_upgrade_that_cannot_start_leaves_the_running_one_as_it_was() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "");
    let running = start(&fleet, 0, &[]);
    leads(&fleet, &running).await;
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    let before = process::children(running.pid());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = fleet.folder().join("main.yaml");
    let good = std::fs::read_to_string(&config).unwrap();
    let (one, more) = (fleet.http(0), taken.local_addr().unwrap());
    let from = format!("proxy_address_http: {one}\n");
    assert!(good.contains(&from), "{good}");
    let bad = good.replace(
        &from,
        &format!("proxy_address_http: [\"{one}\", \"{more}\"]\n"),
    );
    std::fs::write(&config, bad).unwrap();
    let mut fails = start(&fleet, 1, &["-u"]);
    let (status, _) = fails.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(
        fails.log().contains("the running one continues"),
        "{}",
        fails.log()
    );
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    assert_eq!(process::children(running.pid()), before);
    assert_eq!(pid_file(&fleet), Some(running.pid()));
}

#[tokio::test]
async fn without_a_running_command_u_starts_as_usual_and_says_so() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "");
    let alone = start(&fleet, 0, &["-u"]);
    leads(&fleet, &alone).await;
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    assert!(alone.log().contains("no running aralez"), "{}", alone.log());
}

#[tokio::test]
async fn a_second_command_on_the_same_state_is_refused_and_told_of_the_first() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "");
    let running = start(&fleet, 0, &[]);
    leads(&fleet, &running).await;
    let mut second = start(&fleet, 1, &[]);
    let (status, _) = second.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let said = second.log();
    assert!(said.contains("aralez -u"), "{said}");
    assert!(said.contains(&running.pid().to_string()), "{said}");
}

/// Runs the documented `ExecReload` lines in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d_returns_when_traffic_is_served_and_the_documented_reload_loses_nobody() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "max_connections_per_address: 0");
    let (status, _) = start(&fleet, 0, &["-d"]).end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let first = Background::of(&fleet);
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    let load = NewConnections::start(fleet.http(0));
    load.go_on(50).await;
    process::kill(first.0, Signal::QUIT);
    let (status, _) = start(&fleet, 1, &["-u", "-d"]).end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let second = Background::of(&fleet);
    assert_ne!(first.0, second.0);
    first.ended().await;
    load.go_on(50).await;
    let served = load.all_served().await;
    println!("a reload in the background, {served} requests on new connections, none failed");
    process::kill(second.0, Signal::TERM);
    second.ended().await;
    assert_eq!(pid_file(&fleet), None);
}

#[tokio::test]
async fn d_that_cannot_start_fails_in_the_foreground_and_leaves_nothing_behind() {
    let origin = Origin::start("a").await;
    let fleet = one_box(&origin, "daemon: true");
    let _taken = std::net::TcpListener::bind(fleet.http(0)).unwrap();
    let mut foreground = start(&fleet, 0, &[]);
    let (status, _) = foreground.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let said = foreground.log();
    assert!(said.contains("proxy_address_http"), "{said}");
    assert_eq!(pid_file(&fleet), None);
}
