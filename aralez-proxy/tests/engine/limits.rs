//! Connection limits, the distribution of connections over threads, and the isolation of a panic to its connection.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aralez_proxy::core::admission::Most;
use aralez_proxy::core::request::listener_role::ListenerRole;
use aralez_proxy::core::traffic::TrafficEvent;
use aralez_proxy::engine::http1::connection::{self, Client as Peer};
use aralez_proxy::engine::io::Io;
use aralez_proxy::engine::shutdown::ShutdownSignal;
use aralez_proxy::engine::threads::context::ThreadContext;

use crate::client::Client;
use crate::node::{self, Node, Site};
use crate::origin::Origin;

#[test]
fn a_connection_over_a_limit_is_closed_without_a_word_and_leaves_the_others_alone() {
    let origin = Origin::ok();
    let most = Most {
        address: Some(3),
        ..Most::default()
    };
    let node = Node::limited(&[Site::new("a.example", "/", &[&origin])], most);
    let mut held: Vec<Client> = (0..3).map(|_| Client::connect(node.address)).collect();
    for client in &mut held {
        assert_eq!(client.get("a.example", "/", "").status, 200);
        client.write("GET / HTTP/1.1\r\n");
    }
    // In the middle of a head, so that none of them counts as idle and is evicted.
    node.until(|traffic| {
        traffic
            .connections
            .by_state()
            .any(|state| state == ("head", 3))
    });
    let mut over = TcpStream::connect(node.address).unwrap();
    over.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(over.read(&mut [0]).unwrap_or(0), 0);
    for client in &mut held {
        assert_eq!(client.send("Host: a.example\r\n\r\n").status, 200);
    }
    held.pop();
    node.until(|traffic| {
        traffic
            .connections
            .by_state()
            .map(|(_, count)| count)
            .sum::<u64>()
            == 2
    });
    assert_eq!(
        Client::connect(node.address)
            .get("a.example", "/", "")
            .status,
        200
    );
    let turned_away: u64 = node
        .traffic
        .sum()
        .connections
        .by_limit()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(turned_away, 1);
}

#[test]
fn connections_are_spread_over_the_threads_and_all_are_served() {
    let origin = Origin::ok();
    let node = Node::limited(&[Site::new("a.example", "/", &[&origin])], Most::default());
    let mut clients: Vec<Client> = (0..40).map(|_| Client::connect(node.address)).collect();
    for client in &mut clients {
        assert_eq!(client.get("a.example", "/", "").status, 200);
    }
    assert_eq!(node.event(TrafficEvent::Accepted), 40);
}

/// A connection that panics on read, as a defect in the proxy would.
struct Defect;

impl Io for Defect {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        panic!("a defect");
    }

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn abort(&mut self) {}

    fn is_tls(&self) -> bool {
        false
    }
}

#[test]
fn a_panic_in_a_connection_ends_that_connection_and_nothing_else() {
    let origin = Origin::ok();
    let site = Site::new("a.example", "/", &[&origin]);
    let worker = Arc::new(ThreadContext::new(Arc::new(node::engine(
        node::live(&[site]),
        Most::default(),
    ))));
    let (_close, closing) = tokio::sync::watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::thread::spawn({
        let address = listener.local_addr().unwrap();
        move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        }
    });
    let peer = || Peer {
        role: ListenerRole::Routes,
        address: "127.0.0.1".parse().unwrap(),
        admitted: None,
        arriving: None,
    };
    runtime.block_on(async {
        let closing = || ShutdownSignal::new(closing.clone());
        let broken = tokio::spawn(connection::serve(
            Defect,
            peer(),
            Arc::clone(&worker),
            closing(),
        ));
        assert!(broken.await.unwrap_err().is_panic());
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        connection::serve(stream, peer(), Arc::clone(&worker), closing()).await;
    });
    assert!(client.join().unwrap().starts_with("HTTP/1.1 200"));
    let traffic = worker.engine.traffic.sum();
    assert_eq!((traffic.in_flight(), worker.lent()), (0, 0));
    assert_eq!(
        traffic
            .connections
            .by_state()
            .map(|(_, count)| count)
            .sum::<u64>(),
        0
    );
}

#[test]
fn clients_that_were_connected_before_the_listeners_closed_are_answered() {
    for round in 0..20 {
        let mut node = Node::empty();
        let mut clients: Vec<_> = (0..40)
            .map(|_| {
                let mut client = TcpStream::connect(node.address).unwrap();
                client
                    .write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
                    .unwrap();
                client
            })
            .collect();
        node.close_listeners();
        for client in &mut clients {
            let mut answer = [0; 12];
            let read = client.read_exact(&mut answer);
            assert!(
                read.is_ok() && &answer == b"HTTP/1.1 503",
                "round {round}: {read:?}, {:?}",
                String::from_utf8_lossy(&answer)
            );
        }
        assert!(
            TcpStream::connect(node.address).is_err(),
            "connect succeeded after the listener closed"
        );
        node.close();
    }
}
