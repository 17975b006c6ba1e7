//! Sources: what finds documents and endpoints. This release has files.

pub mod file;
