//! Exchanges in which one side is early, late, gone or wrong, and the result for the other side.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::client::Client;
use crate::node::{Node, Site};
use crate::origin::{Origin, response};

/// Starts an endpoint that serves each connection with `serve`.
fn endpoint(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn site(address: SocketAddr) -> Site {
    let mut site = Site::new("a.example", "/", &[]);
    site.endpoints.push(address);
    site
}

/// Reads until `end` has arrived, or the connection closes.
fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(end) {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            break;
        }
        seen.push(byte[0]);
    }
    seen
}

fn connect(node: &Node) -> TcpStream {
    let stream = TcpStream::connect(node.address).unwrap();
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).unwrap();
    stream
}

#[test]
fn the_end_of_a_body_is_written_once_however_late_it_comes() {
    let origin = Origin::ok();
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let mut client = connect(&node);
    for _ in 0..2 {
        let head = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(b"5\r\nhello\r\n").unwrap();
        origin.sees("hello");
        client.write_all(b"0\r\n\r\n").unwrap();
        assert!(read_until(&mut client, b"fine").starts_with(b"HTTP/1.1 200"));
        origin.forgets();
    }
    let raw = origin.raw();
    assert_eq!(
        origin.connections(),
        1,
        "endpoint connection not reused: {raw}"
    );
    assert_eq!(raw.matches("0\r\n\r\n").count(), 2, "{raw}");
    let posts = origin.heads();
    assert!(
        posts.len() == 2 && posts.iter().all(|head| head.starts_with("POST / ")),
        "{raw}"
    );
}

#[test]
fn a_request_on_a_connection_that_the_endpoint_closed_is_sent_again_if_that_does_no_harm() {
    let (say, answered) = mpsc::channel();
    let say = std::sync::Arc::new(std::sync::Mutex::new(say));
    // One response per connection, then a close that no `Connection: close` announced.
    let address = endpoint(move |mut stream| {
        read_until(&mut stream, b"\r\n\r\n");
        stream.write_all(&response("200 OK", "", "fine")).unwrap();
        drop(stream);
        say.lock().unwrap().send(()).unwrap();
    });
    let node = Node::serving(&[site(address)]);
    let mut client = Client::connect(node.address);
    for _ in 0..50 {
        assert_eq!(client.get("a.example", "/", "").status, 200);
        answered.recv().unwrap();
    }
    assert_eq!(
        node.event(aralez_proxy::core::traffic::TrafficEvent::Error),
        0
    );
}

#[test]
fn an_endpoint_that_is_gone_with_its_kept_connections_costs_no_request() {
    let leaving = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = leaving.local_addr().unwrap();
    let (say, left) = mpsc::channel();
    // Sends one response, then closes its connection and its port.
    thread::spawn(move || {
        let (mut stream, _) = leaving.accept().unwrap();
        read_until(&mut stream, b"\r\n\r\n");
        stream.write_all(&response("200 OK", "", "fine")).unwrap();
        drop((stream, leaving));
        say.send(()).unwrap();
    });
    let origin = Origin::ok();
    let mut site = Site::new("a.example", "/", &[&origin]);
    site.endpoints.push(gone);
    let node = Node::serving(&[site]);
    let mut client = Client::connect(node.address);
    for at in 0..10 {
        assert_eq!(client.get("a.example", "/", "").status, 200, "request {at}");
        if at == 1 {
            left.recv().unwrap();
        }
    }
}

#[test]
fn a_request_that_was_sent_on_a_kept_connection_reaches_another_endpoint_as_a_whole() {
    let leaving = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = leaving.local_addr().unwrap();
    // Sends one response, reads a second request, and closes without a response to it.
    thread::spawn(move || {
        let (mut stream, _) = leaving.accept().unwrap();
        read_until(&mut stream, b"\r\n\r\n");
        stream.write_all(&response("200 OK", "", "fine")).unwrap();
        read_until(&mut stream, b"\r\n\r\n");
        drop((leaving, stream));
    });
    let origin = Origin::ok();
    let mut site = Site::new("a.example", "/", &[&origin]);
    site.endpoints.push(gone);
    let node = Node::serving(&[site]);
    let mut client = Client::connect(node.address);
    for at in 0..6 {
        assert_eq!(client.get("a.example", "/", "").status, 200, "request {at}");
    }
    assert_eq!(
        node.event(aralez_proxy::core::traffic::TrafficEvent::Stale),
        1
    );
    let heads = origin.heads();
    let whole = |head: &String| head.starts_with("GET / HTTP/1.1\r\nHost: a.example\r\n");
    assert!(heads.len() == 5 && heads.iter().all(whole), "{heads:?}");
}

#[test]
fn a_response_that_is_cut_is_never_taken_for_a_whole_one() {
    for (cut, version) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine", "1.1"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
            "1.1",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n",
            "1.0",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nzz\r\n",
            "1.1",
        ),
    ] {
        let (go, wait) = mpsc::channel();
        let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
        let address = endpoint(move |mut stream| {
            read_until(&mut stream, b"\r\n\r\n");
            // The body is sent separately, so that the client has the head when the response is cut.
            let (head, body) = cut.split_at(cut.find("\r\n\r\n").unwrap() + 4);
            stream.write_all(head.as_bytes()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            stream.write_all(body.as_bytes()).unwrap();
        });
        let node = Node::serving(&[site(address)]);
        let mut client = connect(&node);
        let request = format!("GET / HTTP/{version}\r\nHost: a.example\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let mut seen = read_until(&mut client, b"\r\n\r\n");
        go.send(()).unwrap();
        let end = client.read_to_end(&mut seen);
        let text = String::from_utf8_lossy(&seen).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{cut:?}: {text}");
        let whole = text.ends_with("0\r\n\r\n") || text.contains("content-length: 4");
        assert!(!whole, "{cut:?}: {text}");
        // The response to HTTP/1.0 has neither length nor chunks: only a reset distinguishes a cut body from a complete one.
        assert_eq!(end.is_err(), version == "1.0", "{cut:?}: {end:?} {text}");
    }
}

#[test]
fn a_response_that_is_wrong_before_its_client_has_a_byte_of_it_is_502() {
    let bad = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    let origin = Origin::start(move |_| bad.as_bytes().to_vec());
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let mut client = Client::connect(node.address);
    let response = client.get("a.example", "/", "");
    assert_eq!(
        (response.status, response.body.as_str()),
        (502, "502 Bad Gateway\n")
    );
}

#[test]
fn a_client_that_goes_away_frees_its_endpoint() {
    let (say, gone) = mpsc::channel();
    let say = std::sync::Arc::new(std::sync::Mutex::new(say));
    let address = endpoint(move |mut stream| {
        let seen = read_until(&mut stream, b"\r\n\r\n");
        let left = stream.read(&mut [0]).unwrap_or(0);
        say.lock().unwrap().send((seen, left)).unwrap();
    });
    let node = Node::serving(&[site(address)]);
    let mut client = connect(&node);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .unwrap();
    node.until(|traffic| traffic.in_flight() == 1);
    drop(client);
    let (seen, left) = gone.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(seen.starts_with(b"GET / "));
    assert_eq!(left, 0, "endpoint connection not closed");
    node.until(|traffic| traffic.in_flight() == 0);
}

#[test]
fn an_early_answer_reaches_its_client_and_the_rest_of_the_upload_reaches_nobody() {
    let address = endpoint(|mut stream| {
        read_until(&mut stream, b"\r\n\r\n");
        let early = response("413 Too Large", "", "no");
        stream.write_all(&early).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let node = Node::serving(&[site(address)]);
    let mut client = connect(&node);
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nabc")
        .unwrap();
    let mut seen = Vec::new();
    client.read_to_end(&mut seen).unwrap();
    let text = String::from_utf8_lossy(&seen).to_ascii_lowercase();
    assert!(
        text.starts_with("http/1.1 413") && text.ends_with("no"),
        "{text}"
    );
    assert!(text.contains("connection: close\r\n"), "{text}");
}

#[test]
fn informational_responses_pass_to_new_clients_and_not_to_old_ones() {
    let address = endpoint(|mut stream| {
        while !read_until(&mut stream, b"\r\n\r\n").is_empty() {
            stream
                .write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
                .unwrap();
            stream.write_all(&response("200 OK", "", "fine")).unwrap();
        }
    });
    let node = Node::serving(&[site(address)]);
    for (version, early) in [("1.1", true), ("1.0", false)] {
        let mut client = connect(&node);
        let request = format!("GET / HTTP/{version}\r\nHost: a.example\r\n\r\n");
        client.write_all(request.as_bytes()).unwrap();
        let seen = read_until(&mut client, b"fine");
        let text = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(
            text.contains("103 Early Hints\r\nLink: </a>"),
            early,
            "{text}"
        );
        assert!(text.contains("200 OK"), "{text}");
    }
}

#[test]
fn a_body_waits_for_the_endpoints_100_continue_and_follows_it() {
    let address = endpoint(|mut stream| {
        let head = read_until(&mut stream, b"\r\n\r\n");
        assert!(String::from_utf8_lossy(&head).contains("Expect: 100-continue"));
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let body = read_until(&mut stream, b"body");
        stream
            .write_all(&response("200 OK", "", std::str::from_utf8(&body).unwrap()))
            .unwrap();
    });
    let node = Node::serving(&[site(address)]);
    let mut client = connect(&node);
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .unwrap();
    let word = read_until(&mut client, b"\r\n\r\n");
    assert_eq!(word, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"body").unwrap();
    assert!(read_until(&mut client, b"body").starts_with(b"HTTP/1.1 200 OK"));
}
