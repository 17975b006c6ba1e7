//! An endpoint that records every received byte and sends scripted responses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Everything received so far.
#[derive(Default)]
struct Log {
    connections: usize,
    raw: Vec<u8>,
    heads: Vec<String>,
    /// Length of the part of `raw` that [`Origin::sees`] ignores.
    forgotten: usize,
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl Origin {
    /// Starts an endpoint that answers every request with the result of `answer` for its head. An empty result sends nothing.
    pub(crate) fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let answer = Arc::new(answer);
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                lock(&shared).connections += 1;
                let (log, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &log, answer.as_ref()));
            }
        });
        Self { address, log }
    }

    /// Starts an endpoint that answers 200 with a short body.
    pub(crate) fn ok() -> Self {
        Self::start(|_| response("200 OK", "", "fine"))
    }

    pub(crate) fn connections(&self) -> usize {
        lock(&self.log).connections
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        lock(&self.log).heads.clone()
    }

    /// Waits until `text` has arrived since the last [`Origin::forgets`].
    pub(crate) fn sees(&self, text: &str) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        loop {
            let log = lock(&self.log);
            let seen = String::from_utf8_lossy(&log.raw[log.forgotten..]).contains(text);
            drop(log);
            if seen {
                return;
            }
            assert!(std::time::Instant::now() < end, "{text:?} did not arrive");
            thread::yield_now();
        }
    }

    /// Makes [`Origin::sees`] ignore everything received so far.
    pub(crate) fn forgets(&self) {
        let mut log = lock(&self.log);
        log.forgotten = log.raw.len();
    }

    /// Returns every byte of all connections, in the order of arrival.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&lock(&self.log).raw).into_owned()
    }
}

/// Builds a response with `Content-Length`. `fields` are complete lines.
pub(crate) fn response(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap()
}

fn serve(mut stream: TcpStream, log: &Mutex<Log>, answer: &dyn Fn(&str) -> Vec<u8>) {
    let mut seen = Vec::new();
    while let Some(head) = read_until(&mut stream, &mut seen, b"\r\n\r\n", log) {
        let head = String::from_utf8_lossy(&head).into_owned();
        lock(log).heads.push(head.clone());
        let lower = head.to_ascii_lowercase();
        if lower.contains("transfer-encoding: chunked")
            && read_until(&mut stream, &mut seen, b"0\r\n\r\n", log).is_none()
        {
            return;
        }
        if let Some(length) = field(&lower, "content-length") {
            let length: usize = length.parse().unwrap();
            while seen.len() < length {
                if !read(&mut stream, &mut seen, log) {
                    return;
                }
            }
            seen.drain(..length);
        }
        if stream.write_all(&answer(&head)).is_err() {
            return;
        }
    }
}

/// Returns the value of a field; `None` if the head, which is in lower case, has no such field.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let prefix = format!("{name}: ");
    head.lines()
        .find_map(|line| line.strip_prefix(prefix.as_str()))
}

fn read_until(
    stream: &mut TcpStream,
    seen: &mut Vec<u8>,
    end: &[u8],
    log: &Mutex<Log>,
) -> Option<Vec<u8>> {
    loop {
        if let Some(at) = seen.windows(end.len()).position(|window| window == end) {
            return Some(seen.drain(..at + end.len()).collect());
        }
        if !read(stream, seen, log) {
            return None;
        }
    }
}

fn read(stream: &mut TcpStream, seen: &mut Vec<u8>, log: &Mutex<Log>) -> bool {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => false,
        Ok(read) => {
            seen.extend_from_slice(&buffer[..read]);
            lock(log).raw.extend_from_slice(&buffer[..read]);
            true
        }
    }
}
