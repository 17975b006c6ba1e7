//! New clients are served while idle connections use all capacity, and the proxy continues its own work while clients use every file
//! descriptor.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::{Daemon, binary};
use aralez_tests::proof::Kept;
use aralez_tests::slow::vitals::{Metrics, open_files};

/// Time within which a new client is served while idle connections use all capacity.
const SOON: Duration = Duration::from_millis(100);

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// Sends one request and keeps the connection open; returns it with the time until the answer.
fn served(address: SocketAddr) -> Result<(TcpStream, Duration), String> {
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let limit = Duration::from_secs(5);
    stream.set_read_timeout(Some(limit)).unwrap();
    request(&mut stream)?;
    Ok((stream, start.elapsed()))
}

fn request(stream: &mut TcpStream) -> Result<(), String> {
    stream.write_all(GET).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut part = [0; 1024];
    while !answer.ends_with(b"\r\n\r\na") {
        match stream.read(&mut part) {
            Ok(0) => return Err("closed".to_owned()),
            Ok(count) => answer.extend_from_slice(&part[..count]),
            Err(error) => return Err(error.to_string()),
        }
    }
    if answer.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Connects `count` clients, one after the other. Each is served and stays connected.
fn all_served(address: SocketAddr, count: usize) -> (Vec<TcpStream>, Vec<Duration>) {
    let served = (0..count)
        .map(|number| served(address).unwrap_or_else(|why| panic!("client {number}: {why}")));
    served.unzip()
}

/// Asserts that nine of ten new clients are served within [`SOON`], and keeps the row.
fn soon(what: &str, name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let of = |tenths: usize| times[(times.len() * tenths / 10).min(times.len() - 1)];
    let (median, most, worst) = (of(5), of(9), of(10));
    let row = Kept {
        what: &format!(
            "{} new clients, {what}: time to the first response",
            times.len()
        ),
        goal: "90 % within 100 ms",
        measured: &format!("p50 {median:.1?}, p90 {most:.1?}, maximum {worst:.1?}"),
        met: most < SOON,
        test: "room",
    };
    row.keep(name);
    assert!(most < SOON, "{what}: {times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_clients_are_served_at_once_where_idle_ones_hold_every_place() {
    let origin = Origin::start("a").await;
    for limit in [
        "max_connections",
        "max_connections_per_listener",
        "max_connections_per_address",
    ] {
        let mut fleet = Plan::one_site(&origin, &format!("{limit}: 50")).await;
        let (mut first, _) = all_served(fleet.http(0), 50);
        let (mut second, times) = all_served(fleet.http(0), 100);
        let what = format!("all 50 slots of `{limit}` held by idle clients");
        soon(&what, &format!("room-{limit}"), times);
        let metrics = Metrics::of(fleet.admin(0)).await.unwrap();
        let evicted = metrics.sum("aralez_client_connections_evicted_total");
        assert_eq!(metrics.sum("aralez_client_connections_refused_total"), 0);
        // Connections of the readiness checks were closed long ago, or count as idle too.
        assert!((95..=100).contains(&evicted), "{limit}: {evicted}");
        let gone = |stream: &mut TcpStream| matches!(stream.read(&mut [0]), Ok(0));
        assert!(
            first.iter_mut().all(gone),
            "{limit}: the longest idle ones go"
        );
        for stream in second.iter_mut().rev().take(45) {
            request(stream).unwrap_or_else(|why| panic!("{limit}: {why}"));
        }
        fleet.kill_proxy(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_served_keep_their_places_and_one_too_many_is_turned_away() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "max_connections: 10").await;
    let mut busy: Vec<TcpStream> = all_served(fleet.http(0), 10).0;
    for stream in &mut busy {
        stream.write_all(&GET[..20]).unwrap();
    }
    let begun = || async {
        let metrics = Metrics::of(fleet.admin(0)).await?;
        same(
            &metrics.labelled("aralez_client_connections", "state", "head"),
            &10,
        )
    };
    eventually(LIVE, "ten requests have begun", begun).await;
    assert!(served(fleet.http(0)).is_err(), "there is no room");
    for stream in &mut busy {
        stream.write_all(&GET[20..]).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let metrics = Metrics::of(fleet.admin(0)).await.unwrap();
    let refused = "aralez_client_connections_refused_total";
    assert_eq!(metrics.labelled(refused, "limit", "global"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_120_descriptors_150_clients_are_served_and_admin_cache_and_stream_go_on() {
    let origin = Origin::start("a").await;
    let document = site("a.test", &[origin.address()]);
    let mut fleet = Plan::new(1).document(&document).lay_out();
    fleet.start_control().await;
    let config = fleet.folder().join("proxy-0.yaml").display().to_string();
    let limited = "ulimit -n 120; exec \"$0\" -c \"$1\"";
    let program = binary("aralez-proxy").display().to_string();
    let log = fleet.folder().join("proxy-0.log");
    let arguments = ["-c", limited, &program, &config];
    let proxy = Daemon::start_program(Path::new("/bin/sh"), &arguments, &log);
    let pid = proxy.pid();
    fleet.proxies[0] = Some(proxy);
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let log = fleet.log("proxy-0");
    assert!(
        log.contains("max_connections is lowered from 50000"),
        "{log}"
    );
    assert!(log.contains("RLIMIT_NOFILE"), "{log}");

    let (clients, times) = all_served(fleet.http(0), 150);
    println!("{} files are open", open_files(pid));
    soon(
        "all of 120 descriptors held by idle clients",
        "room-descriptors",
        times,
    );
    fleet.until_ready(0).await;
    // While the clients are connected, a change arrives over the stream and is written to the cache.
    let other = Origin::start("b").await;
    let revision = fleet.apply(&site("b.test", &[other.address()])).await;
    fleet.kill_control();
    let cached = || async {
        let files = std::fs::read_dir(fleet.state().join("proxy-proxy-0")).unwrap();
        let names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let newest = names
            .iter()
            .any(|name| name.contains(&revision.to_string()));
        newest.then_some(()).ok_or_else(|| format!("{names:?}"))
    };
    eventually(LIVE, "the change is in the cache", cached).await;
    drop(clients);
    let log = fleet.log("proxy-0");
    for trouble in ["accept failed", "Too many open files"] {
        assert!(!log.contains(trouble), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_open_files_that_serves_nobody_is_told_at_the_start() {
    let fleet = Plan::new(1).lay_out();
    let config = fleet.folder().join("proxy-0.yaml").display().to_string();
    let program = binary("aralez-proxy").display().to_string();
    let limited = [
        "-c",
        "ulimit -n 24; exec \"$0\" -c \"$1\"",
        &program,
        &config,
    ];
    let log = fleet.folder().join("proxy-0.log");
    let mut proxy = Daemon::start_program(Path::new("/bin/sh"), &limited, &log);
    let (status, _) = proxy.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let said = fleet.log("proxy-0");
    assert!(
        said.contains("RLIMIT_NOFILE") && said.contains("24"),
        "{said}"
    );
}

/// Returns the lowest descriptor number that is free in a process.
fn first_free(pid: u32) -> u64 {
    let taken = |number: &u64| Path::new(&format!("/proc/{pid}/fd/{number}")).exists();
    let free = (0..).find(|number| !taken(number));
    free.expect("a process has finitely many descriptors")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_descriptor_is_left_the_longest_idle_client_gives_its_own() {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(1)
        .threads(0, 1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let (mut idle, _) = all_served(fleet.http(0), 30);
    let proxy = fleet.proxies[0].as_ref().unwrap();
    // Fewer descriptors than arriving clients, most of them used by idle connections.
    proxy.limit_open_files(first_free(proxy.pid()) + 25);
    let (mut clients, times) = all_served(fleet.http(0), 30);
    soon(
        "every descriptor held by idle clients",
        "room-no-descriptor",
        times,
    );
    assert!(proxy.log().contains("accept failed"));
    let newest = clients.last_mut().unwrap();
    request(newest).expect("who was idle for a moment only keeps its place");
    let oldest = &mut idle[0];
    assert!(
        matches!(oldest.read(&mut [0]), Ok(0)),
        "the longest idle one goes"
    );
}
