//! The control plane of Aralez: it turns documents into revisions and distributes them to the proxies.
//!
//! `core` decides and does no I/O; the other modules are adapters (files, the embedded store, the stream, the config API), and the app
//! composes them. Control never handles user requests.

pub mod api;
pub mod app;
pub mod args;
pub mod checkpoint;
pub mod core;
pub mod ledger;
pub mod metrics;
pub mod passwords;
pub mod publisher;
pub mod settings;
pub mod source;
pub mod stream;
