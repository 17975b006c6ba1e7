//! The proxy's side of the stream from control: the subscription, trials of new contents, and the interface of the snapshot cache.

pub mod cluster;
pub mod snapshot_cache;
pub mod snapshot_parts;
pub mod subscription;
pub mod trial;
