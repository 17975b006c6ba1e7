//! Connections that the kernel holds until their client says something: `client_defer_accept`. One that comes with its request is taken in
//! and served at once, without being waited for in between.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::setsockopt_impl;
use nix::sys::socket::setsockopt;

/// How long the kernel waits for a client's first bytes before it hands the connection over without them (tcp(7), `TCP_DEFER_ACCEPT`).
pub const LONGEST: Duration = Duration::from_secs(1);

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

/// Has a listener's connections held.
///
/// # Errors
/// Where the system does not know how.
pub fn defer(listener: &impl AsFd) -> io::Result<()> {
    let seconds = libc::c_int::try_from(LONGEST.as_secs()).map_err(io::Error::other)?;
    Ok(setsockopt(listener, DeferAccept, &seconds)?)
}
