//! The definitions that both planes of Aralez share.
//!
//! Everything that control, every proxy and `aralez-ctl` must agree on is here, as pure code: the validated [`model`], the [`fault`]s that
//! refuse it, [`record`]s with their hashes and roots, the closed-under-reference [`snapshot`], the `matcher`, the reading of documents and
//! `main.yaml`, and the conversion between model and wire.
//!
//! The crate uses **no** async runtime, sockets, files, clocks or randomness (except for hash seeds): callers pass in nonces and times.

pub mod client;
pub mod content;
pub mod convert;
pub mod document;
pub mod fault;
pub mod feature;
pub mod hash;
pub mod main_config;
pub mod matcher;
pub mod model;
pub mod named_files;
pub mod parallel;
pub mod persistent_map;
pub mod place;
mod reading;
pub mod record;
pub mod rules;
pub mod schema;
pub mod seal;
pub mod snapshot;
pub mod version;
pub mod wire;
mod yaml;
