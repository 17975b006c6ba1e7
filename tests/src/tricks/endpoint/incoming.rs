//! A strict parser for the bytes that arrive on a connection of the endpoint.

use std::time::Duration;

use tokio::net::tcp::OwnedReadHalf;

use crate::byte_reader::ByteReader;
use crate::tricks::{FOREIGN, HOST};

/// The head of a well-formed request.
#[derive(Debug)]
pub(super) struct IncomingRequest {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) id: Option<String>,
    framing: Framing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    Length(usize),
    Chunked,
}

impl IncomingRequest {
    pub(super) fn is_victim(&self) -> bool {
        self.target.starts_with("/v/")
    }
}

/// The reading side of a connection.
#[derive(Debug)]
pub(super) struct Incoming {
    reader: ByteReader<OwnedReadHalf>,
}

impl Incoming {
    pub(super) fn new(read: OwnedReadHalf) -> Self {
        Self {
            reader: ByteReader::new(read),
        }
    }

    /// Reads the next request; `None` if the connection closes, or if nothing arrives within `patience`.
    pub(super) async fn head(
        &mut self,
        patience: Option<Duration>,
    ) -> Result<Option<IncomingRequest>, String> {
        if self.reader.buffered().is_empty() {
            let first = match patience {
                None => self.more().await,
                Some(limit) => tokio::time::timeout(limit, self.more())
                    .await
                    .unwrap_or(false),
            };
            if !first {
                return Ok(None);
            }
        }
        match self.reader.head().await {
            Ok(head) => parse(&head).map(Some),
            Err(_) => Err(format!("no whole head: {:?}", self.shown())),
        }
    }

    /// Reads the body of a request. Returns `false` if the connection closes within it, as it does when an upload is cut.
    pub(super) async fn body(&mut self, request: &IncomingRequest) -> Result<bool, String> {
        match request.framing {
            Framing::Length(length) => Ok(self.take(length).await),
            Framing::Chunked => self.chunks().await,
        }
    }

    /// Returns `true` if no byte follows a request that is not answered yet, and an error otherwise: the proxy must not pipeline.
    pub(super) fn is_empty(&self, request: &IncomingRequest) -> Result<bool, String> {
        match self.reader.buffered().is_empty() {
            true => Ok(true),
            false => Err(format!("after {}: {:?}", request.target, self.shown())),
        }
    }

    /// Reads and discards all bytes until the connection closes.
    pub(super) async fn drain(&mut self) -> Result<(), String> {
        while self.more().await {
            self.reader.take_buffered();
        }
        Ok(())
    }

    async fn chunks(&mut self) -> Result<bool, String> {
        loop {
            let Some(line) = self.line().await else {
                return Ok(false);
            };
            let text = std::str::from_utf8(&line).unwrap_or_default();
            let size = usize::from_str_radix(text.trim_end(), 16)
                .map_err(|_| format!("not a chunk's size: {text:?}"))?;
            if size == 0 {
                return self.trailers().await;
            }
            if !self.take(size).await {
                return Ok(false);
            }
            match self.line().await {
                None => return Ok(false),
                Some(line) if line == b"\r\n" => {}
                Some(line) => return Err(format!("a chunk does not end: {line:?}")),
            }
        }
    }

    async fn trailers(&mut self) -> Result<bool, String> {
        loop {
            match self.line().await {
                None => return Ok(false),
                Some(line) if line == b"\r\n" => return Ok(true),
                Some(_) => {}
            }
        }
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        self.reader.until(b"\n").await.ok()
    }

    async fn take(&mut self, count: usize) -> bool {
        self.reader.exact(count, &mut Vec::new()).await.is_ok()
    }

    /// Reads more bytes. Returns whether any arrived.
    pub(super) async fn more(&mut self) -> bool {
        self.reader.more().await.is_ok()
    }

    fn shown(&self) -> String {
        let bytes = self.reader.buffered();
        String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
    }
}

fn parse(head: &[u8]) -> Result<IncomingRequest, String> {
    let text = std::str::from_utf8(head).map_err(|_| format!("not text: {head:?}"))?;
    let odd = |why: &str| format!("{why}: {text:?}");
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    let [method @ ("GET" | "HEAD" | "POST"), target, "HTTP/1.1"] = first[..] else {
        return Err(odd("not a request"));
    };
    if !target.starts_with("/v/") && !target.starts_with("/a/") {
        return Err(odd("not a target of ours"));
    }
    if target.contains(FOREIGN) {
        return Err(odd("a smuggled request"));
    }
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| odd("not a field"))?;
        fields.push((name.to_ascii_lowercase(), value.trim()));
    }
    if text.replace("\r\n", "").contains(['\r', '\n', '\0']) {
        return Err(odd("control bytes"));
    }
    let all = |name: &str| -> Vec<&str> {
        let named = fields.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| *value).collect()
    };
    if all("host") != [HOST] {
        return Err(odd("not our host"));
    }
    let framing = match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Framing::Length(0),
        ([length], []) => Framing::Length(length.parse().map_err(|_| odd("not a length"))?),
        ([], ["chunked"]) => Framing::Chunked,
        _ => return Err(odd("ambiguous")),
    };
    Ok(IncomingRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        id: all("x-id").first().map(|id| (*id).to_owned()),
        framing,
    })
}
