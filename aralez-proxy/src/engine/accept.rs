//! From a listening socket to a connection on a worker thread: accept, admission, dispatch, and detection of the protocol.

pub mod defer_accept;
pub mod dispatch;
pub mod entry;
pub mod lazy_socket;
pub mod listener;
pub mod unregistered;
