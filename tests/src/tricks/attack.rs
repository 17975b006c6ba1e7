//! An attacker: one connection per attack, repeated until the victims are done.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{FOREIGN, VICTIM};

/// The pause between the parts of an attack, so that each is sent separately.
const PAUSE: Duration = Duration::from_millis(2);
/// Maximum wait for the beginning of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Silence after which the attacker assumes that no more bytes follow.
const SILENCE: Duration = Duration::from_millis(15);

/// The way in which an attacker closes its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// After the proxy has become silent.
    Later,
    /// Immediately after the last part, in order.
    AtOnce,
    /// Immediately after the last part, by a reset.
    WithReset,
}

/// One part of an attack.
#[derive(Clone, Debug)]
struct Part {
    bytes: String,
    /// `true` if it is sent only after the answer to the preceding parts has begun.
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

/// The bytes sent on one connection, and how it is closed.
#[derive(Clone, Debug)]
pub struct Attack {
    parts: Vec<Part>,
    leaves: Leaves,
}

impl Attack {
    /// Creates an attack that sends these bytes immediately.
    pub fn of(bytes: String) -> Self {
        Self {
            parts: vec![Part::of(bytes)],
            leaves: Leaves::Later,
        }
    }

    /// Adds a part that is sent a little later.
    #[must_use]
    pub fn then(mut self, bytes: &str) -> Self {
        self.parts.push(Part::of(bytes.to_owned()));
        self
    }

    /// Adds a part that is sent once the answer has begun.
    #[must_use]
    pub fn then_answered(mut self, bytes: &str) -> Self {
        self.parts.push(Part {
            answered: true,
            ..Part::of(bytes.to_owned())
        });
        self
    }

    /// Sets how the attacker closes the connection.
    #[must_use]
    pub fn leaves(mut self, leaves: Leaves) -> Self {
        self.leaves = leaves;
        self
    }

    /// Runs the attack once.
    ///
    /// # Errors
    /// The received bytes, if they contain another client's data; also if there is no connection, or no answer to a part that waits for
    /// one.
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
            // The proxy may have refused the request already.
            if stream.write_all(part.bytes.as_bytes()).await.is_err() {
                break;
            }
        }
        match self.leaves {
            Leaves::Later => listen(&mut stream, got).await,
            Leaves::AtOnce => Ok(()),
            Leaves::WithReset => {
                // Let the proxy read the bytes before the reset discards them.
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
