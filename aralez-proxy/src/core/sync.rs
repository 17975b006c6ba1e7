//! The proxy's side of the stream from control: the subscription, trials of new contents, and what the snapshot cache must offer.

pub mod cluster;
pub mod snapshot_cache;
pub mod snapshot_parts;
pub mod subscription;
pub mod trial;
