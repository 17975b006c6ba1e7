//! Every request ends exactly once, however it ends: its latency is recorded once, and its outcome is counted once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use aralez_proxy::core::traffic::{Tally, TrafficEvent};

use crate::node::{Node, Site};
use crate::origin::{Origin, response};

/// A node's counters of ended requests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Ends {
    /// Number of recorded latencies.
    timed: u64,
    statuses: Vec<(u16, u64)>,
    errors: u64,
    clients_gone: u64,
    truncated: u64,
}

fn timed(tally: &Tally) -> u64 {
    let buckets = tally.request_latency.buckets();
    buckets.iter().map(|(_, count)| count).sum()
}

fn ends(tally: &Tally) -> Ends {
    Ends {
        timed: timed(tally),
        statuses: tally.by_status().collect(),
        errors: tally.events(TrafficEvent::Error),
        clients_gone: tally.events(TrafficEvent::ClientGone),
        truncated: tally.events(TrafficEvent::Truncated),
    }
}

/// Returns the counters after one request that ended with this status and without an error.
fn well(status: u16) -> Ends {
    Ends {
        timed: 1,
        statuses: vec![(status, 1)],
        ..Ends::default()
    }
}

fn connect(node: &Node, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).unwrap();
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Sends requests, reads until the connection closes, and returns the counters once no request or connection is left.
fn counted(origin: &Origin, requests: &str) -> Ends {
    let node = Node::serving(&[Site::new("a.example", "/", &[origin])]);
    let mut client = connect(&node, requests);
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    settled(&node)
}

fn settled(node: &Node) -> Ends {
    node.until(|tally| tally.in_flight() == 0 && tally.connections.open() == 0);
    let sum = node.traffic.sum();
    assert!(timed(&sum) <= sum.requests());
    ends(&sum)
}

/// Starts an endpoint that serves one connection.
fn endpoint(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    address
}

const LAST: &str = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";

#[test]
fn an_answer_of_an_endpoint_and_one_of_our_own_end_their_request_once() {
    assert_eq!(counted(&Origin::ok(), LAST), well(200));
    let missed = LAST.replace("a.example", "b.example");
    assert_eq!(counted(&Origin::ok(), &missed), well(404));
    let kept = LAST.replace("Connection: close\r\n", "");
    let both = Ends {
        timed: 3,
        statuses: vec![(200, 2), (404, 1)],
        ..Ends::default()
    };
    let three = format!(
        "{kept}{}{LAST}",
        missed.replace("Connection: close\r\n", "")
    );
    assert_eq!(counted(&Origin::ok(), &three), both);
}

#[test]
fn a_head_that_cannot_be_read_is_answered_and_not_timed() {
    let refused = Ends {
        timed: 0,
        ..well(400)
    };
    let request = "GET / HTTP/1.1\r\nHost: a.example\r\nHost: b\r\n\r\n";
    assert_eq!(counted(&Origin::ok(), request), refused);
}

#[test]
fn a_refused_body_ends_its_request_once() {
    let request = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    // First in one piece with its head, then after the endpoint has received the head.
    assert_eq!(
        counted(&Origin::ok(), &format!("{request}zz\r\n")),
        well(400)
    );
    let silent = Origin::start(|_| Vec::new());
    let node = Node::serving(&[Site::new("a.example", "/", &[&silent])]);
    let mut client = connect(&node, request);
    silent.sees("POST");
    client.write_all(b"zz\r\n").unwrap();
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    assert_eq!(settled(&node), well(400));
}

#[test]
fn an_endpoint_that_fails_is_an_error_once() {
    let error = |status| Ends {
        errors: 1,
        ..well(status)
    };
    let bad = Origin::start(|_| b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n".to_vec());
    assert_eq!(counted(&bad, LAST), error(502));
    let (cut, when) = mpsc::channel();
    let address = endpoint(move |mut stream| {
        let part = response("200 OK", "", "fine");
        stream.write_all(&part[..part.len() - 1]).unwrap();
        when.recv().unwrap();
    });
    let mut site = Site::new("a.example", "/", &[]);
    site.endpoints.push(address);
    let node = Node::serving(&[site]);
    let mut client = connect(&node, LAST);
    client.read_exact(&mut [0; 10]).unwrap();
    cut.send(()).unwrap();
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    let truncated = Ends {
        truncated: 1,
        ..error(200)
    };
    assert_eq!(settled(&node), truncated);
}

#[test]
fn a_client_that_goes_away_ends_its_request_once() {
    let silent = Origin::start(|_| Vec::new());
    let node = Node::serving(&[Site::new("a.example", "/", &[&silent])]);
    let client = connect(&node, LAST);
    silent.sees("GET");
    drop(client);
    let gone = Ends {
        timed: 1,
        errors: 1,
        clients_gone: 1,
        ..Ends::default()
    };
    assert_eq!(settled(&node), gone);
}

const UPGRADE: &str =
    "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Starts a node and opens a tunnel through it.
fn tunnel() -> (Node, TcpStream) {
    let mut site = Site::new("a.example", "/", &[]);
    site.endpoints.push(endpoint(|mut stream| {
        let switch =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(switch.as_bytes()).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }));
    let node = Node::serving(&[site]);
    let client = connect(&node, UPGRADE);
    let open = ("tunnel", 1);
    node.until(|tally| tally.connections.by_state().any(|state| state == open));
    assert_eq!(
        ends(&node.traffic.sum()),
        Ends::default(),
        "an open tunnel is counted as ended"
    );
    (node, client)
}

#[test]
fn a_tunnel_ends_its_request_when_it_ends() {
    let (node, client) = tunnel();
    drop(client);
    assert_eq!(settled(&node), well(101));
}

#[test]
fn requests_that_the_end_of_the_grace_period_cuts_off_end_once() {
    let cut = |status: Option<u16>, truncated| Ends {
        timed: 1,
        statuses: status.into_iter().map(|status| (status, 1)).collect(),
        errors: 1,
        truncated,
        clients_gone: 0,
    };
    let (node, _client) = tunnel();
    let traffic = Arc::clone(&node.traffic);
    node.close();
    assert_eq!(ends(&traffic.sum()), cut(Some(101), 0));

    let silent = Origin::start(|_| Vec::new());
    let slow = Origin::start(|_| response("200 OK", "", "fine")[..40].to_vec());
    for (origin, expected) in [(&silent, cut(None, 0)), (&slow, cut(Some(200), 1))] {
        let node = Node::serving(&[Site::new("a.example", "/", &[origin])]);
        let mut client = connect(&node, LAST);
        origin.sees("GET");
        if expected.truncated == 1 {
            client.read_exact(&mut [0; 10]).unwrap();
        }
        let traffic = Arc::clone(&node.traffic);
        node.close();
        assert_eq!(ends(&traffic.sum()), expected);
        assert_eq!(traffic.in_flight(), 0);
    }
}
