//! The entry: from an admitted socket to the protocol that is spoken on it. Every client connection passes through [`serve`], on the thread
//! that will serve it.
//!
//! The steps are accept, admission, (PROXY protocol), (TLS handshake, which selects the protocol by ALPN), HTTP/1 (or HTTP/2). Steps in
//! parentheses are not implemented yet; they belong in [`serve`], before the protocol is known. Rules for such a step:
//!
//! - **Count.** A connection counts from its admission on, in every limit and for its thread, so that clients which connect and do nothing
//!   more are limited like those that send requests. It is [`Incoming::arriving`] until [`connection::serve`] counts it by its state, and
//!   the drain waits for both. A step that can block has its own state (`core::traffic::ConnectionState`).
//! - **Limit.** A handshake has its own deadline, counted from the accept (`client_handshake_timeout`), and the first head has its own
//!   after that: a slow network is not penalised twice. When the deadline expires, the connection is closed without an answer, since the
//!   client's protocol is not known yet.
//! - **Capacity.** A connection that waits for its client in such a step counts as idle: it has an [`Admitted::idle_place`], and from one
//!   second after its accept it can be closed to admit a new client.
//! - **Drain.** An accepted connection is served: its handshake continues within its deadline, and its first response contains `close`
//!   (HTTP/2: `GOAWAY` after its first requests). The same applies to a first head that is incomplete when the listeners close.
//! - **Failure.** It is counted by its reason, and never logged per connection, since clients can cause any number of them.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crate::core::admission::Admitted;
use crate::core::request::listener_role::ListenerRole;
use crate::core::request::protocol::Protocol;
use crate::core::traffic::Arriving;
use crate::engine::accept::lazy_socket::LazySocket;
use crate::engine::http1::connection::{self, Client};
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;

/// An accepted connection that was admitted within the limits.
#[derive(Debug)]
pub struct Incoming {
    /// Its non-blocking socket.
    pub stream: TcpStream,
    /// The client's address.
    pub peer: SocketAddr,
    /// The role of its listener.
    pub role: ListenerRole,
    /// Its admission.
    pub admitted: Admitted,
    /// Counts it until it is counted by its state.
    pub arriving: Arriving,
}

/// Serves a connection until either side closes it. As long as no step comes before the protocol, the returned future is that of the
/// protocol itself without a wrapper: every open connection holds one.
pub fn serve(
    arrival: Incoming,
    worker: Arc<ThreadContext>,
    closing: ShutdownSignal,
) -> impl Future<Output = ()> + Send {
    let client = Client {
        address: arrival.peer.ip().to_canonical(),
        role: arrival.role,
        admitted: Some(arrival.admitted),
        arriving: Some(arrival.arriving),
    };
    let (io, protocol) = plain(arrival.stream);
    match protocol {
        Protocol::Http1 => connection::serve(io, client, worker, closing),
    }
}

/// Returns the stream of a connection without TLS. There is nothing to negotiate and nothing to wait for: a connection that carries one
/// request is not even registered with the runtime here.
const fn plain(socket: TcpStream) -> (LazySocket, Protocol) {
    (LazySocket::new(socket), Protocol::Http1)
}
