//! The harness detects what it is for: each failure is injected once and must be reported.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use aralez_tests::eventually::{eventually, try_eventually};
use aralez_tests::fault_proxy::{FaultProxy, Faults};
use aralez_tests::load::{Load, LoadPlan, Tally, one_version};
use aralez_tests::origin::{AnswerEnding, Origin, ScriptedAnswer};
use aralez_tests::ports::Port;
use aralez_tests::process::Daemon;
use aralez_tests::raw::{self, Connection, Request};

fn plan(origin: &Origin) -> LoadPlan {
    let mut plan = LoadPlan::get(origin.address(), "a.test", "/");
    plan.connections = 2;
    plan.most = 50;
    plan.pause = Duration::ZERO;
    plan
}

async fn origin() -> Origin {
    let origin = Origin::start("a").await;
    origin.answer_with(ScriptedAnswer::ok("a").header("X-Version", "1.a"));
    origin
}

async fn tally_of(origin: &Origin) -> Tally {
    Load::start(&plan(origin).checked(one_version))
        .finish()
        .await
}

#[tokio::test]
async fn a_clean_run_counts_every_request_and_connects_once_for_each_connection() {
    let origin = origin().await;
    let tally = tally_of(&origin).await;
    tally.assert_clean();
    assert_eq!((tally.requests, tally.connects), (100, 2));
    assert_eq!((origin.count(), origin.connections()), (100, 2));
}

#[tokio::test]
async fn one_failed_request_among_a_hundred_is_caught() {
    let origin = origin().await;
    origin.answer_once(ScriptedAnswer::status(502, "a").header("X-Version", "1.a"));
    let tally = tally_of(&origin).await;
    assert_eq!((tally.failed, tally.mixed), (1, 0), "{tally:?}");
    assert_eq!(origin.count(), 100, "the load retried");
}

#[tokio::test]
async fn one_answer_mixed_from_two_versions_is_caught() {
    let origin = origin().await;
    origin.answer_once(ScriptedAnswer::ok("b").header("X-Version", "1.a"));
    let tally = tally_of(&origin).await;
    assert_eq!((tally.failed, tally.mixed), (0, 1), "{tally:?}");
}

#[tokio::test]
async fn one_dropped_connection_is_caught_and_not_retried() {
    let origin = origin().await;
    origin.answer_once(ScriptedAnswer::ok("a").cut(0, AnswerEnding::Close));
    let tally = tally_of(&origin).await;
    assert_eq!((tally.failed, tally.connects), (1, 3), "{tally:?}");
    assert_eq!(origin.count(), 100, "the load retried");
}

#[tokio::test]
async fn one_connection_that_ends_in_peace_is_a_connect_and_no_failure() {
    let origin = origin().await;
    origin.answer_once(ScriptedAnswer::ok("a").header("X-Version", "1.a").closing());
    let tally = tally_of(&origin).await;
    tally.assert_clean();
    assert_eq!(tally.connects, 3);
}

#[tokio::test]
async fn a_short_body_is_a_failure_with_a_length_and_in_chunks() {
    for answer in [
        ScriptedAnswer::ok("aaaaaaaaaa").cut(50, AnswerEnding::Close),
        ScriptedAnswer::ok("aaaaaaaaaaaaaaaaaaaa")
            .chunked()
            .cut(75, AnswerEnding::Close),
    ] {
        let origin = origin().await;
        origin.answer_once(answer);
        let tally = tally_of(&origin).await;
        assert_eq!(tally.failed, 1, "{tally:?}");
        assert!(tally.reasons[0].contains("cut short"), "{tally:?}");
    }
}

#[tokio::test]
#[should_panic(expected = "failed: 1")]
async fn a_tally_with_a_failure_fails_the_test() {
    let origin = origin().await;
    origin.answer_once(ScriptedAnswer::status(503, ""));
    tally_of(&origin).await.assert_clean();
}

#[tokio::test]
#[should_panic(expected = "sent nothing")]
async fn a_load_that_sent_nothing_fails_the_test() {
    Tally::default().assert_clean();
}

#[tokio::test]
async fn bytes_after_an_answer_are_seen() {
    let origin = Origin::start("").await;
    let stray = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    origin.answer_with(ScriptedAnswer::web_socket_echo());
    let mut connection = Connection::open(origin.address()).await.unwrap();
    let request = Request::get("a.test", "/");
    connection.send(&request).await.unwrap();
    connection
        .write(format!("{stray}{stray}").as_bytes())
        .await
        .unwrap();
    connection.response("GET").await.unwrap();
    let error = connection.send(&request).await.unwrap_err();
    assert!(error.contains("left over"), "{error}");
}

#[tokio::test]
async fn an_origin_records_the_request_as_it_came() {
    let origin = Origin::start("a").await;
    let request = Request::new("POST", "a.test", "/p?q=1")
        .header("X-Case", "As Sent")
        .body("body");
    raw::send(origin.address(), &request).await.unwrap();
    let last = origin.last();
    assert_eq!(last.head.as_bytes(), request.head());
    assert_eq!(
        (last.method(), last.target(), last.body.as_slice()),
        ("POST", "/p?q=1", &b"body"[..])
    );
    assert_eq!(last.header("x-case"), Some("As Sent"));
}

#[tokio::test]
async fn the_fault_proxy_passes_counts_and_really_cuts() {
    let origin = Origin::start("a").await;
    let relay = FaultProxy::tcp(origin.address()).await;
    let request = Request::get("a.test", "/");
    let mut connection = Connection::open(relay.address()).await.unwrap();
    connection.send(&request).await.unwrap();
    assert_eq!(relay.counts().forth(), request.head().len() as u64);
    assert!(relay.counts().back() > 0);
    relay.cut();
    connection.send(&request).await.unwrap_err();
    raw::send(relay.address(), &request).await.unwrap_err();
    relay.heal();
    raw::send(relay.address(), &request).await.unwrap();
    assert_eq!(relay.counts().connections(), 3);
}

#[tokio::test]
async fn a_cut_that_heals_at_once_has_ended_what_was_open() {
    let origin = Origin::start("a").await;
    let relay = FaultProxy::tcp(origin.address()).await;
    let request = Request::get("a.test", "/");
    let mut connection = Connection::open(relay.address()).await.unwrap();
    connection.send(&request).await.unwrap();
    relay.cut();
    relay.heal();
    connection.send(&request).await.unwrap_err();
    let mut connection = Connection::open(relay.address()).await.unwrap();
    connection.send(&request).await.unwrap();
}

#[tokio::test]
async fn the_fault_proxy_stalls_delays_and_cuts_after_bytes() {
    let origin = Origin::start(&"a".repeat(1000)).await;
    let relay = FaultProxy::tcp(origin.address()).await;
    let get = || raw::get(relay.address(), "a.test", "/");

    relay.stall();
    let stalled = tokio::time::timeout(Duration::from_millis(200), get()).await;
    assert!(stalled.is_err(), "an answer came through a stalled relay");

    let delay = Duration::from_millis(60);
    relay.set(Faults {
        delay,
        ..Faults::default()
    });
    let start = tokio::time::Instant::now();
    get().await.unwrap();
    assert!(start.elapsed() >= delay * 2, "both ways are delayed");

    relay.set(Faults {
        bytes_per_second: Some(10_000),
        ..Faults::default()
    });
    let start = tokio::time::Instant::now();
    get().await.unwrap();
    assert!(
        start.elapsed() >= Duration::from_millis(100),
        "1,000 bytes at 10,000 a second"
    );

    relay.set(Faults {
        cut_after: Some(500),
        ..Faults::default()
    });
    let error = get().await.unwrap_err();
    assert!(error.contains("cut short"), "{error}");
}

#[tokio::test]
async fn the_fault_proxy_relays_unix_sockets() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let listener = tokio::net::UnixListener::bind(&far).unwrap();
    let relay = FaultProxy::unix(&near, &far);
    let mut client = tokio::net::UnixStream::connect(&near).await.unwrap();
    client.write_all(b"ping").await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut bytes = [0; 4];
    server.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"ping");
    relay.cut();
    assert_eq!(client.read(&mut bytes).await.unwrap(), 0, "the cut is felt");
}

#[tokio::test]
async fn the_fault_proxy_leaves_its_unix_socket_and_comes_back_to_it() {
    use tokio::net::{UnixListener, UnixStream};
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let _listener = UnixListener::bind(&far).unwrap();
    let relay = FaultProxy::unix(&near, &far);
    let taken = |wanted| {
        let near = near.clone();
        async move {
            let taken = UnixStream::connect(&near).await.is_ok();
            (taken == wanted)
                .then_some(())
                .ok_or_else(|| format!("{taken}"))
        }
    };
    let limit = Duration::from_secs(5);
    let mut client = UnixStream::connect(&near).await.unwrap();
    relay.remove_socket();
    let end = tokio::io::AsyncReadExt::read(&mut client, &mut [0]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "what was open ends");
    eventually(limit, "nobody is taken", || taken(false)).await;
    relay.heal();
    eventually(limit, "it is back", || taken(true)).await;
}

#[tokio::test]
async fn eventually_waits_and_fails_with_the_reason() {
    let mut asked = 0;
    let value = eventually(Duration::from_secs(5), "the third answer", || {
        asked += 1;
        let asked = asked;
        async move {
            if asked < 3 {
                Err("not yet".to_owned())
            } else {
                Ok(asked)
            }
        }
    });
    assert_eq!(value.await, 3);
    let limit = Duration::from_millis(50);
    let never = try_eventually(limit, "rain", || async {
        Err::<(), _>("it is dry".to_owned())
    });
    let reason = never.await.unwrap_err();
    assert!(
        reason.contains("rain") && reason.contains("it is dry"),
        "{reason}"
    );
    let silent = try_eventually(
        limit,
        "an answer",
        std::future::pending::<Result<(), String>>,
    );
    assert!(silent.await.is_err(), "a probe that hangs is bounded too");
}

#[tokio::test]
async fn no_two_tests_get_the_same_port() {
    let ports: Vec<_> = (0..200).map(|_| Port::free()).collect();
    let mut numbers: Vec<_> = ports.iter().map(|port| port.address().port()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), ports.len());
}

#[tokio::test]
async fn a_panic_in_a_proxy_fails_the_test_that_started_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let log = folder.path().join("log");
    let line = "echo 'ERROR panic at src/engine.rs:1:2'";
    let mut daemon = Daemon::start_program(Path::new("sh"), &["-c", line], &log);
    daemon.end(Duration::from_secs(30)).await.unwrap();
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(daemon)));
    assert!(dropped.is_err());
}
