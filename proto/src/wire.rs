//! Generated wire types. Used only by [`crate::convert`] and the adapters of the stream.
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]

pub mod codec;
pub mod part;
mod secrets;

/// Resources: the content of records.
pub mod resource {
    tonic::include_proto!("aralez.resource.v1");
}

/// The stream between a proxy and control.
pub mod control {
    tonic::include_proto!("aralez.control.v1");
}

/// Ledger entries and cache files.
pub mod storage {
    tonic::include_proto!("aralez.storage.v1");
}
