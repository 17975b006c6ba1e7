//! An attacker: one connection for each attack, as many as there is time for.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{FOREIGN, VICTIM};

/// Between the parts of an attack, so that each goes out alone.
const PAUSE: Duration = Duration::from_millis(2);
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

/// What is sent on one connection.
#[derive(Clone, Debug)]
pub struct Attack {
    parts: Vec<String>,
    leaves: Leaves,
}

impl Attack {
    /// Sends this at once.
    pub fn of(bytes: String) -> Self {
        Self {
            parts: vec![bytes],
            leaves: Leaves::Later,
        }
    }

    /// And that a little later.
    #[must_use]
    pub fn then(mut self, bytes: &str) -> Self {
        self.parts.push(bytes.to_owned());
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
        for (number, part) in self.parts.iter().enumerate() {
            if number > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            // It may be refused already.
            if stream.write_all(part.as_bytes()).await.is_err() {
                break;
            }
        }
        match self.leaves {
            Leaves::Later => listen(&mut stream).await,
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

async fn listen(stream: &mut TcpStream) -> Result<(), String> {
    let mut bytes = Vec::new();
    while let Ok(Ok(1..)) = tokio::time::timeout(SILENCE, stream.read_buf(&mut bytes)).await {}
    let text = String::from_utf8_lossy(&bytes);
    match text.contains(VICTIM) || text.contains(FOREIGN) {
        true => Err(format!("an attacker got {text:?}")),
        false => Ok(()),
    }
}
