//! Proxies that are not let in: what they are told, and what the fleet shows of them.

use std::time::Instant;

use aralez_proto::model::NodeName;
use tracing::warn;

use super::facts_of;
use crate::core::node::NodeState;
use crate::core::session::{GoAway, Hello, TurnedAway};
use crate::stream::hub::Hub;
use crate::stream::message;
use crate::stream::outgoing::Sender;

pub(super) async fn turn_away(hub: &Hub, node: &NodeName, farewell: GoAway, out: &Sender) {
    hub.parts.observer.stream_refused();
    warn!(%node, reason = farewell.reason, "turned a proxy away");
    let _ = out.send(Ok(message::go_away(farewell))).await;
}

pub(super) fn note_turned_away(hub: &Hub, hello: &Hello, turned_away: &TurnedAway, now: Instant) {
    let state = match turned_away.ahead {
        Some(_) => NodeState::Ahead,
        None => NodeState::Foreign,
    };
    let why = (turned_away.go_away.reason.clone(), hello.held);
    let mut fleet = hub.parts.fleet.lock();
    fleet.turned_away(facts_of(hello), state, why, now);
}
