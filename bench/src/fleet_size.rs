//! Times and costs of a full-size fleet: removals, restarts of control, slow readers, connect storms, endpoint churn, refused pushes.
//!
//! Each measurement returns figures and their table rows; none asserts a time. `prove-fleet` runs them at full size, a test at small size.

pub mod connects;
pub mod discovery;
pub mod figures;
pub mod options;
pub mod refusing;
pub mod removals;
pub mod restart;
pub mod slow;
pub mod stage;
