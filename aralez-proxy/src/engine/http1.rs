//! Clients of HTTP/1: a connection's life ([`connection`]), and the client's side of each of its exchanges ([`client`]).
//!
//! Between requests a connection holds its socket and a timer. For a request it lends what it is made of to a
//! [`Http1`](client::Http1), which an exchange talks to, and learns from it what follows.

pub mod buffers;
pub mod client;
pub mod connection;
mod gone;
mod tunnel;
