//! `POST /v1/config`: a push with a JSON response.

use std::time::Instant;

use aralez_proto::document::DocumentSet;
use axum::Json;
use axum::extract::{Query, Request};
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tracing::warn;

use crate::core::commit::{CommitOrigin, Committed, Confirmation, Proposal, Rejected};
use crate::core::dropped;
use crate::core::hold::{Held, NotAHoldId};

use super::access::Denied;
use super::json::{
    CommittedJson, DocumentFaultJson, DroppedJson, FaultJson, LossJson, SHAPE, VersionJson,
};
use super::problem::Problem;
use super::{Api, Peer, Shared, set};

/// Maximum length of a commit message, in bytes.
const MAX_MESSAGE: usize = 4_096;

/// Returns a push of these documents without any options.
pub(super) const fn proposal(documents: DocumentSet) -> Proposal {
    Proposal {
        documents,
        origin: CommitOrigin::Api,
        message: String::new(),
        expect: None,
        save: false,
        confirmation: Confirmation::Missing,
    }
}

/// Reports whether a query flag is set: present, unless its value is `false`, `0` or `no`.
pub(super) fn is_set(value: Option<&str>) -> bool {
    value.is_some_and(|value| !matches!(value, "false" | "0" | "no"))
}

/// Returns the confirmation given by the query parameters `force` and `held`.
pub(super) fn confirmation(
    force: Option<&str>,
    held: Option<&str>,
) -> Result<Confirmation, NotAHoldId> {
    match held {
        _ if is_set(force) => Ok(Confirmation::Force),
        Some(id) => id.parse().map(Confirmation::Held),
        None => Ok(Confirmation::Missing),
    }
}

/// Describes what is held, and how to confirm it.
pub(super) fn held_words(held: &Held) -> String {
    let dropped = dropped::lines(&held.dropped);
    let dropped: String = dropped.iter().map(|line| format!("{line}\n")).collect();
    let id = held.id;
    let minutes = held.until.map_or(0, |until| {
        until.saturating_duration_since(held.since).as_secs() / 60
    });
    format!(
        "held for confirmation: it {held}\n{dropped}confirm it within {minutes} minutes with ?held={id}, or use ?force; \
         sending it again does not confirm it"
    )
}

/// Commits a proposal and counts the result. By the time this returns the proof has begun, so a client can query it as soon as it has the
/// response.
pub(super) async fn commit(api: &Api, proposal: Proposal) -> Result<Committed, Rejected> {
    let began = Instant::now();
    let result = api.parts.commits.commit(proposal).await;
    api.parts.observer.pushed(result.is_ok(), began.elapsed());
    if let Ok(committed) = &result {
        log_drops(committed);
    }
    result
}

/// Logs the hosts that a commit drops.
pub(super) fn log_drops(committed: &Committed) {
    for dropped in dropped::lines(&committed.dropped) {
        warn!(
            revision = committed.version.revision,
            "the commit {dropped}"
        );
    }
}

#[derive(Deserialize)]
struct PushQuery {
    expect: Option<u64>,
    message: Option<String>,
    force: Option<String>,
    held: Option<String>,
}

pub(super) async fn push(api: Shared, peer: Peer, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    allow(&api, &peer, &parts)?;
    let Query(query) = Query::<PushQuery>::try_from_uri(&parts.uri)
        .map_err(|_| bad_request("invalid query string; expect must be a revision number"))?;
    let message = bounded(query.message)?;
    let confirmation = confirmation(query.force.as_deref(), query.held.as_deref())
        .map_err(|error| bad_request(&error.to_string()))?;
    let expect = match if_match(&parts.headers) {
        Ok(None) => query.expect,
        Ok(revision) => revision,
        Err(()) => {
            return Err(bad_request(
                "If-Match: expected one revision in quotes, as in ETag",
            ));
        }
    };
    let documents = set::read(&parts.headers, body).await?;
    let proposal = Proposal {
        message,
        expect,
        confirmation,
        ..proposal(documents)
    };
    let committed = commit(&api, proposal).await;
    let committed = committed.map_err(|rejected| refused(&api, rejected))?;
    Ok(answer(&committed))
}

pub(super) fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid request", detail)
}

/// Returns the message of a commit, or an error if it is too long.
pub(super) fn bounded(message: Option<String>) -> Result<String, Problem> {
    let message = message.unwrap_or_default();
    if message.len() > MAX_MESSAGE {
        return Err(bad_request("message exceeds 4096 bytes"));
    }
    Ok(message)
}

pub(super) fn answer(committed: &Committed) -> Response {
    let etag = format!("\"{}\"", committed.version.revision);
    let answer = CommittedJson {
        version: SHAPE,
        head: committed.version.into(),
        changed: committed.changed,
        warnings: committed.warnings.iter().map(ToString::to_string).collect(),
        drops: committed.dropped.iter().map(DroppedJson::from).collect(),
    };
    ([(ETAG, etag)], Json(answer)).into_response()
}

/// Returns the revision in `If-Match`. `None` if there is none, or for `*`.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, ()> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let value = value.to_str().map_err(|_| ())?.trim();
    if value == "*" {
        return Ok(None);
    }
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    quoted.ok_or(())?.parse().map(Some).map_err(|_| ())
}

pub(super) fn refused(api: &Api, rejected: Rejected) -> Problem {
    let faulty = |faults: serde_json::Value| {
        let title = "the configuration has faults";
        let detail = "nothing was changed; see faults";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, title, detail).with("faults", faults)
    };
    match rejected {
        Rejected::Documents(faults) => {
            let faults: Vec<_> = faults.0.iter().map(DocumentFaultJson::from).collect();
            faulty(json!(faults))
        }
        Rejected::Snapshot(faults) => {
            let faults: Vec<_> = faults.as_slice().iter().map(FaultJson::from).collect();
            faulty(json!(faults))
        }
        Rejected::Held(held) => {
            let removes: Vec<_> = held.losses.iter().map(LossJson::from).collect();
            let drops: Vec<_> = held.dropped.iter().map(DroppedJson::from).collect();
            let left = held
                .until
                .map(|until| until.saturating_duration_since(Instant::now()));
            let title = "held for confirmation";
            Problem::new(StatusCode::CONFLICT, title, &held_words(&held))
                .with("held", json!(held.id.to_string()))
                .with(
                    "expires_in_ms",
                    json!(left.map(|left| left.as_millis() as u64)),
                )
                .with("removes", json!(removes))
                .with("drops", json!(drops))
                .with("gone", json!(held.gone))
        }
        conflict @ Rejected::Conflict { .. } => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "the head is not the expected revision",
            &conflict.to_string(),
        )
        .with("head", json!(VersionJson::from(api.head()))),
        Rejected::Unknown(reason) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "outcome of the write unknown; check the head again in a few seconds",
            &reason,
        ),
        Rejected::Store(reason) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the write failed",
            &reason,
        ),
    }
}

/// Checks that writing is enabled and that the request has the master key.
pub(super) fn allow(api: &Api, peer: &Peer, request: &Parts) -> Result<(), Problem> {
    if !api.is_enabled() {
        let title = "writing is disabled";
        let detail = "config_api_enabled is false in main.yaml of control";
        return Err(Problem::new(StatusCode::FORBIDDEN, title, detail));
    }
    require_key(api, peer, request)
}

/// Checks that the request has the master key.
pub(super) fn require_key(api: &Api, peer: &Peer, request: &Parts) -> Result<(), Problem> {
    let checked = api.access.check(request, peer.0.ip(), Instant::now());
    if checked == Err(Denied::WrongKey) {
        api.parts.observer.wrong_key();
    }
    Ok(checked?)
}
