//! A proxy is replaced by another one without a client noticing: listeners, lock and state pass to the successor.

use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::new_connections::NewConnections;
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::ports::Port;
use aralez_tests::process::Daemon;
use aralez_tests::proof::{Kept, proves};
use aralez_tests::raw::{self, Connection, Request};
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(20);

async fn fleet(sites: &str, lines: &str) -> Fleet {
    let mut fleet = Plan::new(1).proxy(0, lines).document(sites).lay_out();
    // After SIGQUIT the proxy waits this long for a successor.
    replace(&fleet, "lame_duck: 0s", "lame_duck: 10s");
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet
}

fn replace(fleet: &Fleet, old: &str, new: &str) {
    let file = fleet.folder().join("proxy-0.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{old} is not in {text}");
    std::fs::write(&file, text.replace(old, new)).unwrap();
}

fn successor(fleet: &Fleet, round: usize) -> Daemon {
    let config = fleet.folder().join("proxy-0.yaml").display().to_string();
    let log = fleet.folder().join(format!("proxy-0-{round}.log"));
    Daemon::start("aralez-proxy", &["-u", "-c", &config], &log)
}

/// Waits until this process holds the lock, which its predecessor has released.
async fn took_over(fleet: &Fleet, daemon: &Daemon) {
    let lock = fleet.state().join("proxy-proxy-0/lock");
    let pid = daemon.pid().to_string();
    eventually(SOON, "the successor took over", || async {
        let holder = std::fs::read_to_string(&lock).unwrap_or_default();
        same(&holder.trim(), &pid.as_str())
    })
    .await;
}

/// Opens a WebSocket through `ws.test`, whose origin answers nothing else.
async fn web_socket(fleet: &Fleet) -> Connection {
    let mut tunnel = Connection::open(fleet.http(0)).await.unwrap();
    let upgrade = Request::get("ws.test", "/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    assert_eq!(tunnel.send(&upgrade).await.unwrap().status, 101);
    tunnel
}

/// Runs 20 restarts and 10,000 requests with ARALEZ_PROVE, 4 and 400 without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_in_either_order_lose_no_client_while_a_web_socket_keeps_the_old_process() {
    let (rounds, requests) = match proves() {
        true => (20, 500),
        false => (4, 100),
    };
    let [origin, sockets] = [Origin::start("a").await, Origin::start("ws").await];
    sockets.answer_with(ScriptedAnswer::web_socket_echo());
    let sites = site("a.test", &[origin.address()]) + &site("ws.test", &[sockets.address()]);
    let mut fleet = fleet(&sites, "grace_period: 5s\nmax_connections_per_address: 0").await;
    let mut threads = 2;
    let load = NewConnections::start(fleet.http(0));
    let mut leaving = Vec::new();
    for round in 0..rounds {
        let mut tunnel = web_socket(&fleet).await;
        let before = fleet.proxies[0].take().unwrap();
        let next = 66 - threads;
        replace(
            &fleet,
            &format!("threads: {threads}\n"),
            &format!("threads: {next}\n"),
        );
        threads = next;
        let quit_first = round % 4 >= 2;
        if quit_first {
            before.signal(Signal::QUIT);
        }
        let new = successor(&fleet, round);
        took_over(&fleet, &new).await;
        if !quit_first {
            before.signal(Signal::QUIT);
        }
        load.go_on(requests).await;
        tunnel.write(b"ping").await.unwrap();
        assert_eq!(
            tunnel.read_exact(4).await.unwrap(),
            b"ping",
            "round {round}"
        );
        fleet.proxies[0] = Some(new);
        leaving.push((before, tunnel));
    }
    // Several successors started within ten minutes, and none of them counts as a duplicate of the node.
    fleet.until_current(LIVE).await;
    let node = fleet.node(0).await.unwrap();
    assert_eq!(node.all["state"], "current", "{node:?}");
    let served = load.all_served().await;
    let measured =
        format!("0 of {served} requests, {rounds} restarts, alternating 2 and 64 threads");
    let row = Kept {
        what: "restarts with `-u`, with SIGQUIT before or after the start of the successor, while a WebSocket keeps the old process \
            running: requests on new connections that were refused or reset",
        goal: "0 of 10,000 over 20 restarts",
        measured: &measured,
        met: served >= rounds * requests,
        test: "handover",
    };
    row.keep("restarts");
    for (mut process, _) in leaving {
        let (status, _) = process.end(SOON).await.unwrap();
        assert_eq!(status.code(), Some(0));
    }
}

#[tokio::test]
async fn a_successor_that_cannot_start_leaves_the_running_proxy_as_it_was() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&site("a.test", &[origin.address()]), "grace_period: 2s").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, more) = (fleet.http(0), taken.local_addr().unwrap());
    let one = format!("proxy_address_http: {address}\n");
    let two = format!("proxy_address_http: [\"{address}\", \"{more}\"]\n");
    replace(&fleet, &one, &two);
    let (status, _) = successor(&fleet, 1).end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(1));
    fleet.until_serving(LIVE, "a.test", "a").await;

    // The old proxy still accepts updates, writes them to its cache, and hands over to a successor that can start.
    let other = Origin::start("b").await;
    fleet.apply(&site("a.test", &[other.address()])).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    replace(&fleet, &two, &one);
    let new = successor(&fleet, 2);
    took_over(&fleet, &new).await;
    let mut old = fleet.proxies[0].replace(new).unwrap();
    let (status, _) = old.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(0));
    fleet.until_serving(LIVE, "a.test", "b").await;
}

#[tokio::test]
async fn a_successor_closes_the_addresses_it_does_not_serve_and_takes_the_pid_file() {
    let origin = Origin::start("a").await;
    let more = Port::free();
    let pid_file = tempfile::tempdir().unwrap();
    let pid_file = pid_file.path().join("proxy.pid");
    let lines = format!("grace_period: 2s\npid_file: {}", pid_file.display());
    let mut fleet = Plan::new(1)
        .proxy(0, &lines)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    let one = format!("proxy_address_http: {}\n", fleet.http(0));
    let two = format!(
        "proxy_address_http: [\"{}\", \"{}\"]\n",
        fleet.http(0),
        more.address()
    );
    replace(&fleet, &one, &two);
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let answer = raw::get(more.address(), "a.test", "/").await.unwrap();
    assert_eq!(answer.status, 200);
    replace(&fleet, &two, &one);
    let new = successor(&fleet, 1);
    took_over(&fleet, &new).await;
    let pid = new.pid().to_string();
    let mut old = fleet.proxies[0].replace(new).unwrap();
    let (status, _) = old.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let answer = raw::get(more.address(), "a.test", "/").await;
    assert!(answer.is_err(), "{answer:?}");
    fleet.until_serving(LIVE, "a.test", "a").await;
    let text = std::fs::read_to_string(&pid_file).unwrap();
    assert_eq!(text.trim(), pid, "the one before left it to its successor");
}

#[tokio::test]
async fn only_the_successor_writes_the_cache_and_speaks_with_control() {
    let [origin, sockets] = [Origin::start("a").await, Origin::start("ws").await];
    sockets.answer_with(ScriptedAnswer::web_socket_echo());
    let ws = site("ws.test", &[sockets.address()]);
    let sites = site("a.test", &[origin.address()]) + &ws;
    let mut fleet = fleet(&sites, "grace_period: 5s").await;
    let _tunnel = web_socket(&fleet).await;
    let new = successor(&fleet, 1);
    took_over(&fleet, &new).await;
    let old = fleet.proxies[0].replace(new).unwrap();
    // Control lists one node under this name, which runs the newest revision, though both processes live.
    let other = Origin::start("b").await;
    let revision = fleet
        .apply(&(site("a.test", &[other.address()]) + &ws))
        .await;
    assert_eq!(fleet.nodes().await.unwrap().len(), 1);
    fleet.until_serving(LIVE, "a.test", "b").await;
    // A successor is no duplicate of the process that it replaces.
    eventually(LIVE, "the successor proves what it runs", || async {
        same(
            &fleet.node(0).await?.all["state"],
            &serde_json::Value::from("current"),
        )
    })
    .await;
    drop(old);
    // After a kill the next process starts from the cache that the successor wrote.
    eventually(LIVE, "the successor wrote its cache", || async {
        let found = std::fs::read_dir(fleet.state().join("proxy-proxy-0")).unwrap();
        let names: Vec<_> = found.flatten().map(|entry| entry.file_name()).collect();
        let name = names
            .iter()
            .any(|name| name.to_string_lossy().contains(&format!("-{revision}-")));
        name.then_some(()).ok_or_else(|| format!("{names:?}"))
    })
    .await;
    fleet.kill_control();
    fleet.kill_proxy(0);
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
}

#[tokio::test]
async fn without_a_running_proxy_u_starts_as_usual_and_says_so() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    fleet.start_control().await;
    let alone = successor(&fleet, 1);
    fleet.serves_on(0, LIVE, "a.test", "a").await;
    assert!(alone.log().contains("no running proxy"), "{}", alone.log());
}

#[tokio::test]
async fn sigquit_without_a_successor_serves_for_the_lame_duck_and_then_drains() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&site("a.test", &[origin.address()]), "grace_period: 2s").await;
    replace(&fleet, "lame_duck: 10s", "lame_duck: 2s");
    // The running proxy has the longer `lame_duck`; a proxy with the shorter one takes over.
    let short = successor(&fleet, 1);
    took_over(&fleet, &short).await;
    let mut proxy = fleet.proxies[0].replace(short).unwrap();
    proxy.end(SOON).await.unwrap();
    let mut proxy = fleet.proxies[0].take().unwrap();
    let told = Instant::now();
    proxy.signal(Signal::QUIT);
    while told.elapsed() < Duration::from_millis(1_500) {
        let answer = fleet.get(0, "a.test", "/").await.unwrap();
        assert_eq!(answer.status, 200);
    }
    let (status, _) = proxy.end(SOON).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(
        told.elapsed() >= Duration::from_secs(2),
        "{:?}",
        told.elapsed()
    );
}
