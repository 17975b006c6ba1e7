//! Graceful shutdown of a proxy: idle keep-alive connections close, exchanges finish, tunnels live until the grace period expires.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use aralez_tests::blocking;
use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{AnswerEnding, Origin, ScriptedAnswer};
use aralez_tests::process::Daemon;
use aralez_tests::raw::{Connection, Request};
use aralez_tests::slow::vitals::Metrics;
use rustix::process::Signal;

const GRACE: Duration = Duration::from_secs(3);

/// Sends pings through a tunnel to an echo until `end`; returns how many came back.
async fn echoes_until(tunnel: &mut Connection, end: Instant) -> u32 {
    let mut echoes = 0;
    while Instant::now() < end {
        tunnel.write(b"ping").await.unwrap();
        assert_eq!(tunnel.read_exact(4).await.unwrap(), b"ping");
        echoes += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    echoes
}

#[tokio::test]
async fn a_leaving_proxy_ends_keep_alives_and_lets_tunnels_live_to_the_grace() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        // Without TCP_DEFER_ACCEPT the kernel holds back no connection, so the grace period begins at the signal.
        .proxy(0, "grace_period: 3s\nclient_defer_accept: false")
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let get = Request::get("a.test", "/");
    let mut idle = Connection::open(fleet.http(0)).await.unwrap();
    assert!(!idle.send(&get).await.unwrap().closes());
    origin.answer_once(ScriptedAnswer::web_socket_echo());
    let mut tunnel = Connection::open(fleet.http(0)).await.unwrap();
    let upgrade = Request::get("a.test", "/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    assert_eq!(tunnel.send(&upgrade).await.unwrap().status, 101);

    origin.answer_once(ScriptedAnswer::ok("late").after(Duration::from_secs(1)));
    let mut busy = Connection::open(fleet.http(0)).await.unwrap();
    busy.write(&Request::get("a.test", "/slow").head())
        .await
        .unwrap();
    let arrived = || async {
        match origin.last().target() {
            "/slow" => Ok(()),
            other => Err(other.to_owned()),
        }
    };
    eventually(LIVE, "the slow request is under way", arrived).await;

    let mut proxy = fleet.proxies[0].take().unwrap();
    let told = Instant::now();
    proxy.signal(Signal::TERM);
    // Concurrently: an idle connection may be closed at any time of the grace period.
    let closes = async {
        let closed = idle.read_exact(1).await;
        assert!(closed.is_err(), "an idle connection is closed");
        told.elapsed()
    };
    let finishes = async { busy.response("GET").await.unwrap() };
    let lives = echoes_until(&mut tunnel, told + GRACE - Duration::from_millis(500));
    let (closed, last, echoes) = tokio::join!(closes, finishes, lives);
    assert_eq!((last.status, last.text().as_str()), (200, "late"));
    assert!(last.closes(), "its client is asked to go elsewhere");
    assert!(echoes > 0, "the tunnel is used while the proxy leaves");
    let (status, _) = proxy.end(Duration::from_secs(10)).await.unwrap();
    println!(
        "idle closed after {closed:?}, {echoes} echoes while draining, left after {:?}",
        told.elapsed()
    );
    assert_eq!(status.code(), Some(0));
    // The echoed bytes are no whole frame, so no close frame can follow them.
    assert!(tunnel.read_exact(1).await.is_err(), "the grace is over");
    assert!(
        told.elapsed() < Duration::from_secs(9),
        "{:?}",
        told.elapsed()
    );
}

fn terminate(fleet: &mut Fleet) -> (Daemon, Instant) {
    let proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    (proxy, Instant::now())
}

/// Reports whether the other end has neither closed the connection nor sent anything.
fn is_quiet(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let seen = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// Opens connections that each complete one request and stay open.
fn kept(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let one = |_| {
        let mut stream = blocking::connect(address);
        stream.write_all(GET).unwrap();
        let answer = blocking::answer(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.contains("connection: close"), "{answer}");
        stream
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_of_a_leaving_proxy_end_one_after_the_other_and_late_requests_are_answered()
 {
    const IDLE: usize = 40;
    let origin = Origin::start("a").await;
    let mut fleet = Plan::one_site(&origin, "grace_period: 8s").await;
    let mut idle = kept(fleet.http(0), IDLE);
    let mut late = kept(fleet.http(0), 10);
    let (mut proxy, told) = terminate(&mut fleet);
    fleet.until_draining(0).await;
    late.retain(is_quiet);
    assert!(!late.is_empty(), "they do not end in the same instant");
    for stream in &mut late {
        stream.write_all(GET).unwrap();
        let answer = blocking::answer(stream);
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(blocking::rest(stream), (Vec::new(), Ok(())));
    }
    drop(late);
    let ends = idle.drain(..).map(|mut stream| {
        std::thread::spawn(move || {
            assert_eq!(blocking::rest(&mut stream), (Vec::new(), Ok(())));
            told.elapsed()
        })
    });
    let ends: Vec<_> = ends.collect();
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    let left = told.elapsed();
    let mut ends: Vec<_> = ends.into_iter().map(|end| end.join().unwrap()).collect();
    ends.sort_unstable();
    let (first, last) = (ends[0], ends[IDLE - 1]);
    println!(
        "{IDLE} idle connections ended within {first:?}..{last:?}, the process after {left:?}"
    );
    assert_eq!(status.code(), Some(0));
    assert!(
        last - first > Duration::from_secs(1),
        "they end spread over half of the grace"
    );
    assert!(
        left < Duration::from_secs(7),
        "idle connections do not keep the process for its whole grace: {left:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_head_is_not_whole_when_the_listeners_close_is_still_served() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::one_site(&origin, "grace_period: 8s\nclient_defer_accept: false").await;
    let mut fresh = blocking::connect(fleet.http(0));
    let [begin, end] = GET.split_at(20).into();
    fresh.write_all(begin).unwrap();
    let admin = fleet.admin(0);
    let begun = || async {
        let metrics = Metrics::of(admin).await?;
        let heads = metrics.labelled("aralez_client_connections", "state", "head");
        same(&heads, &1)
    };
    eventually(LIVE, "the proxy waits for the rest", begun).await;
    let (mut proxy, told) = terminate(&mut fleet);
    let closed = || async {
        let refused = TcpStream::connect(fleet.http(0)).is_err();
        same(&refused, &true)
    };
    eventually(LIVE, "the listener is closed", closed).await;
    // Longer than the quiet period after which a drain with nothing unfinished is over.
    tokio::time::sleep(Duration::from_millis(500)).await;
    fresh.write_all(end).unwrap();
    let answer = blocking::answer(&mut fresh);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    drop(fresh);
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(
        told.elapsed() < Duration::from_secs(6),
        "{:?}",
        told.elapsed()
    );
}

/// Opens a tunnel to an endpoint that echoes every byte.
fn tunnel(origin: &Origin, address: SocketAddr) -> TcpStream {
    origin.answer_once(ScriptedAnswer::web_socket_echo());
    let mut stream = blocking::connect(address);
    let upgrade =
        b"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(upgrade).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

/// Sends `bytes` through the tunnel and expects the same bytes back.
fn echoed(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, bytes);
}

const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xE9];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_of_a_leaving_proxy_gets_1001_between_two_frames_and_a_reset_within_one() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::one_site(&origin, "grace_period: 20s\ntunnel_grace: 2s").await;
    let address = fleet.http(0);
    let mut whole = tunnel(&origin, address);
    echoed(&mut whole, &[0x81, 2, b'h', b'i']);
    let long = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
    echoed(&mut whole, &[&long[..], &[0x01, 1, b'x']].concat());
    let mut untouched = tunnel(&origin, address);
    let mut stuck = tunnel(&origin, address);
    echoed(&mut stuck, &[0x81, 126, 1, 0, b'c', b'u', b't']);
    let mut closed = tunnel(&origin, address);
    echoed(&mut closed, &GOING_AWAY);

    let (mut proxy, told) = terminate(&mut fleet);
    for stream in [&mut whole, &mut untouched] {
        assert_eq!(blocking::rest(stream), (GOING_AWAY.to_vec(), Ok(())));
        assert!(
            told.elapsed() >= Duration::from_millis(1_700),
            "its own limit"
        );
    }
    assert_eq!(
        blocking::rest(&mut closed),
        (Vec::new(), Ok(())),
        "nothing follows a close frame"
    );
    assert_eq!(
        blocking::rest(&mut stuck),
        (Vec::new(), Err(ErrorKind::ConnectionReset))
    );
    drop((whole, untouched, closed));
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    println!("the process left after {:?}", told.elapsed());
    assert!(
        told.elapsed() < Duration::from_secs(8),
        "tunnels end by their own limit: {:?}",
        told.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_under_way_when_tunnels_end_is_finished_before_the_close_frame() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::one_site(&origin, "grace_period: 20s\ntunnel_grace: 10s").await;
    let admin = fleet.admin(0);
    let mut stream = tunnel(&origin, fleet.http(0));
    echoed(&mut stream, &[0x82, 126, 0x40, 0]);
    let (mut proxy, told) = terminate(&mut fleet);
    let asked = || async {
        let metrics = Metrics::of(admin).await?;
        let drained = metrics.labelled("aralez_deadline_closes_total", "kind", "drain");
        same(&drained, &1)
    };
    eventually(2 * LIVE, "the tunnel is asked to end", asked).await;
    // The remainder of the frame, followed by another frame of which the client must not see a single byte.
    let rest_of_it = vec![9; 0x4000];
    let new = [0x81, 50, b'n', b'e', b'w'];
    stream.write_all(&rest_of_it).unwrap();
    let _ = stream.write_all(&new);
    let (seen, ended) = blocking::rest(&mut stream);
    println!("asked to end, and ended after {:?}", told.elapsed());
    assert_eq!(ended, Ok(()));
    assert!(
        seen == [&rest_of_it[..], &GOING_AWAY].concat(),
        "{} bytes",
        seen.len()
    );
    drop(stream);
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_off_by_the_end_of_the_grace_is_not_taken_for_whole() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::one_site(&origin, "grace_period: 1s").await;
    let body = "x".repeat(100);
    origin.answer_once(
        ScriptedAnswer::ok(&body)
            .chunked()
            .cut(160, AnswerEnding::Stall),
    );
    let mut old = blocking::connect(fleet.http(0));
    old.write_all(b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
        .unwrap();
    let under_way = || async { same(&origin.last().head.contains("GET / "), &true) };
    eventually(LIVE, "the request is under way", under_way).await;
    let mut first = [0; 12];
    old.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let (mut proxy, _) = terminate(&mut fleet);
    let (status, _) = proxy.end(Duration::from_secs(20)).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(blocking::rest(&mut old).1, Err(ErrorKind::ConnectionReset));
}
