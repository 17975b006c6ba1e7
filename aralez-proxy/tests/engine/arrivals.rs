//! Accepting connections.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use aralez_proxy::core::request::listener_role::ListenerRole;
use aralez_proxy::core::traffic::TrafficEvent;
use aralez_proxy::engine::accept::listener::Bound;

use crate::client::Client;
use crate::node::{Node, Site};
use crate::origin::Origin;

#[test]
fn a_client_is_taken_in_with_its_first_bytes_and_a_silent_one_a_little_later() {
    // With deferred accept, the kernel holds a silent connection for about a second.
    let origin = Origin::ok();
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let mut silent = Client::connect(node.address);
    let mut prompt = Client::connect(node.address);
    assert_eq!(prompt.get("a.example", "/", "").status, 200);
    assert_eq!(node.event(TrafficEvent::Accepted), 1);
    node.until(|tally| tally.events(TrafficEvent::Accepted) == 2);
    assert_eq!(silent.get("a.example", "/", "").status, 200);
}

#[test]
fn a_burst_of_clients_finds_room_before_any_is_taken_in() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _bound = Bound::new(listener, ListenerRole::Routes, false).unwrap();
    // Nothing accepts, so the whole burst has to fit into the accept queue. A backlog of 128, as of the standard library, would overflow.
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_secs(1));
    let burst: Result<Vec<_>, _> = (0..500).map(connect).collect();
    assert!(burst.is_ok(), "a connect failed: {burst:?}");
}
