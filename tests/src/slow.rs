//! Slow and silent peers on both sides of a proxy, as data: what each does, which limit ends it, and what it is told.
//!
//! A kind is a script for a client and one for an endpoint ([`kind`]); a round lets many peers of one kind loose at once and looks
//! at the proxy meanwhile ([`round`]); a good client on a thread of its own tells whether others notice ([`good`]).

pub mod clients;
pub mod crowd;
pub mod endpoints;
pub mod far;
pub mod good;
pub mod kind;
pub mod peer;
pub mod round;
pub mod stage;
pub mod table;
pub mod vitals;
