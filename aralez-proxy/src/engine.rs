//! The engine: HTTP/1 from an accepted connection to an endpoint and back, in one loop of our own.
//!
//! What decides about a request is in [`crate::core`] and sees plain views; what reads and writes HTTP/1 is [`crate::core::http1`]. Here
//! are the sockets: [`listener`] accepts connections, [`desk`] admits each and gives it to a thread, [`entry`] finds out what is spoken on it,
//! [`connection`] is the life of one that speaks HTTP/1, [`duplex`] one exchange, [`upstream`] the connections to endpoints. [`threads`]
//! spreads the work. HTTP/2 will be another adapter beside this one, on the same threads.

pub mod accepted;
pub mod ask;
pub mod buffer;
pub mod clock;
pub mod closing;
pub mod connection;
pub mod deferred;
pub mod desk;
pub mod duplex;
pub mod entry;
pub mod gone;
pub mod io;
pub mod listener;
pub mod outgoing;
pub mod relay;
pub mod server;
pub mod threads;
pub mod timer;
pub mod unwatched;
pub mod upstream;
pub mod worker;
