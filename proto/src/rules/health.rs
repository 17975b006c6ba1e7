//! `health`: how endpoints are checked. Checked only.

use crate::reading::{Anything, Between, WrittenDuration, choices, keys};

choices! {
    /// `health.type`
    HealthType, "a type", false:
    /// Asks with HTTP.
    Http = "http",
    /// Connects.
    Tcp = "tcp",
    /// Asks with gRPC.
    Grpc = "grpc",
}

keys! {
    /// How endpoints are checked.
    HealthKeys "in health";
    @checked {
        /// The path that is asked for.
        path => String,
        /// The method.
        method => String,
        /// Between two checks.
        interval => WrittenDuration,
        /// For an answer.
        timeout => WrittenDuration,
        /// How many good answers make an endpoint live.
        rise => Between<1, 1_000>,
        /// How many bad answers make it dead.
        fall => Between<1, 1_000>,
        /// Which statuses are good.
        status => Anything,
        /// How it is asked.
        type => HealthType,
        /// By how much the time between two checks varies.
        jitter => Anything,
        /// In which time an endpoint that is back gets its whole share.
        slow_start => WrittenDuration,
        /// When an endpoint is left alone for its answers to clients.
        eject => EjectKeys,
        /// Below which share of live endpoints all are used, as 50%.
        panic => String,
    }
}

keys! {
    /// When an endpoint is left alone for its answers to clients.
    EjectKeys "in eject";
    @checked {
        /// After how many failures in a row.
        after => Between<1, 1_000_000>,
        /// For how long.
        for => WrittenDuration,
        /// Which share of the endpoints at most, as 50%.
        most => Anything,
    }
}
