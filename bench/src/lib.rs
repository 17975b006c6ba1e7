//! Measurements: the proxy next to nginx and HAProxy, what users of a running fleet see, and what a fleet of full size costs.
//!
//! `make bench` and `make prove` run them at full size, the tests of this crate in small. They build on the harness of the end-to-end tests.

pub mod contest;
pub mod fleet_size;
pub mod running_fleet;
