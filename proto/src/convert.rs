//! Between model and records. With [`crate::rules`], which convert themselves, the only door to the resource messages.
//!
//! Encoding is deterministic (no maps, sorted lists), so an equal model gives equal bytes. Decoding checks everything again: what comes
//! over the wire or from disk is input like any other.

mod decode;
mod encode;
pub mod stream;

pub use decode::{Resource, decode};
pub use encode::{endpoint_record, host_record, pool_record, settings_record};

#[cfg(test)]
mod tests;

/// The version of the record envelope.
const RECORD_FORMAT: u32 = 2;
