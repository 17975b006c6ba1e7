//! The data plane of Aralez: serves traffic from the newest snapshot it accepted.
//!
//! Decisions about a request are made in [`core`], which sees only plain views of it. The [`engine`] is an adapter that moves bytes.

pub mod activation;
pub mod admin;
pub mod app;
pub mod args;
pub mod cache;
pub mod core;
pub mod drain;
pub mod engine;
pub mod handover;
pub mod metrics;
pub mod settings;
pub mod sync;
