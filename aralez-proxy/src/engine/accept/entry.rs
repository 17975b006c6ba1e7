//! The way in: from a socket that was admitted to the protocol that is spoken on it. Every connection of a client comes through
//! [`serve`], on the thread that will serve it.
//!
//! Accept, admission, (PROXY protocol), (TLS handshake, which gives by ALPN what is spoken), HTTP/1 (or HTTP/2). What stands in brackets is
//! not there yet, and has its place in [`serve`], before the protocol is known. What holds for a step there:
//!
//! - **Count.** The connection counts from its admission on, in every limit and for its thread, so that clients which connect and go no
//!   further are bounded as those that ask are. It is [`Incoming::arriving`] until [`connection::serve`] counts it by its state, and the drain
//!   waits for both. A step that can be waited for is a state of its own (`core::traffic::ConnectionState`).
//! - **Limit.** A handshake has a deadline of its own from the accept on (`client_handshake_timeout`), and the first head its own after that: a
//!   slow network is not charged twice. Past it the connection is closed without an answer: it is not known yet what the client would understand.
//! - **Room.** While it waits for the client it is as idle as one that has not asked yet: it has an [`Admitted::idle_place`], and may lose its
//!   place to a new client after the same second.
//! - **Drain.** A connection that was accepted is served: its handshake goes on within its deadline, and its first answer says `close` (HTTP/2:
//!   `GOAWAY` after its first requests). So it is with a first head that is not whole at the close.
//! - **Failure.** Counted by its reason, and never logged for each connection: clients make as many of them as they like.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crate::core::admission::Admitted;
use crate::core::request::protocol::Protocol;
use crate::core::traffic::Arriving;
use crate::engine::accept::lazy_socket::LazySocket;
use crate::engine::http1::connection::{self, Client};
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;

/// A connection that was accepted and has its place within the limits.
#[derive(Debug)]
pub struct Incoming {
    /// Its socket, which does not block.
    pub stream: TcpStream,
    /// The address at its other end.
    pub peer: SocketAddr,
    /// Its place.
    pub admitted: Admitted,
    /// Counts it until it is counted as a connection.
    pub arriving: Arriving,
}

/// Serves a connection until one of both sides ends it. Its future is that of the protocol, and nothing around it, for as long as no step comes
/// before: there is one for each connection that waits.
pub fn serve(
    arrival: Incoming,
    worker: Arc<ThreadContext>,
    closing: ShutdownSignal,
) -> impl Future<Output = ()> + Send {
    let client = Client {
        address: arrival.peer.ip().to_canonical(),
        admitted: Some(arrival.admitted),
        arriving: Some(arrival.arriving),
    };
    let (io, protocol) = plain(arrival.stream);
    match protocol {
        Protocol::Http1 => connection::serve(io, client, worker, closing),
    }
}

/// Without TLS there is nothing to agree on, and no step that is waited for: a connection for one request is not even made known to the
/// runtime here.
const fn plain(socket: TcpStream) -> (LazySocket, Protocol) {
    (LazySocket::new(socket), Protocol::Http1)
}
