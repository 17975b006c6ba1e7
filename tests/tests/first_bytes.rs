//! Bytes that clients send where a request should begin; every answer to them is counted.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use aralez_tests::blocking;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::raw::{self, Connection, Request};
use aralez_tests::slow::vitals::Metrics;

/// Reads everything until the connection is closed.
fn rest(stream: &mut TcpStream) -> String {
    String::from_utf8_lossy(&blocking::rest(stream).0).into_owned()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

fn answered(stream: &mut TcpStream) {
    assert!(blocking::answer(stream).starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_line_behind_a_request_is_idle_and_never_answered_with_a_408() {
    let origin = Origin::start("a").await;
    let limits = "client_header_timeout: 500ms\nclient_idle_timeout: 4s";
    let fleet = Plan::one_site(&origin, limits).await;
    let mut kept = blocking::connect(fleet.http(0));
    kept.write_all(GET).unwrap();
    answered(&mut kept);
    kept.write_all(b"\r\n").unwrap();
    // Far longer than the timeout of a request head, and within the idle timeout.
    tokio::time::sleep(Duration::from_secs(2)).await;
    kept.write_all(GET).unwrap();
    answered(&mut kept);
    for line in [&b"\r\n"[..], b"\r"] {
        let mut idle = blocking::connect(fleet.http(0));
        idle.write_all(GET).unwrap();
        answered(&mut idle);
        idle.write_all(line).unwrap();
        let start = Instant::now();
        assert_eq!(rest(&mut idle), "", "{line:?}");
        assert!(
            start.elapsed() > Duration::from_secs(3),
            "{:?}",
            start.elapsed()
        );
    }
    let mut fresh = blocking::connect(fleet.http(0));
    fresh.write_all(b"\r\n").unwrap();
    assert_eq!(rest(&mut fresh), "", "no byte of a request came");
    let mut begun = blocking::connect(fleet.http(0));
    begun.write_all(b"\r\nGET / HT").unwrap();
    assert!(rest(&mut begun).starts_with("HTTP/1.1 408"));
    let metrics = Metrics::of(fleet.admin(0)).await.unwrap();
    assert_eq!(
        metrics.labelled("aralez_responses_total", "status", "408"),
        1
    );
    let idle = metrics.labelled("aralez_deadline_closes_total", "kind", "idle");
    assert_eq!(idle, 3, "those with a stray line, and the first one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_begin_a_request_is_refused_at_its_first_byte() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "client_header_timeout: 30s").await;
    for (bytes, reason) in [
        (&b"\x16\x03\x01\x02\x00\x01"[..], "tls_on_plain_port"),
        (b"\x00", "method"),
        (b"\r\n get", "method"),
        (b"g", "method"),
    ] {
        let mut stream = blocking::connect(fleet.http(0));
        let start = Instant::now();
        stream.write_all(bytes).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 400", "{bytes:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{bytes:?}");
        // A request is counted when its exchange is over, which is after its answer.
        let counted = || async {
            let metrics = Metrics::of(fleet.admin(0)).await?;
            let refused = metrics.labelled("aralez_refusals_total", "reason", reason);
            same(&(refused > 0), &true)
        };
        eventually(LIVE, reason, counted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_sends_after_its_last_answer_is_read_for_as_long_as_the_key_says() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "client_linger: 700ms").await;
    let mut stream = blocking::connect(fleet.http(0));
    stream.write_all(b"no request\r\n\r\n").unwrap();
    let start = Instant::now();
    assert!(rest(&mut stream).starts_with("HTTP/1.1 400"));
    let over = || async {
        let metrics = Metrics::of(fleet.admin(0)).await?;
        let lingered = metrics.labelled("aralez_deadline_closes_total", "kind", "linger");
        same(&lingered, &1)
    };
    eventually(LIVE, "the connection is closed", over).await;
    let took = start.elapsed();
    println!("closed after {took:?}");
    assert!(
        took > Duration::from_millis(600) && took < Duration::from_secs(4),
        "{took:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_ends_its_side_while_the_endpoint_is_slow_is_closed_at_once() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    for kept in [false, true] {
        let mut stream = blocking::connect(fleet.http(0));
        if kept {
            stream.write_all(GET).unwrap();
            answered(&mut stream);
        }
        origin.answer_once(ScriptedAnswer::ok("late").after(Duration::from_secs(10)));
        stream.write_all(GET).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let start = Instant::now();
        assert_eq!(rest(&mut stream), "", "kept: {kept}");
        assert!(start.elapsed() < Duration::from_secs(5), "kept: {kept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_counted_and_belongs_to_a_request() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "client_header_timeout: 500ms").await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for status in [299, 599, 600, 799, 999] {
        origin.answer_once(ScriptedAnswer::status(status, "odd"));
        let answer = connection.send(&Request::get("a.test", "/")).await.unwrap();
        assert_eq!(answer.status, status);
    }
    for refused in [
        &b"GET / HTTP/9.9\r\n\r\n"[..],
        b"\x16\x03\x01",
        b"GET / HTTP",
    ] {
        let mut stream = blocking::connect(fleet.http(0));
        stream.write_all(refused).unwrap();
        stream.read_exact(&mut [0; 12]).unwrap();
    }
    assert_eq!(fleet.get(0, "other.test", "/").await.unwrap().status, 404);
    let counted = || async {
        let metrics = Metrics::of(fleet.admin(0)).await?;
        for status in ["299", "599", "600", "799", "999", "404", "408"] {
            same(
                &(
                    status,
                    metrics.labelled("aralez_responses_total", "status", status),
                ),
                &(status, 1),
            )?;
        }
        let requests = metrics.sum("aralez_requests_total");
        for family in [
            "aralez_responses_total",
            "aralez_requests_by_method_total",
            "aralez_requests_by_version_total",
        ] {
            same(&(family, metrics.sum(family)), &(family, requests))?;
        }
        Ok(())
    };
    eventually(LIVE, "all are counted", counted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_426_says_which_protocol_is_required() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    let required = ScriptedAnswer::status(426, "upgrade")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade");
    origin.answer_once(required);
    let answer = fleet.get(0, "a.test", "/").await.unwrap();
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert!(answer.headers("connection").any(|value| value == "upgrade"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hold_the_admin_port_keep_nobody_from_it_and_are_closed() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    let before = aralez_tests::slow::vitals::open_files(fleet.proxies[0].as_ref().unwrap().pid());
    fleet.until_ready(0).await;
    let mut silent = Vec::new();
    for number in 0..400 {
        let mut stream = blocking::connect(fleet.admin(0));
        let begun: &[u8] = if number % 2 == 0 {
            b"GET /readyz HT"
        } else {
            b"POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"
        };
        stream.write_all(begun).unwrap();
        silent.push(stream);
        if number % 100 == 99 {
            let ready = raw::get(fleet.admin(0), "admin", "/readyz").await.unwrap();
            assert_eq!(ready.status, 200);
        }
    }
    let pid = fleet.proxies[0].as_ref().unwrap().pid();
    let held = aralez_tests::slow::vitals::open_files(pid);
    println!("{before} open files before, {held} with 400 half requests to the admin port");
    assert!(held < before + 50, "{held}, {before} before");
    let start = Instant::now();
    let ends = tokio::task::spawn_blocking(move || {
        for stream in &mut silent {
            let _ = rest(stream);
        }
    });
    ends.await.unwrap();
    println!("the last was closed after {:?}", start.elapsed());
    assert!(
        start.elapsed() < Duration::from_secs(18),
        "{:?}",
        start.elapsed()
    );
}
