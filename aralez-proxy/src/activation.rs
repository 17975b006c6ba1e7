//! Socket activation (sd_listen_fds(3)): sockets passed by systemd in `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`.

use std::net::TcpListener;

use listenfd::ListenFd;

/// A passed socket.
#[derive(Debug)]
pub struct Activated {
    /// The socket's name in `LISTEN_FDNAMES` (`FileDescriptorName=` of the unit), used in messages.
    pub name: String,
    /// The socket.
    pub listener: TcpListener,
}

/// A passed socket that is not a TCP listener.
#[derive(Debug, thiserror::Error)]
#[error(
    "socket {name} passed by systemd is not a TCP listener: {cause}; use ListenStream= with an address"
)]
pub struct NoListener {
    name: String,
    cause: std::io::Error,
}

/// Returns the sockets passed to this process. Must be called before anything else opens files.
///
/// # Errors
/// [`NoListener`] if one of them is not a TCP listener.
pub fn take() -> Result<Vec<Activated>, NoListener> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(passed.len());
    for index in 0..passed.len() {
        let name = names
            .next()
            .map_or_else(|| format!("number {index}"), str::to_owned);
        match passed.take_tcp_listener(index) {
            Ok(Some(listener)) => sockets.push(Activated { name, listener }),
            Ok(None) => {}
            Err(cause) => return Err(NoListener { name, cause }),
        }
    }
    Ok(sockets)
}
