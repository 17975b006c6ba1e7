//! Measurements: the proxy compared with nginx and HAProxy, a running fleet as its users see it, the costs of a full-size fleet, and the time of
//! comparisons of credentials.
//!
//! `make bench` and `make prove` run them at full size, the tests of this crate at small size. They build on the harness of the end-to-end
//! tests.

pub mod comparisons;
pub mod contest;
pub mod fleet_size;
pub mod running_fleet;
