//! `health`: health checks of endpoints. Checked only.

use crate::reading::{Anything, Between, WrittenDuration, choices, keys};

choices! {
    /// `health.type`
    HealthType, "a type", false:
    /// An HTTP request.
    Http = "http",
    /// A TCP connect.
    Tcp = "tcp",
    /// A gRPC health check.
    Grpc = "grpc",
}

keys! {
    /// Health checks of endpoints.
    HealthKeys "in health";
    @checked {
        /// The request path.
        path => String,
        /// The request method.
        method => String,
        /// Time between two checks.
        interval => WrittenDuration,
        /// Time limit for a response.
        timeout => WrittenDuration,
        /// Number of good responses that mark an endpoint live.
        rise => Between<1, 1_000>,
        /// Number of bad responses that mark it dead.
        fall => Between<1, 1_000>,
        /// The statuses that are good.
        status => Anything,
        /// The kind of check.
        type => HealthType,
        /// Variation of the time between two checks.
        jitter => Anything,
        /// Time in which a recovered endpoint ramps up to its full share.
        slow_start => WrittenDuration,
        /// Ejection of endpoints for their responses to clients.
        eject => EjectKeys,
        /// Share of live endpoints below which all are used, such as 50%.
        panic => String,
    }
}

keys! {
    /// Ejection of endpoints for their responses to clients.
    EjectKeys "in eject";
    @checked {
        /// Number of consecutive failures.
        after => Between<1, 1_000_000>,
        /// Duration of the ejection.
        for => WrittenDuration,
        /// Maximum share of the endpoints that may be ejected, such as 50%.
        most => Anything,
    }
}
