//! What decides: pure, synchronous, without input and output, on plain views of requests.

pub mod gate;
pub mod traffic;
