//! Blocking client sockets, which show how a connection was closed: by FIN or by reset.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connects to `address`. Reads fail after 20 s.
///
/// # Panics
/// If the connection fails.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the address accepts connections");
    let limit = Duration::from_secs(20);
    let limited = stream.set_read_timeout(Some(limit));
    limited.expect("a timeout can be set");
    stream
}

/// Reads everything until the connection is closed; returns the bytes, and the error if it was not closed cleanly.
pub fn rest(stream: &mut TcpStream) -> (Vec<u8>, Result<(), ErrorKind>) {
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    (all, read.map(drop).map_err(|error| error.kind()))
}

/// Reads a response whose body is `a`, and no byte behind it.
///
/// # Panics
/// If it does not arrive.
pub fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\na") {
        let mut byte = [0];
        let read = stream.read(&mut byte);
        assert!(
            matches!(read, Ok(1)),
            "{read:?} after {}",
            answer.escape_ascii()
        );
        answer.extend(byte);
    }
    String::from_utf8(answer).expect("a head is text")
}
