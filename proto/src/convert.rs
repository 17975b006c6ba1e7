//! Conversion between model and records. Only this module and [`crate::rules`], which converts itself, use the resource messages.
//!
//! Encoding is deterministic (no maps, sorted lists), so equal models give equal bytes. Decoding validates again: records from the wire or
//! from disk are untrusted input.

mod decode;
mod encode;
pub mod stream;

pub use decode::{Resource, decode};
pub use encode::{endpoint_record, host_record, pool_record, settings_record};

#[cfg(test)]
mod tests;

/// The version of the record envelope.
const RECORD_FORMAT: u32 = 2;
