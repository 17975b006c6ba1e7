//! Measurements of what users of a running fleet see: changes under load, the speed of a save, and what size costs.
//!
//! Each comes in a small form, as a test, and in a full one, by the binary `prove-changes`. A measurement fails by panicking where a
//! promise is broken that does not depend on the machine; what does depend on it is a figure in a row.

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
