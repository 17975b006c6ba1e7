//! What an origin answers, and how the connection goes on after it.

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

/// What follows an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerEnding {
    /// The next request.
    KeepAlive,
    /// The connection closes.
    Close,
    /// Nothing more, and it stays open.
    Stall,
    /// Every byte comes back: the far end of a WebSocket.
    Echo,
}

impl ScriptedAnswer {
    /// 200 with a body of known length.
    pub fn ok(body: &str) -> Self {
        Self::status(200, body)
    }

    /// A status with a body of known length.
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

    /// 101, then every byte comes back.
    pub fn web_socket_echo() -> Self {
        let mut answer = Self::status(101, "")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        answer.ending = AnswerEnding::Echo;
        answer
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the body in chunks.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// After a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The first `bytes` of it only, then `ending`.
    #[must_use]
    pub fn cut(mut self, bytes: usize, ending: AnswerEnding) -> Self {
        self.cut = Some(bytes);
        self.ending = ending;
        self
    }

    /// Closing the connection after it, and saying so.
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
