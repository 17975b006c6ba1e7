//! HTTP/1 clients: the life of a connection ([`connection`]) and the client side of each exchange ([`client`]).
//!
//! Between requests a connection holds only its socket and a timer. For each request it lends its parts to an [`Http1`](client::Http1),
//! which implements the client side of the exchange and determines what follows on the connection.

pub mod buffers;
pub mod client;
pub mod connection;
mod gone;
mod tunnel;
