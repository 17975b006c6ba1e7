//! Scripted answers of an origin, and what happens to the connection afterwards.

use std::time::Duration;

/// One scripted answer.
#[derive(Clone, Debug)]
pub struct ScriptedAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
    cut: Option<usize>,
    pub(super) delay: Duration,
    pub(super) ending: AnswerEnding,
}

/// The origin's action after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerEnding {
    /// It reads the next request.
    KeepAlive,
    /// It closes the connection.
    Close,
    /// It keeps the connection open and sends nothing more.
    Stall,
    /// It sends every byte back, as the far end of a WebSocket.
    Echo,
}

impl ScriptedAnswer {
    /// Creates a 200 with a `Content-Length` body.
    pub fn ok(body: &str) -> Self {
        Self::status(200, body)
    }

    /// Creates an answer with this status and a `Content-Length` body.
    pub fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            chunked: false,
            cut: None,
            delay: Duration::ZERO,
            ending: AnswerEnding::KeepAlive,
        }
    }

    /// Creates a 101 after which every byte is sent back.
    pub fn web_socket_echo() -> Self {
        let mut answer = Self::status(101, "")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        answer.ending = AnswerEnding::Echo;
        answer
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the body in chunks.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Delays the answer.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends only the first `bytes` bytes of the whole answer, then does `ending`.
    #[must_use]
    pub fn cut(mut self, bytes: usize, ending: AnswerEnding) -> Self {
        self.cut = Some(bytes);
        self.ending = ending;
        self
    }

    /// Closes the connection after the answer, announced by `Connection: close`.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.ending = AnswerEnding::Close;
        self.header("Connection", "close")
    }

    pub(super) fn bytes(&self, head_only: bool) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} As Told\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(self.framing().bytes());
        bytes.extend(b"\r\n");
        if !head_only {
            bytes.extend(self.framed_body());
        }
        bytes.truncate(self.cut.unwrap_or(bytes.len()));
        bytes
    }

    fn framing(&self) -> String {
        match (self.status, self.chunked) {
            (101 | 204 | 304, _) => String::new(),
            (_, true) => "Transfer-Encoding: chunked\r\n".to_owned(),
            (_, false) => format!("Content-Length: {}\r\n", self.body.len()),
        }
    }

    fn framed_body(&self) -> Vec<u8> {
        if !self.chunked {
            return self.body.clone();
        }
        let mut bytes = Vec::new();
        for part in self.body.chunks(7) {
            bytes.extend(format!("{:x}\r\n", part.len()).bytes());
            bytes.extend(part);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }
}
