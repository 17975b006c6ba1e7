//! The data plane of Aralez: serves traffic from the newest snapshot it accepted.
//!
//! What decides about a request lives in [`core`] and sees plain views only. The engine (Pingora) is an adapter: [`service`] translates.

pub mod admin;
pub mod app;
pub mod args;
pub mod cache;
pub mod core;
pub mod drain;
pub mod metrics;
pub mod settings;
pub mod sync;
