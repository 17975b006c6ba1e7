//! What decides: pure, synchronous, without input and output, on plain views of requests.

pub mod counters;
pub mod gate;
pub mod memory;
pub mod subscription;
pub mod traffic;
pub mod trial;
