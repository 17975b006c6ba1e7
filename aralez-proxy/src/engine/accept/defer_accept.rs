//! Deferred accept, `client_defer_accept`: the kernel holds a connection until its client has sent data, so that one wake-up accepts and
//! serves it (tcp(7), `TCP_DEFER_ACCEPT`).

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::setsockopt_impl;
use nix::sys::socket::setsockopt;

/// Time that the kernel waits for a client's first bytes before it hands the connection over without them.
pub const LONGEST: Duration = Duration::from_secs(1);

/// Maximum time after the deferral is disabled until the kernel has handed over the connections that it still holds. The kernel repeats the
/// SYN-ACK of each one second after the first (`TCP_TIMEOUT_INIT`), up to an eighth later because of the granularity of its timers, and the
/// client's ACK takes a round trip.
pub const RUNS_OUT: Duration = Duration::from_millis(1_500);

/// The socket option, which no library provides.
#[derive(Clone, Copy, Debug)]
struct DeferAccept;

setsockopt_impl!(
    DeferAccept,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    libc::c_int,
    nix::sys::socket::sockopt::SetStruct<'_, libc::c_int>
);

/// Defers the accept on a listener until the client has sent data.
///
/// # Errors
/// If the system does not support the option.
pub fn defer(listener: &impl AsFd) -> io::Result<()> {
    let seconds = libc::c_int::try_from(LONGEST.as_secs()).map_err(io::Error::other)?;
    Ok(setsockopt(listener, DeferAccept, &seconds)?)
}

/// Disables the deferral on a listener: connections are handed over as soon as they are established. Those that are held already follow
/// with their first bytes, or when the kernel repeats its SYN-ACK: within [`RUNS_OUT`].
///
/// # Errors
/// If the system does not support the option.
pub fn accept_at_once(listener: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(listener, DeferAccept, &0)?)
}
