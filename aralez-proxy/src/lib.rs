//! The data plane of Aralez: serves traffic from the newest snapshot it accepted.
//!
//! What decides about a request lives in [`core`] and sees plain views only. The [`engine`] is an adapter: it moves bytes.

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
