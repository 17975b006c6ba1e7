//! A new connection to an endpoint.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Instant;

use aralez_proto::model::EndpointAddress;
use tokio::net::TcpStream;

use super::timer::Timer;

/// Why there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotConnected {
    /// The endpoint refuses, or cannot be reached.
    Refused,
    /// It does not answer in time.
    TooSlow,
}

impl NotConnected {
    /// The status to answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Refused => 502,
            Self::TooSlow => 504,
        }
    }
}

/// Connects until then.
///
/// # Errors
/// [`NotConnected`]
pub async fn to(
    address: EndpointAddress,
    timer: &mut Timer,
    until: Option<Instant>,
) -> Result<TcpStream, NotConnected> {
    let mut connecting = pin!(TcpStream::connect(address.socket()));
    let stream = poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected.map_err(|_| NotConnected::Refused));
        }
        ready!(timer.poll(cx, Instant::now(), until));
        Poll::Ready(Err(NotConnected::TooSlow))
    })
    .await?;
    // Small messages must not wait for each other; where that cannot be said, they do.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
