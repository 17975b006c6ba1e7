//! The bench detects failures: a benchmark that counts broken responses as fast ones proves nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use aralez_bench::contest::origin::SMALL;
use aralez_bench::contest::peers::{Peers, Round, Tally};
use aralez_bench::contest::scenario::Scenario;

const SHORT: Duration = Duration::from_millis(100);

fn round(address: SocketAddr, scenario: Scenario) -> Round {
    Round {
        address,
        requests: scenario.requests(),
        connections: 4,
    }
}

/// Starts a server that accepts `connections` connections, sends `answer` to the first request on each, and closes it.
fn server(connections: usize, answer: &[u8]) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.to_vec();
    let serves = std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            let _ = stream.read(&mut bytes);
            let _ = stream.write_all(&answer);
        }
    });
    (address, serves)
}

/// Returns the load's tally for one request to a server that sends `answer`.
fn told(answer: &[u8]) -> Tally {
    let (address, serves) = server(1, answer);
    let mut peers = Peers::new().unwrap();
    let round = Round {
        connections: 1,
        ..round(address, Scenario::Connection)
    };
    let mut session = peers.open(&round);
    let mut tally = session.run_until(1, SHORT).unwrap();
    serves.join().unwrap();
    let rest = session.finish().unwrap();
    tally.answered += rest.answered;
    tally.failed += rest.failed;
    tally.reasons.extend(rest.reasons);
    tally
}

fn small(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn every_kind_of_traffic_is_answered_by_the_origin_alone() {
    for scenario in Scenario::ALL {
        let mut peers = Peers::new().unwrap();
        let round = round(peers.origin.address(), scenario);
        let mut session = peers.open(&round);
        let tally = session.run_until(50, Duration::from_secs(10)).unwrap();
        let rest = session.finish().unwrap();
        assert!(tally.answered >= 50, "{scenario:?}: {tally:?}");
        assert_eq!(tally.latencies.len() as u64, tally.answered);
        assert_eq!(tally.failed + rest.failed, 0, "{scenario:?}: {tally:?}");
        // Connections opened at the start of the round were counted before `run_until` reset the tally.
        match scenario {
            Scenario::Connection => assert!(tally.opened + 4 >= tally.answered, "{tally:?}"),
            _ => assert_eq!(tally.opened, 0, "{tally:?}"),
        }
    }
}

#[test]
fn a_right_answer_of_a_foreign_server_is_counted() {
    let fields = format!("Content-Length: {}\r\n", SMALL.len());
    let tally = told(&small("200 OK", &fields, SMALL));
    assert_eq!(tally.answered, 1, "{tally:?}");
}

#[test]
fn a_wrong_answer_is_a_failure_and_no_quick_success() {
    let length = format!("Content-Length: {}\r\n", SMALL.len());
    let mut mixed = SMALL.to_vec();
    mixed[5] ^= 1;
    let wrong = [
        small("502 Bad Gateway", &length, SMALL),
        small("200 OK", &length, &mixed),
        small("200 OK", &length, &SMALL[..10]),
        small("200 OK", "Content-Length: 3\r\n", b"abc"),
        small("200 OK", "", SMALL),
        b"nonsense\r\n\r\n".to_vec(),
        Vec::new(),
    ];
    for answer in wrong {
        let tally = told(&answer);
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(tally.answered, 0, "{text}: {tally:?}");
        assert!(tally.failed >= 1, "{text}: {tally:?}");
    }
}

#[test]
fn a_request_that_stays_without_an_answer_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peers = Peers::new().unwrap();
    let round = round(listener.local_addr().unwrap(), Scenario::KeepAlive);
    let mut session = peers.open(&round);
    assert_eq!(session.run(SHORT).unwrap().answered, 0);
    assert_eq!(session.finish().unwrap().failed, 4);
}
