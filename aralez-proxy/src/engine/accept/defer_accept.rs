//! Deferred accept, `client_defer_accept`: the kernel holds a connection until its client sent something, so that it is accepted and served
//! in one go (tcp(7), `TCP_DEFER_ACCEPT`).

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::setsockopt_impl;
use nix::sys::socket::setsockopt;

/// How long the kernel waits for a client's first bytes before it hands the connection over without them.
pub const LONGEST: Duration = Duration::from_secs(1);

/// How long connections that are held when the deferral ends may take to be handed over. The kernel repeats the SYN-ACK of each a second after
/// the first (`TCP_TIMEOUT_INIT`), up to an eighth of that late, as its timers are, and the client's answer takes a round trip.
pub const RUNS_OUT: Duration = Duration::from_millis(1_500);

/// The option; no library has it ready-made.
#[derive(Clone, Copy, Debug)]
struct DeferAccept;

setsockopt_impl!(
    DeferAccept,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    libc::c_int,
    nix::sys::socket::sockopt::SetStruct<'_, libc::c_int>
);

/// Has the connections of a listener held until their client sent something.
///
/// # Errors
/// Where the system does not know how.
pub fn defer(listener: &impl AsFd) -> io::Result<()> {
    let seconds = libc::c_int::try_from(LONGEST.as_secs()).map_err(io::Error::other)?;
    Ok(setsockopt(listener, DeferAccept, &seconds)?)
}

/// Has the connections of a listener handed over when they are established. Those that are held already follow with their first bytes, or
/// when the kernel repeats its SYN-ACK: within [`RUNS_OUT`].
///
/// # Errors
/// Where the system does not know how.
pub fn accept_at_once(listener: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(listener, DeferAccept, &0)?)
}
