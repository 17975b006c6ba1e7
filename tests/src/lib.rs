//! The harness of the end-to-end tests: real binaries on free ports, origins that record, sockets that fail on demand, and load that counts
//! and never retries.
//!
//! It fails by panicking. Its own promises are tested in `tests/harness.rs`: a harness that cannot see a failed request proves nothing. It
//! contains no tests of the product.

pub mod blocking;
pub mod byte_reader;
pub mod corpus;
pub mod disk;
pub mod document;
pub mod documentation;
pub mod eventually;
pub mod explained;
pub mod fault_proxy;
pub mod files;
pub mod fleet;
pub mod lenient;
pub mod load;
pub mod loopback;
pub mod meter;
pub mod model;
pub mod new_connections;
pub mod origin;
pub mod pace;
pub mod ports;
pub mod process;
pub mod programs;
pub mod proof;
pub mod raw;
pub mod recorder;
pub mod scripted_node;
pub mod scripted_source;
pub mod serving_threads;
pub mod simulator;
pub mod slow;
pub mod stage;
pub mod tricks;
pub mod unreachable;
pub mod web_folder;
pub mod wire;
