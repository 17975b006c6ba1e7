//! An endpoint as the engine connects to it.

use std::time::Duration;

use pingora::protocols::ALPN;
use pingora::upstreams::peer::HttpPeer;

use super::UPGRADED_IDLE;
use super::exchange::{Chosen, limit};

/// The peer of an endpoint. From an address only: given a name, the engine would resolve it and block.
pub(super) fn of(chosen: Chosen) -> Box<HttpPeer> {
    let timeouts = chosen.timeouts;
    let mut peer = HttpPeer::new(chosen.address.socket(), false, String::new());
    let options = &mut peer.options;
    options.connection_timeout = within(limit(timeouts.connect), chosen.left);
    options.total_connection_timeout = options.connection_timeout;
    options.read_timeout = if chosen.upgrade {
        Some(UPGRADED_IDLE)
    } else {
        within(limit(timeouts.read), chosen.left)
    };
    options.write_timeout = limit(timeouts.write);
    options.idle_timeout = limit(timeouts.idle);
    options.alpn = ALPN::H1;
    Box::new(peer)
}

fn within(limit: Option<Duration>, left: Option<Duration>) -> Option<Duration> {
    match (limit, left) {
        (Some(limit), Some(left)) => Some(limit.min(left)),
        (limit, left) => limit.or(left),
    }
}
