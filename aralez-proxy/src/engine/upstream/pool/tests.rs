use std::time::Duration;

use aralez_proto::model::Pool;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::*;

struct Endpoint {
    listener: TcpListener,
    address: std::net::SocketAddr,
    peer: PeerKey,
}

impl Endpoint {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = peer(&address.to_string());
        Self {
            listener,
            address,
            peer,
        }
    }

    /// Both ends of a connection.
    async fn connect(&self) -> (TcpStream, TcpStream) {
        let ours = TcpStream::connect(self.address).await.unwrap();
        (ours, self.listener.accept().await.unwrap().0)
    }
}

fn peer(address: &str) -> PeerKey {
    PeerKey::new(&Pool::default(), address.parse().unwrap())
}

fn pool(idle: usize, idle_per_endpoint: usize) -> ConnectionPool {
    ConnectionPool::new(PoolLimits {
        idle,
        idle_per_endpoint,
    })
}

fn port(found: &Found) -> Option<u16> {
    match found {
        Found::Kept(UpstreamStream::Tcp(stream)) => Some(stream.local_addr().unwrap().port()),
        Found::Kept(UpstreamStream::Unix(_)) => panic!("not of this kind"),
        Found::Nothing => None,
    }
}

#[tokio::test]
async fn the_newest_connection_is_used_first_and_only_for_its_own_endpoint() {
    let (one, other) = (Endpoint::new().await, Endpoint::new().await);
    let pool = pool(9, 9);
    let now = Instant::now();
    let (first, _far) = one.connect().await;
    let (second, _far2) = one.connect().await;
    let ports = [&first, &second].map(|stream| stream.local_addr().unwrap().port());
    pool.put(&one.peer, UpstreamStream::Tcp(first), None);
    pool.put(&one.peer, UpstreamStream::Tcp(second), None);
    assert_eq!(port(&pool.take(&other.peer, now).0), None);
    assert_eq!(port(&pool.take(&one.peer, now).0), Some(ports[1]));
    assert_eq!(port(&pool.take(&one.peer, now).0), Some(ports[0]));
    assert_eq!(port(&pool.take(&one.peer, now).0), None);
}

#[tokio::test]
async fn an_endpoint_that_says_408_while_it_closes_an_idle_connection_is_no_alarm() {
    let endpoint = Endpoint::new().await;
    let pool = pool(9, 9);
    for (said, unexpected) in [
        (
            "HTTP/1.0 408 Request Time-out\r\nConnection: close\r\n\r\n",
            0,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", 1),
        ("HTTP/1.1 408", 0),
        ("HTTP/1.1 40", 1),
    ] {
        let (near, mut far) = endpoint.connect().await;
        pool.put(&endpoint.peer, UpstreamStream::Tcp(near), None);
        far.write_all(said.as_bytes()).await.unwrap();
        let (found, ended) = pool.take(&endpoint.peer, Instant::now());
        assert_eq!(
            (port(&found), ended.unexpected),
            (None, unexpected),
            "{said}"
        );
    }
}

#[tokio::test]
async fn over_a_limit_the_connection_that_waits_longest_goes() {
    let (one, other) = (Endpoint::new().await, Endpoint::new().await);
    let pool = pool(3, 2);
    let mut far = Vec::new();
    let mut ports = Vec::new();
    for endpoint in [&one, &one, &one, &other, &other] {
        let (near, end) = endpoint.connect().await;
        ports.push(near.local_addr().unwrap().port());
        far.push(end);
        pool.put(&endpoint.peer, UpstreamStream::Tcp(near), None);
    }
    assert_eq!(pool.count(), 3);
    let now = Instant::now();
    assert_eq!(port(&pool.take(&one.peer, now).0), Some(ports[2]));
    assert_eq!(port(&pool.take(&one.peer, now).0), None);
    assert_eq!(port(&pool.take(&other.peer, now).0), Some(ports[4]));
    for _ in 0..1_000 {
        let (near, end) = one.connect().await;
        pool.put(&one.peer, UpstreamStream::Tcp(near), None);
        assert!(port(&pool.take(&one.peer, now).0).is_some());
        drop(end);
    }
    assert!(pool.with(|kept| kept.order.len()) < 100);
}

#[tokio::test]
async fn a_connection_that_is_too_old_closed_or_talking_is_not_used() {
    let endpoint = Endpoint::new().await;
    let pool = pool(9, 9);
    let now = Instant::now();
    let (old, _far) = endpoint.connect().await;
    pool.put(
        &endpoint.peer,
        UpstreamStream::Tcp(old),
        Some(now + Duration::from_secs(1)),
    );
    assert_eq!(
        port(&pool.take(&endpoint.peer, now + Duration::from_secs(1)).0),
        None
    );

    let (closed, far) = endpoint.connect().await;
    drop(far);
    closed.readable().await.unwrap();
    pool.put(&endpoint.peer, UpstreamStream::Tcp(closed), None);
    assert_eq!(pool.take(&endpoint.peer, now).1, Ended::default());

    let (talking, mut far) = endpoint.connect().await;
    far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    talking.readable().await.unwrap();
    pool.put(&endpoint.peer, UpstreamStream::Tcp(talking), None);
    let (found, ended) = pool.take(&endpoint.peer, now);
    assert_eq!((port(&found), ended.unexpected), (None, 1));
    assert_eq!(pool.count(), 0);
}

#[tokio::test]
async fn sweeping_lets_go_of_what_nobody_will_use() {
    let endpoint = Endpoint::new().await;
    let pool = pool(9, 9);
    let now = Instant::now();
    let (old, _far) = endpoint.connect().await;
    let (closed, far) = endpoint.connect().await;
    let (good, _far2) = endpoint.connect().await;
    drop(far);
    closed.readable().await.unwrap();
    pool.put(&endpoint.peer, UpstreamStream::Tcp(old), Some(now));
    pool.put(&endpoint.peer, UpstreamStream::Tcp(closed), None);
    pool.put(&endpoint.peer, UpstreamStream::Tcp(good), None);
    pool.sweep(now);
    assert_eq!(pool.count(), 1);
}

#[tokio::test]
async fn what_came_since_the_runtime_looked_last_is_not_taken_for_an_answer() {
    let endpoint = Endpoint::new().await;
    let pool = pool(9, 9);
    let (near, far) = endpoint.connect().await;
    // The runtime now records that there is nothing to read, and is not polled again before the connection is taken.
    assert!(near.try_read(&mut [0]).is_err());
    pool.put(&endpoint.peer, UpstreamStream::Tcp(near), None);
    let far = far.into_std().unwrap();
    far.set_nonblocking(false).unwrap();
    std::io::Write::write_all(&mut &far, b"HTTP/1.1 200 OK\r\n").unwrap();
    let (found, ended) = pool.take(&endpoint.peer, Instant::now());
    assert_eq!((port(&found), ended.unexpected), (None, 1));
}

#[tokio::test]
async fn a_unix_socket_that_waits_is_looked_at_as_one_of_tcp_is() {
    let pool = pool(9, 9);
    let (one, other) = (peer("unix:/run/a.sock"), peer("unix:/run/b.sock"));
    let now = Instant::now();
    let look = |said: &'static [u8], closes: bool| {
        let (near, far) = UnixStream::pair().unwrap();
        pool.put(&one, UpstreamStream::Unix(near), None);
        assert!(matches!(pool.take(&other, now).0, Found::Nothing));
        assert!(said.is_empty() || far.try_write(said).unwrap() == said.len());
        let far = (!closes).then_some(far);
        let (found, ended) = pool.take(&one, now);
        drop(far);
        let kept = matches!(found, Found::Kept(UpstreamStream::Unix(_)));
        (kept, ended.unexpected)
    };
    assert_eq!(look(b"", false), (true, 0));
    assert_eq!(look(b"", true), (false, 0));
    assert_eq!(look(b"HTTP/1.1 408 Too late", false), (false, 0));
    assert_eq!(look(b"HTTP/1.1 200 OK", false), (false, 1));
}
