//! Must-understand features: what a proxy has to know to serve a resource.
//!
//! A resource lists the features it needs; a proxy that lacks one refuses the resource rather than ignoring, say, its authorisation
//! (design section 7). Numbers are given once and never reused.

/// Routes that forward to a pool or redirect, header edits, timeouts: what the first release serves.
pub const BASE: u32 = 1;

/// `timeouts.first_byte`: a proxy without it would wait for a response as long as `read` allows, which may be for ever.
pub const FIRST_BYTE: u32 = 2;

/// The features of this build, ascending.
pub const KNOWN: &[u32] = &[BASE, FIRST_BYTE];

/// The first feature in `required` that this build lacks.
pub fn missing(required: &[u32]) -> Option<u32> {
    required
        .iter()
        .copied()
        .find(|feature| !KNOWN.contains(feature))
}
