//! Connections are spread over the serving threads, and a connection wakes few of them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aralez_tests::blocking;
use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::serving_threads::{connections_per_epoll, wake_ups};
use rustix::process::Signal;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

async fn fleet(threads: usize, origin: &Origin) -> Fleet {
    let fleet = Plan::new(1)
        .threads(0, threads)
        .proxy(
            0,
            "max_connections_per_address: 0\nclient_idle_timeout: 600s",
        )
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet
}

fn pid(fleet: &Fleet) -> u32 {
    fleet.proxies[0].as_ref().unwrap().pid()
}

fn connect(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut client = blocking::connect(address);
    client.write_all(request).unwrap();
    client
}

fn expect_answer(client: &mut TcpStream) {
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// A burst as after a pause of a virtual machine or a throttled container: all connections are in the accept queue at the same time.
async fn burst_while_paused(threads: usize) {
    const CLIENTS: usize = 400;
    let origin = Origin::start("a").await;
    let fleet = fleet(threads, &origin).await;
    let (pid, address) = (pid(&fleet), fleet.http(0));
    let proxy = fleet.proxies[0].as_ref().unwrap();
    proxy.signal(Signal::STOP);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(address, REQUEST)).collect();
    proxy.signal(Signal::CONT);
    // The origin runs on this thread's runtime, so the blocking clients must not.
    let answered = tokio::task::spawn_blocking(move || {
        clients.iter_mut().for_each(expect_answer);
        clients
    });
    let _clients = answered.await.unwrap();
    // A connection is registered with the epoll of its thread when it has to wait.
    let counts = eventually(LIVE, "every connection is watched", || async {
        let counts = connections_per_epoll(pid, address);
        let all = counts.iter().sum::<usize>() == CLIENTS;
        all.then_some(counts.clone())
            .ok_or_else(|| format!("{counts:?}"))
    })
    .await;
    println!("{CLIENTS} connections of a burst over {threads} threads: {counts:?}");
    assert_eq!(counts.len(), threads);
    let even = CLIENTS / threads;
    for count in counts {
        assert!(
            count.abs_diff(even) * 10 <= even,
            "{count} is not {even} +-10 %"
        );
    }
}

#[tokio::test]
async fn a_burst_that_comes_while_the_process_is_paused_is_spread_over_two_threads() {
    burst_while_paused(2).await;
}

#[tokio::test]
async fn a_burst_that_comes_while_the_process_is_paused_is_spread_over_eight_threads() {
    burst_while_paused(8).await;
}

fn more(before: &BTreeMap<PathBuf, u64>, pid: u32) -> Vec<u64> {
    let now = wake_ups(pid).into_iter();
    now.map(|(thread, count)| count - before.get(&thread).copied().unwrap_or(0))
        .collect()
}

/// Prints the measured figures: `cargo test -p aralez-tests --test spread wakes -- --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_wakes_two_threads_at_most_however_many_serve() {
    const CONNECTIONS: u32 = 500;
    for threads in [1, 2, 8, 64] {
        let origin = Origin::start("a").await;
        let fleet = fleet(threads, &origin).await;
        let (pid, address) = (pid(&fleet), fleet.http(0));
        // Wake-ups of a thread without connections, such as for its sweeps.
        let (idle_from, pause) = (wake_ups(pid), Duration::from_secs(2));
        tokio::time::sleep(pause).await;
        let idle = more(&idle_from, pid).iter().sum::<u64>() as f64;
        let idle = idle / pause.as_secs_f64() / threads as f64;
        let (before, start) = (wake_ups(pid), Instant::now());
        let served = tokio::task::spawn_blocking(move || {
            for _ in 0..CONNECTIONS {
                expect_answer(&mut connect(address, LAST_REQUEST));
            }
        });
        served.await.unwrap();
        let took = start.elapsed();
        // Timers fire unevenly on a busy machine: 50 % more are allowed for them.
        let by_itself = idle * took.as_secs_f64() * 1.5;
        let woken = more(&before, pid).into_iter();
        let woken: f64 = woken.map(|woken| (woken as f64 - by_itself).max(0.0)).sum();
        let each = woken / f64::from(CONNECTIONS);
        println!(
            "{threads} threads: {each:.2} wake-ups for each of {CONNECTIONS} connections, {:.0} us each, {idle:.1} a second of an idle thread",
            took.as_secs_f64() * 1e6 / f64::from(CONNECTIONS)
        );
        assert!(each <= 2.0, "{threads} threads: {each}");
    }
}
