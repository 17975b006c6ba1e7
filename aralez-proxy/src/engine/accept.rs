//! From a listening socket to a connection on a serving thread: accept, admission, dispatch, and the protocol that is spoken.

pub mod defer_accept;
pub mod dispatch;
pub mod entry;
pub mod lazy_socket;
pub mod listener;
pub mod unregistered;
