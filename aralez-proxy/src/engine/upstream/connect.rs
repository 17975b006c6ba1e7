//! Connecting to an endpoint.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use aralez_proto::model::EndpointAddress;
use rustix::io::Errno;
use tokio::net::{TcpStream, UnixStream};

use crate::core::request::peer::{PeerKey, Security};
use crate::engine::io::timer::Timer;
use crate::engine::upstream::stream::UpstreamStream;

/// Reason why there is no connection. Ordered: if several endpoints were tried, the greatest reason determines the response.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotConnected {
    /// The endpoint refused, has a full accept queue, or cannot be reached.
    Refused,
    /// The endpoint did not answer in time.
    TooSlow,
    /// This machine lacks file descriptors, local ports or memory, which is not the endpoint's fault.
    Local,
    /// The client disconnected meanwhile.
    ClientGone,
}

/// Local errors. A missing route or a firewall's veto is not one of them: another endpoint may be reachable.
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
    fn of(address: &EndpointAddress, error: &io::Error) -> Self {
        match (address, Errno::from_io_error(error)) {
            // The endpoint's accept queue is full (unix(7)). With TCP the connect stays unanswered instead.
            (EndpointAddress::Unix(_), Some(Errno::AGAIN)) => Self::Refused,
            (_, Some(errno)) if LOCAL.contains(&errno) => Self::Local,
            _ => Self::Refused,
        }
    }
}

/// Connects to an endpoint on behalf of one request.
#[derive(Debug)]
pub struct Connector<'a> {
    /// The timer of the client's connection.
    pub timer: &'a mut Timer,
    /// Deadline for a connection that is ready for a request, over all steps.
    pub until: Option<Instant>,
}

impl Connector<'_> {
    /// Connects, while `is_gone` is pending.
    ///
    /// Peer settings beyond the address, such as a TLS handshake with another [`UpstreamStream`] as its result, are separate steps after
    /// the connect, under the same deadline.
    ///
    /// # Errors
    /// [`NotConnected`]
    pub async fn connect(
        &mut self,
        peer: &PeerKey,
        mut is_gone: impl FnMut(&mut Context<'_>) -> Poll<()>,
    ) -> Result<UpstreamStream, NotConnected> {
        let address = peer.address();
        let stream = match address {
            EndpointAddress::Tcp(tcp) => {
                let stream = self
                    .step(TcpStream::connect(tcp.socket()), &mut is_gone)
                    .await?;
                stream.map(|stream| {
                    // Small messages must not wait for the Nagle algorithm. A failure is harmless: they are only slower.
                    let _ = stream.set_nodelay(true);
                    UpstreamStream::Tcp(stream)
                })
            }
            EndpointAddress::Unix(path) => {
                let step = UnixStream::connect(path.as_str());
                let stream = self.step(step, &mut is_gone).await?;
                stream.map(UpstreamStream::Unix)
            }
        };
        let stream = stream.map_err(|error| NotConnected::of(address, &error))?;
        match peer.security() {
            Security::Plain => Ok(stream),
        }
    }

    /// Waits for one step of a connect.
    async fn step<T>(
        &mut self,
        step: impl Future<Output = T>,
        is_gone: &mut impl FnMut(&mut Context<'_>) -> Poll<()>,
    ) -> Result<T, NotConnected> {
        let mut step = pin!(step);
        poll_fn(|cx| {
            if let Poll::Ready(done) = step.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            if is_gone(cx).is_ready() {
                return Poll::Ready(Err(NotConnected::ClientGone));
            }
            ready!(self.timer.poll(cx, Instant::now(), self.until));
            Poll::Ready(Err(NotConnected::TooSlow))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_not_held_against_an_endpoint() {
        let tcp: EndpointAddress = "127.0.0.1:1".parse().unwrap();
        let unix: EndpointAddress = "unix:/a".parse().unwrap();
        let of = |errno: Errno| {
            let both = [&tcp, &unix].map(|address| NotConnected::of(address, &errno.into()));
            assert_eq!(both[0], both[1], "{errno}");
            both[0]
        };
        for errno in [
            Errno::MFILE,
            Errno::NFILE,
            Errno::ADDRNOTAVAIL,
            Errno::NOMEM,
        ] {
            assert_eq!(of(errno), NotConnected::Local, "{errno}");
        }
        for errno in [
            Errno::CONNREFUSED,
            Errno::HOSTUNREACH,
            Errno::NETUNREACH,
            Errno::NOENT,
            Errno::ACCESS,
            Errno::PROTOTYPE,
        ] {
            assert_eq!(of(errno), NotConnected::Refused, "{errno}");
        }
        let again = [&tcp, &unix].map(|address| NotConnected::of(address, &Errno::AGAIN.into()));
        assert_eq!(again, [NotConnected::Local, NotConnected::Refused]);
    }
}
