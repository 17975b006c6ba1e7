//! A new connection to an endpoint.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use aralez_proto::model::EndpointAddress;
use rustix::io::Errno;
use tokio::net::TcpStream;

use super::timer::Timer;

/// Why there is none. Ascending by what says more about a request for which several endpoints were tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotConnected {
    /// The endpoint refuses, or cannot be reached.
    Refused,
    /// It does not answer in time.
    TooSlow,
    /// This machine lacks what a connection takes: descriptors, local ports or memory. That tells nothing about the endpoint.
    Local,
    /// The client went away meanwhile.
    ClientGone,
}

/// Errors that an endpoint has no part in. A missing route or a firewall's veto is not among them: another endpoint may be reachable.
const LOCAL: [Errno; 9] = [
    Errno::MFILE,
    Errno::NFILE,
    Errno::ADDRNOTAVAIL,
    Errno::ADDRINUSE,
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::AGAIN,
    Errno::NOSPC,
    Errno::AFNOSUPPORT,
];

impl NotConnected {
    fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) if LOCAL.contains(&errno) => Self::Local,
            _ => Self::Refused,
        }
    }
}

/// Connects until then, for as long as `is_gone` is pending.
///
/// # Errors
/// [`NotConnected`]
pub async fn to(
    address: EndpointAddress,
    timer: &mut Timer,
    until: Option<Instant>,
    mut is_gone: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> Result<TcpStream, NotConnected> {
    let mut connecting = pin!(TcpStream::connect(address.socket()));
    let stream = poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected.map_err(|error| NotConnected::of(&error)));
        }
        if is_gone(cx).is_ready() {
            return Poll::Ready(Err(NotConnected::ClientGone));
        }
        ready!(timer.poll(cx, Instant::now(), until));
        Poll::Ready(Err(NotConnected::TooSlow))
    })
    .await?;
    // Small messages must not wait for each other; where that cannot be said, they do.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_not_held_against_an_endpoint() {
        let of = |errno: Errno| NotConnected::of(&errno.into());
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::ADDRNOTAVAIL,
            Errno::NOMEM,
        ] {
            assert_eq!(of(errno), NotConnected::Local, "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::NETUNREACH] {
            assert_eq!(of(errno), NotConnected::Refused, "{errno}");
        }
    }
}
