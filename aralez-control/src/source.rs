//! Sources of documents and endpoints. This release has files.

pub mod file;
