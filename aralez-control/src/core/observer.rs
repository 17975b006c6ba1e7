//! What is worth counting. The metrics implement it; streams and API tell it.

use std::time::Duration;

use aralez_proto::fault::FaultCode;

/// Takes note of what happens.
pub trait Observer: Send + Sync {
    /// A node applied an update, this long after it was sent and this long on the node.
    fn applied(&self, round_trip: Duration, on_node: Duration);

    /// A node refused an update for this.
    fn refused(&self, code: FaultCode);

    /// What nodes that refuse the newest view are given of it was made, and took so long.
    fn derived(&self, took: Duration);

    /// A stream began.
    fn stream_opened(&self);

    /// A stream was turned away, for want of room or for what it said.
    fn stream_refused(&self);

    /// A push over the API was answered after this long.
    fn pushed(&self, accepted: bool, took: Duration);

    /// A wrong key was shown.
    fn wrong_key(&self);

    /// A connection of the API was closed for want of room.
    fn api_pressure(&self, pressure: ApiPressure);
}

/// How the API made room where it had none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiPressure {
    /// A connection that only waited was closed for a new one.
    GaveWay,
    /// A new connection was closed, since every other one had a request in progress.
    TurnedAway,
}
