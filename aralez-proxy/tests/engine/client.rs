//! A client that sends bytes verbatim and reads whole responses.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) struct Client(TcpStream);

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        crate::origin::field(&self.head, name)
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Self(stream)
    }

    /// Sends a request without a body and reads its response.
    pub(crate) fn get(&mut self, host: &str, target: &str, fields: &str) -> Response {
        self.send(&format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"
        ))
    }

    pub(crate) fn write(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).unwrap();
    }

    /// Sends bytes and reads one response: head, and body if it has a `Content-Length`.
    pub(crate) fn send(&mut self, bytes: &str) -> Response {
        self.write(bytes);
        let mut seen = Vec::new();
        let end = loop {
            if let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(
                self.read(&mut seen),
                "connection closed within the head: {}",
                seen.escape_ascii()
            );
        };
        let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
        let length =
            crate::origin::field(&head, "content-length").map_or(0, |n| n.parse().unwrap());
        while seen.len() < end + length {
            assert!(self.read(&mut seen), "connection closed within the body");
        }
        Response {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: String::from_utf8_lossy(&seen[end..]).into_owned(),
            head,
        }
    }

    /// Reads until the connection closes.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        while self.read(&mut rest) {}
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Waits for bytes or the close, and reports whether the connection closed.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        !self.read(&mut rest)
    }

    fn read(&mut self, seen: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 4096];
        match self.0.read(&mut buffer) {
            Ok(0) => false,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("read failed: {error}"),
            Ok(read) => {
                seen.extend_from_slice(&buffer[..read]);
                true
            }
        }
    }
}
