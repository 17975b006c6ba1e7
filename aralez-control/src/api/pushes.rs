//! The outcome of a push: as it is now, or after a long poll.

use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use axum::Json;
use axum::extract::{Path, Query};
use http::StatusCode;
use serde::Deserialize;

use crate::core::fleet::Fleet;
use crate::core::proof::{Awaited, Mark, Outcome, Proof};

use super::Shared;
use super::json::{FaultJson, PushCountsJson, PushJson, PushNodeJson, SHAPE, VersionJson};
use super::nodes::turned_away;
use super::problem::Problem;
use super::write::is_set;

/// How long one question may wait for news.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// News of a push that is not decided yet is told this long after the question at the earliest.
const GATHER: Duration = Duration::from_millis(300);
/// Between two looks while a question waits.
const LOOK: Duration = Duration::from_millis(50);

/// The query parameters.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// Answer when the outcome is known or there is news, at the latest after this many milliseconds.
    wait_ms: Option<u64>,
    /// `open`: list only the nodes that do not run it.
    nodes: Option<String>,
    /// Wait for nodes as well that are away.
    all: Option<String>,
}

/// How far the nodes are: tells whether there is news.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    outcome: Outcome,
    counts: PushCountsJson,
}

pub(super) async fn one(
    api: Shared,
    Path(revision): Path<u64>,
    Query(asked): Query<Asked>,
) -> Result<Json<PushJson>, Problem> {
    let only_open = match asked.nodes.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(other) => {
            let detail = format!("nodes is all or open, not {other:?}");
            let title = "the request is not right";
            return Err(Problem::new(StatusCode::BAD_REQUEST, title, &detail));
        }
    };
    let awaited = match is_set(asked.all.as_deref()) {
        true => Awaited::All,
        false => Awaited::Present,
    };
    let wait = Duration::from_millis(asked.wait_ms.unwrap_or(0)).min(LONGEST_WAIT);
    let began = Instant::now();
    let look = || Some(look_at(api.parts.fleet.lock().proof(revision)?, awaited));
    let first = look();
    loop {
        let (waited, now) = (began.elapsed(), look());
        let undecided = now.is_some_and(|now| now.outcome == Outcome::Pending);
        let news = now != first && waited >= GATHER;
        if !undecided || news || waited >= wait {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let fleet = api.parts.fleet.lock();
    let proof = fleet.proof(revision).ok_or_else(|| {
        let detail = "there is no such revision, or it is older than those that are followed";
        Problem::new(StatusCode::NOT_FOUND, "not followed", detail)
    })?;
    let listed = |mark: &Mark| !only_open || !matches!(mark, Mark::Applied | Mark::Superseded);
    let nodes = proof.nodes().iter().filter(|(_, mark)| listed(mark));
    let Look { outcome, counts } = look_at(proof, awaited);
    Ok(Json(PushJson {
        version: SHAPE,
        revision,
        outcome: outcome.name(),
        awaited: awaited.name(),
        counts,
        nodes: nodes
            .map(|(node, mark)| node_json(&fleet, node, mark))
            .collect(),
        turned_away: turned_away(&fleet, Instant::now()),
    }))
}

fn look_at(proof: &Proof, awaited: Awaited) -> Look {
    let mut counts = PushCountsJson::default();
    for mark in proof.nodes().values() {
        let count = match mark {
            Mark::Pending => &mut counts.pending,
            Mark::Applied => &mut counts.applied,
            Mark::Superseded => &mut counts.superseded,
            Mark::Refused(_) => &mut counts.refused,
            Mark::Duplicate => &mut counts.duplicate,
            Mark::Lost => &mut counts.lost,
            Mark::Away => &mut counts.away,
        };
        *count += 1;
    }
    let outcome = proof.outcome_with(awaited);
    Look { outcome, counts }
}

fn node_json(fleet: &Fleet, node: &NodeName, mark: &Mark) -> PushNodeJson {
    let record = fleet.nodes().get(node);
    PushNodeJson {
        node: node.to_string(),
        group: record
            .map(|record| record.group.to_string())
            .unwrap_or_default(),
        state: mark.name(),
        running: record
            .and_then(|record| record.standing.running)
            .map(VersionJson::from),
        faults: match mark {
            Mark::Refused(faults) => faults.iter().map(FaultJson::from).collect(),
            _ => Vec::new(),
        },
    }
}
