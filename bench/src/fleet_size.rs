//! What a fleet of full size costs and how long it takes: removals, restarts, slow readers, herds, endpoints that come and go.
//!
//! Each measurement gives figures and the rows of them; none asserts a time. `prove-fleet` runs them at full size, a test in small.

pub mod connects;
pub mod discovery;
pub mod figures;
pub mod options;
pub mod refusing;
pub mod removals;
pub mod restart;
pub mod slow;
pub mod stage;
