//! The engine: from an accepted connection to an endpoint and back, in loops of our own.
//!
//! What decides about a request is in [`crate::core`] and sees plain views; what reads and writes HTTP/1 is [`crate::core::http1`]. Here
//! are the sockets: [`listener`] accepts connections, [`desk`] admits each and gives it to a thread, [`entry`] finds out what is spoken on it,
//! [`http1`] is one client's life, [`exchange`] one request, [`upstream`] the connections to endpoints. [`threads`] spreads the work. HTTP/2 will be
//! another adapter beside [`http1`], on the same threads and with the same exchanges: [`client_side`] is what it has to bring.

pub mod accepted;
pub mod buffer;
pub mod client_side;
pub mod clock;
pub mod closing;
pub mod deferred;
pub mod desk;
pub mod entry;
pub mod exchange;
pub mod facts;
pub mod http1;
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
