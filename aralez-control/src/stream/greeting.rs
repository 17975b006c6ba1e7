//! Start of a stream: the proxy's `Hello`, and the `GoAway` that refuses it.

use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use tonic::{Status, Streaming};
use tracing::warn;

use crate::core::claim::Claim;
use crate::core::node::{NodeFacts, NodeState};
use crate::core::session::{GoAway, Hello, TurnedAway};

use super::hub::Hub;
use super::message;
use super::outgoing::Sender;

/// Time within which a proxy must send its `Hello`.
const GREETING: Duration = Duration::from_secs(10);

pub(super) fn note_turned_away(
    hub: &Hub,
    facts: NodeFacts,
    held: Option<Version>,
    turned_away: &TurnedAway,
    now: Instant,
) {
    let state = match turned_away.ahead {
        Some(_) => NodeState::Ahead,
        None => NodeState::Foreign,
    };
    let why = (turned_away.go_away.reason.clone(), held);
    let mut fleet = hub.parts.fleet.lock();
    fleet.turned_away(facts, state, why, now);
}

pub(super) async fn turn_away(hub: &Hub, node: &NodeName, farewell: GoAway, out: &Sender) {
    hub.parts.observer.stream_refused();
    warn!(%node, reason = farewell.reason, "proxy turned away");
    let _ = out.send(Ok(message::go_away(farewell))).await;
}

pub(super) async fn greet(inbound: &mut Streaming<wire::NodeMessage>) -> Result<Hello, Status> {
    let first = tokio::time::timeout(GREETING, inbound.message())
        .await
        .map_err(|_| Status::deadline_exceeded("timeout while waiting for Hello"))??;
    match first.and_then(|message| message.kind) {
        Some(wire::node_message::Kind::Hello(hello)) => {
            message::hello(hello).map_err(|invalid| Status::invalid_argument(invalid.0))
        }
        _ => Err(Status::failed_precondition(
            "expected Hello as the first message",
        )),
    }
}

/// Checks whether the claim lets this process have the name.
///
/// # Errors
/// The `GoAway` to send, if another process keeps the name.
pub(super) fn refuse_claim(claim: Claim, node: &NodeName) -> Result<(), GoAway> {
    match claim {
        Claim::Returns => Ok(()),
        Claim::TakesOver => {
            warn!(%node, "another process took over the name of a connected node: check whether two proxies share one node_id");
            Ok(())
        }
        Claim::Duplicate => Err(GoAway {
            reason: format!(
                "another running proxy has the name {node}; set a different node_id for each proxy, and do not copy a state folder"
            ),
            retry_min: Duration::from_secs(30),
            retry_max: Duration::from_secs(60),
        }),
        Claim::Stale => Err(GoAway {
            reason: "a newer process of this node is connected".to_owned(),
            retry_min: Duration::from_secs(10),
            retry_max: Duration::from_secs(30),
        }),
    }
}
