//! Measurements of a running fleet as its users see it: changes under load, the time from save to response, and the cost of size.
//!
//! Each runs at small size in a test, and at full size in the binary `prove-changes`. A measurement panics if a promise is broken that
//! does not depend on the machine; figures that depend on it become table rows.

pub mod ask;
pub mod changes;
pub mod echo;
pub mod edits;
pub mod hosts;
pub mod large;
pub mod lookup;
pub mod saves;
pub mod sites;
pub mod spread;
pub mod stages;
pub mod table;
pub mod versions;
