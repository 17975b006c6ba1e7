//! A lane: a host with an endpoint of its own. Cases run one after another within a lane, and lanes run in parallel.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use crate::corpus::{PSEUDONYM, ids};
use crate::pace::Pace;
use crate::recorder::{Exchange, Recorder};
use crate::wire::{Response, Wire, shown};

/// Maximum wait for an unfinished write before the next one may begin.
const WRITE: Duration = Duration::from_secs(5);

/// A host with its own endpoint, behind the shared proxy.
#[derive(Debug)]
pub struct Lane {
    /// The address on which the proxy listens.
    pub proxy: SocketAddr,
    /// The host name: always six letters, so that message sizes are the same in every lane.
    pub host: String,
    /// The endpoint of the host.
    pub recorder: Recorder,
}

impl Lane {
    /// Returns a plain `GET`, used for the follow-up on the same connection and for requests on a new one.
    pub(super) fn get(&self, target: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host).into_bytes()
    }

    /// Returns the bytes that the endpoint must receive for [`Lane::get`].
    fn forwarded_get(&self, target: &str) -> Vec<u8> {
        let host = &self.host;
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n\
             x-forwarded-host: {host}\r\nvia: 1.1 {PSEUDONYM}\r\ncdn-loop: {PSEUDONYM}\r\n\r\n"
        )
        .into_bytes()
    }

    /// Checks that the endpoint received exactly [`Lane::get`].
    pub(super) fn is_get(&self, exchange: &Exchange, target: &str) -> Result<(), String> {
        if ids::without(&exchange.bytes) == self.forwarded_get(target) {
            return Ok(());
        }
        Err(format!(
            "the endpoint got, in place of GET {target},\n    {}",
            shown(&exchange.bytes)
        ))
    }

    /// Sends a `GET` on a new connection and checks for the usual answer.
    pub(super) async fn ask(&self, target: &str) -> Result<(), String> {
        let mut client = Client::open(self).await?;
        client.send(self.get(target), Pace::Whole).await?;
        let answer = client.wire.response(false).await;
        answer
            .and_then(|answer| is_usual(&answer, target))
            .map_err(|problem| format!("GET {target} of a new client: {problem}"))
    }
}

/// Checks that an answer is the usual one to a `GET`: 200 with `METHOD TARGET` as the body.
pub(super) fn is_usual(answer: &Response, target: &str) -> Result<(), String> {
    let want = format!("GET {target}");
    if answer.status == 200 && answer.body == want.as_bytes() {
        return Ok(());
    }
    Err(format!(
        "got {:?} {}, want 200 {want:?}",
        answer.line,
        shown(&answer.body)
    ))
}

/// A client connection. Writes run in a task of their own, because an answer may arrive before the request is fully written.
pub(super) struct Client {
    pub(super) wire: Wire,
    write: Writing,
}

enum Writing {
    Idle(OwnedWriteHalf),
    Busy(JoinHandle<OwnedWriteHalf>),
    Lost,
}

impl Client {
    pub(super) async fn open(lane: &Lane) -> Result<Self, String> {
        let (wire, write) = Wire::open(lane.proxy).await?;
        let write = Writing::Idle(write);
        Ok(Self { wire, write })
    }

    /// Starts a write after the previous one has finished. Write errors are ignored: the reader judges a connection that accepts no more
    /// bytes.
    pub(super) async fn send(&mut self, bytes: Vec<u8>, pace: Pace) -> Result<(), String> {
        let mut half = self.half().await?;
        self.write = Writing::Busy(tokio::spawn(async move {
            let _ = pace.write(&mut half, &bytes).await;
            half
        }));
        Ok(())
    }

    /// Waits until everything is written, or the write has failed.
    pub(super) async fn sent(&mut self) -> Result<(), String> {
        let half = self.half().await?;
        self.write = Writing::Idle(half);
        Ok(())
    }

    async fn half(&mut self) -> Result<OwnedWriteHalf, String> {
        match std::mem::replace(&mut self.write, Writing::Lost) {
            Writing::Idle(half) => Ok(half),
            Writing::Busy(task) => tokio::time::timeout(WRITE, task)
                .await
                .map_err(|_| "the proxy does not read what is sent")?
                .map_err(|error| error.to_string()),
            Writing::Lost => Err("nothing can be sent".to_owned()),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Writing::Busy(task) = &self.write {
            task.abort();
        }
    }
}
