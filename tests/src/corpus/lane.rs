//! Where cases run one after another: a host with an endpoint of its own, so that other lanes can run beside it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use crate::corpus::PSEUDONYM;
use crate::pace::Pace;
use crate::recorder::{Exchange, Recorder};
use crate::wire::{Answer, Wire, shown};

/// How long a write may take once its answers are there.
const WRITE: Duration = Duration::from_secs(5);

/// One lane.
#[derive(Debug)]
pub struct Lane {
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// The host; six letters, so that sizes are the same in every lane.
    pub host: String,
    /// The endpoint of the host.
    pub recorder: Recorder,
}

impl Lane {
    /// A plain `GET` that asks for the next answer on a connection, or on a new one.
    pub(super) fn get(&self, target: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host).into_bytes()
    }

    /// What the endpoint sees of [`Lane::get`].
    fn got(&self, target: &str) -> Vec<u8> {
        let host = &self.host;
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n\
             x-forwarded-host: {host}\r\nvia: 1.1 {PSEUDONYM}\r\ncdn-loop: {PSEUDONYM}\r\n\r\n"
        )
        .into_bytes()
    }

    /// Whether what the endpoint saw is [`Lane::get`].
    pub(super) fn is_get(&self, exchange: &Exchange, target: &str) -> Result<(), String> {
        if exchange.bytes == self.got(target) {
            return Ok(());
        }
        Err(format!(
            "the endpoint got, in place of GET {target},\n    {}",
            shown(&exchange.bytes)
        ))
    }

    /// Asks on a new connection, and wants the usual answer.
    pub(super) async fn ask(&self, target: &str) -> Result<(), String> {
        let mut client = Client::open(self).await?;
        client.send(self.get(target), Pace::Whole).await?;
        let answer = client.wire.answer(false).await;
        answer
            .and_then(|answer| is_usual(&answer, target))
            .map_err(|problem| format!("GET {target} of a new client: {problem}"))
    }
}

/// Whether an answer is the usual one to a `GET`.
pub(super) fn is_usual(answer: &Answer, target: &str) -> Result<(), String> {
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

/// A connection of a client. Writing goes on beside reading: an answer may come before all was written.
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

    /// Begins to write, once what was written before is written. That the other side takes no more is for the reader to judge.
    pub(super) async fn send(&mut self, bytes: Vec<u8>, pace: Pace) -> Result<(), String> {
        let mut half = self.half().await?;
        self.write = Writing::Busy(tokio::spawn(async move {
            let _ = pace.write(&mut half, &bytes).await;
            half
        }));
        Ok(())
    }

    /// Waits until everything is written, or is not taken any more.
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
                .map_err(|_| "the proxy does not take what is sent")?
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
