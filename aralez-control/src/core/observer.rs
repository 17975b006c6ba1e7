//! Events to count. The metrics implement the trait; streams and the API report to it.

use std::time::Duration;

use aralez_proto::fault::FaultCode;

/// Receives events.
pub trait Observer: Send + Sync {
    /// A node applied an update: `round_trip` after it was sent, of which the node took `on_node`.
    fn applied(&self, round_trip: Duration, on_node: Duration);

    /// A node refused an update with this fault.
    fn refused(&self, code: FaultCode);

    /// A derivation for nodes that refuse the newest view was computed, and took this long.
    fn derived(&self, took: Duration);

    /// A stream began.
    fn stream_opened(&self);

    /// A stream was turned away, for lack of capacity or because of its Hello.
    fn stream_refused(&self);

    /// A push through the API was answered after this time.
    fn pushed(&self, accepted: bool, took: Duration);

    /// A client presented a wrong key.
    fn wrong_key(&self);

    /// A connection of the API was closed for lack of capacity.
    fn api_pressure(&self, pressure: ApiPressure);
}

/// The connection that the API closed at its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiPressure {
    /// A waiting connection was closed for a new one.
    GaveWay,
    /// A new connection was closed, because every other one had a request in progress.
    TurnedAway,
}
