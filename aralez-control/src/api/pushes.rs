//! The outcome of a push, immediately or by long poll.

use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::core::fleet::{ListedNodes, PushListing};
use crate::core::node::NodeRecord;
use crate::core::proof::{Awaited, Mark, Outcome};

use super::Shared;
use super::json::{FaultJson, PushJson, PushNodeJson, SHAPE, VersionJson};
use super::nodes::{turned_away, written};
use super::problem::Problem;
use super::write::{bad_request, is_set};

/// Maximum duration of a long poll.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Minimum delay before progress of an undecided push is returned, which batches updates.
const GATHER: Duration = Duration::from_millis(300);
/// Polling interval of a long poll.
const LOOK: Duration = Duration::from_millis(50);

/// The query parameters.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// Respond when the outcome is known or has progressed, after this many milliseconds at the latest.
    wait_ms: Option<u64>,
    /// `open`: list only the nodes that do not run it; `none`: only the counts.
    nodes: Option<String>,
    /// Also wait for nodes that are away.
    all: Option<String>,
}

pub(super) async fn one(
    api: Shared,
    revision: Result<Path<u64>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path(revision) = revision.map_err(|_| bad_request("the revision is not a number"))?;
    let Query(asked) = asked.map_err(|_| {
        bad_request("invalid query string; wait_ms must be a number of milliseconds")
    })?;
    let wanted = match asked.nodes.as_deref() {
        None | Some("all") => ListedNodes::All,
        Some("open") => ListedNodes::Open,
        Some("none") => ListedNodes::Counts,
        Some(other) => {
            let detail = format!("nodes: expected all, open or none, found {other:?}");
            return Err(bad_request(&detail));
        }
    };
    let awaited = match is_set(asked.all.as_deref()) {
        true => Awaited::All,
        false => Awaited::Present,
    };
    let wait = Duration::from_millis(asked.wait_ms.unwrap_or(0)).min(LONGEST_WAIT);
    let began = Instant::now();
    // Many requests may wait here, so the cost of a poll does not depend on the number of nodes.
    let look = || Some(api.parts.fleet.lock().proof(revision)?.counts());
    let first = look();
    loop {
        let (waited, now) = (began.elapsed(), look());
        let undecided = now.is_some_and(|now| now.outcome(awaited) == Outcome::Pending);
        let news = now != first && waited >= GATHER;
        if !undecided || news || waited >= wait {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    // Streams wait for the fleet lock, so the response is built after its release.
    let push = api.parts.fleet.lock().push(revision, wanted);
    let push = push.ok_or_else(|| {
        let detail = "the revision does not exist, or is older than those whose rollout is tracked";
        Problem::new(StatusCode::NOT_FOUND, "revision not tracked", detail)
    })?;
    written(move || push_answer(&push, revision, awaited, Instant::now())).await
}

/// Returns the body of `GET /v1/pushes/REVISION`. Costs one entry per listed node.
pub fn push_answer(
    push: &PushListing,
    revision: u64,
    awaited: Awaited,
    now: Instant,
) -> impl Serialize + use<> {
    let node = |(node, mark, record): &(NodeName, Mark, _)| {
        node_json(node, mark, Option::as_deref(record))
    };
    PushJson {
        version: SHAPE,
        revision,
        outcome: push.counts.outcome(awaited).name(),
        awaited: awaited.name(),
        counts: push.counts.into(),
        nodes: push.nodes.iter().map(node).collect(),
        turned_away: turned_away(&push.strangers, now),
    }
}

fn node_json(node: &NodeName, mark: &Mark, record: Option<&NodeRecord>) -> PushNodeJson {
    PushNodeJson {
        node: node.to_string(),
        group: record
            .map(|record| record.group.to_string())
            .unwrap_or_default(),
        state: mark.name(),
        running: record
            .and_then(|record| record.session.running)
            .map(VersionJson::from),
        faults: match mark {
            Mark::Refused(faults) => faults.iter().map(FaultJson::from).collect(),
            _ => Vec::new(),
        },
    }
}
