//! Clients of the config API that connect and send nothing, or stop in the middle of a request.

use std::path::Path;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan, START};
use aralez_tests::meter::processor_time;
use aralez_tests::origin::Origin;
use aralez_tests::process::{Daemon, binary};
use aralez_tests::raw::{self, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Limit of open files for control: fewer than the clients that connect.
const OPEN_FILES: usize = 160;
const SILENT: usize = 200;

/// Range in which the deadline of a request head is observed, on a busy machine.
const HEAD: std::ops::Range<Duration> = Duration::from_secs(8)..Duration::from_secs(20);

fn start_control_with_few_files(fleet: &mut Fleet) {
    let path = |path: &Path| path.to_str().expect("test paths are UTF-8").to_owned();
    let program = path(&binary("aralez-control"));
    let config = path(&fleet.folder().join("control.yaml"));
    let limit = format!("--nofile={OPEN_FILES}:{OPEN_FILES}");
    let log = fleet.folder().join("control.log");
    let arguments = [limit.as_str(), &program, "-c", &config];
    let control = Daemon::start_program(Path::new("prlimit"), &arguments, &log);
    fleet.control = Some(control);
}

#[tokio::test]
async fn silent_connections_to_the_api_keep_out_neither_files_nor_proxies_nor_operators() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    start_control_with_few_files(&mut fleet);
    let up = || async { fleet.head().await.map(drop) };
    eventually(START, "control answers", up).await;

    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(fleet.api()).await.unwrap());
    }
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet.save(&site("b.test", &[origin.address()]));
    fleet.until_serving(LIVE, "b.test", "a").await;
    let asked = Instant::now();
    let pushed = fleet.push(&site("c.test", &[origin.address()])).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    println!("a push beside silent clients took {:?}", asked.elapsed());
    fleet.until_serving(LIVE, "c.test", "a").await;

    let control = [fleet.control().pid()];
    let (before, since) = (processor_time(&control), Instant::now());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let used = processor_time(&control).saturating_sub(before);
    let used = used.as_secs_f64() / since.elapsed().as_secs_f64();
    println!(
        "control used {:.1} % of a core beside {SILENT} silent clients",
        used * 100.0
    );
    assert!(used < 0.2, "control spins: {used}");
    let metrics = raw::get(fleet.api(), "127.0.0.1", "/metrics")
        .await
        .unwrap();
    let line = "aralez_control_api_connections_closed_total{reason=\"gave_way\"}";
    assert!(metrics.text().contains(line), "{}", metrics.text());
    drop(silent);
}

#[tokio::test]
async fn a_client_of_the_api_that_sends_no_whole_request_is_closed_after_ten_seconds() {
    let fleet = Fleet::start(0).await;
    let conf = Request::new("POST", "127.0.0.1", &format!("/conf?key={MASTER_KEY}"));
    let head = String::from_utf8(conf.head()).unwrap();
    let half = head.split_at(head.len() / 2).0.to_owned();
    let whole = String::from_utf8(Request::get("127.0.0.1", "/livez").head()).unwrap();
    let clients = [
        ("silent", String::new(), false),
        ("half a head", half, false),
        ("idle after a response", whole, true),
    ];
    let clients = clients.map(|(name, sent, answered)| {
        let address = fleet.api();
        tokio::spawn(async move {
            let begun = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut text = Vec::new();
            // A reset closes it as well.
            let _ = stream.read_to_end(&mut text).await;
            let took = begun.elapsed();
            println!("{name}: closed after {took:?}");
            assert!(HEAD.contains(&took), "{name}: {took:?}");
            let text = String::from_utf8_lossy(&text);
            assert_eq!(text.contains("HTTP/1.1 200"), answered, "{name}: {text}");
        })
    });
    for client in clients {
        tokio::time::timeout(HEAD.end, client)
            .await
            .unwrap()
            .unwrap();
    }
}
