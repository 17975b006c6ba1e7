//! The engine: moves bytes between accepted connections and endpoints, on its own event loops.
//!
//! Decisions about a request are made in [`crate::core`], which sees plain views; HTTP/1 is parsed and written by
//! [`crate::core::request::http1`]. The sockets are here: [`accept`] accepts and admits connections and assigns each to a thread,
//! [`threads`] runs the event loops, [`http1`] serves a downstream connection, [`exchange`] one request and its response, [`upstream`]
//! manages the connections to endpoints, [`io`] contains the buffers and timers. HTTP/2 will be another module like [`http1`], on the same
//! threads and with the same exchanges: [`exchange::client_side`] is the trait that it has to implement.

pub mod accept;
pub mod exchange;
pub mod files;
pub mod http1;
pub mod io;
pub mod limit_clock;
pub mod password_checks;
pub mod server;
pub mod shutdown;
pub mod threads;
pub mod upstream;
