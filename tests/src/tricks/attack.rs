//! An attacker: one connection for each attack, as many as there is time for.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{FOREIGN, VICTIM};

/// Between the parts of an attack, so that each goes out alone.
const PAUSE: Duration = Duration::from_millis(2);
/// So long it waits for the beginning of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// An attacker hears so long that nothing more comes.
const SILENCE: Duration = Duration::from_millis(15);

/// How an attacker leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// When nothing more comes.
    Later,
    /// When all is sent, in order.
    AtOnce,
    /// When all is sent, by a reset.
    WithReset,
}

/// One part of an attack.
#[derive(Clone, Debug)]
struct Part {
    bytes: String,
    /// It is sent only when the answer to the parts before it has begun to come.
    answered: bool,
}

impl Part {
    const fn of(bytes: String) -> Self {
        Self {
            bytes,
            answered: false,
        }
    }
}

/// What is sent on one connection.
#[derive(Clone, Debug)]
pub struct Attack {
    parts: Vec<Part>,
    leaves: Leaves,
}

impl Attack {
    /// Sends this at once.
    pub fn of(bytes: String) -> Self {
        Self {
            parts: vec![Part::of(bytes)],
            leaves: Leaves::Later,
        }
    }

    /// And that a little later.
    #[must_use]
    pub fn then(mut self, bytes: &str) -> Self {
        self.parts.push(Part::of(bytes.to_owned()));
        self
    }

    /// And that once the answer has begun to come.
    #[must_use]
    pub fn then_answered(mut self, bytes: &str) -> Self {
        self.parts.push(Part {
            answered: true,
            ..Part::of(bytes.to_owned())
        });
        self
    }

    /// And leaves so.
    #[must_use]
    pub fn leaves(mut self, leaves: Leaves) -> Self {
        self.leaves = leaves;
        self
    }

    /// Does it once.
    ///
    /// # Errors
    /// When it got what belongs to somebody else.
    pub async fn run(&self, address: SocketAddr) -> Result<(), String> {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            return Err("no connection".to_owned());
        };
        let _ = stream.set_nodelay(true);
        let mut got = Vec::new();
        for (number, part) in self.parts.iter().enumerate() {
            if part.answered {
                let begins = stream.read_buf(&mut got);
                if !matches!(tokio::time::timeout(PATIENCE, begins).await, Ok(Ok(1..))) {
                    return Err("no answer before the body".to_owned());
                }
            } else if number > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            // It may be refused already.
            if stream.write_all(part.bytes.as_bytes()).await.is_err() {
                break;
            }
        }
        match self.leaves {
            Leaves::Later => listen(&mut stream, got).await,
            Leaves::AtOnce => Ok(()),
            Leaves::WithReset => {
                // The proxy gets to see the bytes before the reset takes them away.
                tokio::time::sleep(PAUSE).await;
                let _ = set_socket_linger(&stream, Some(Duration::ZERO));
                Ok(())
            }
        }
    }
}

async fn listen(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Result<(), String> {
    while let Ok(Ok(1..)) = tokio::time::timeout(SILENCE, stream.read_buf(&mut bytes)).await {}
    let text = String::from_utf8_lossy(&bytes);
    match text.contains(VICTIM) || text.contains(FOREIGN) {
        true => Err(format!("an attacker got {text:?}")),
        false => Ok(()),
    }
}
