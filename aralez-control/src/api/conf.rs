//! The documented `POST /conf`. The exact text of its responses is a contract.

use std::fmt::Display;
use std::time::Instant;

use aralez_proto::document::DocumentSet;
use axum::extract::{Query, Request};
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

use crate::core::commit::{Committed, Proposal, Rejected, Saved};
use crate::core::dropped;

use super::access::Denied;
use super::{Peer, Shared, body, problem, write};

/// Lists the hosts that a push drops because it lacks the documents that contained them.
const DROPS: HeaderName = HeaderName::from_static("x-aralez-drops");
const UPDATED: &str = "Config, conf file, updated !\n";
const DENIED: &str = "Access Denied !\n";
const DISABLED: &str = "Config remote API is disabled !\n";
const FAULTY: &str = "Failed to parse config!\n";

#[derive(Deserialize, Default)]
struct Flags {
    /// Set if present, unless the value is `false`, `0` or `no`: also write the file.
    save: Option<String>,
    /// Set if present, unless the value is `false`, `0` or `no`: allow removing most hosts or most of a pool.
    force: Option<String>,
    /// The id of an earlier refusal: allow removing what was shown then.
    held: Option<String>,
}

pub(super) async fn push(api: Shared, peer: Peer, request: Request) -> Response {
    if !api.is_enabled() {
        return plain(StatusCode::FORBIDDEN, DISABLED);
    }
    let (parts, body) = request.into_parts();
    if let Err(denied) = api.access.check(&parts, peer.0.ip(), Instant::now()) {
        return refuse(&api, denied);
    }
    let text = match body::read(&parts.headers, body).await {
        Ok(text) => text,
        Err(fault) => {
            let status = problem::body_status(fault);
            return plain(status, format!("{}\n", fault.reason()));
        }
    };
    let flags = Query::<Flags>::try_from_uri(&parts.uri).map(|Query(flags)| flags);
    let flags = flags.unwrap_or_default();
    let confirmation = match write::confirmation(flags.force.as_deref(), flags.held.as_deref()) {
        Ok(confirmation) => confirmation,
        Err(error) => return plain(StatusCode::BAD_REQUEST, format!("{error}\n")),
    };
    let save = write::is_set(flags.save.as_deref());
    let proposal = Proposal {
        save,
        confirmation,
        ..write::proposal(DocumentSet::of_main(text))
    };
    answer(write::commit(&api, proposal).await)
}

fn answer(pushed: Result<Committed, Rejected>) -> Response {
    match pushed {
        Ok(committed) => updated(&committed),
        Err(Rejected::Documents(faults)) => faulty(&faults),
        Err(Rejected::Snapshot(faults)) => {
            let lines: Vec<String> = faults.as_slice().iter().map(ToString::to_string).collect();
            faulty(&lines.join("\n"))
        }
        Err(Rejected::Held(held)) => {
            let words = write::held_words(&held);
            plain(StatusCode::CONFLICT, format!("{FAULTY}{words}\n"))
        }
        Err(conflict @ Rejected::Conflict { .. }) => {
            plain(StatusCode::CONFLICT, format!("{conflict}\n"))
        }
        Err(Rejected::Store(reason) | Rejected::Unknown(reason)) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{reason}\n"))
        }
    }
}

/// Builds the success response. The documented body is exact, so the dropped hosts are listed in a header and in the log.
fn updated(committed: &Committed) -> Response {
    let mut response = match &committed.saved {
        Saved::NotAsked | Saved::Written => plain(StatusCode::OK, UPDATED),
        // The commit succeeded: the documented line, with a warning below it.
        Saved::Failed(reason) => plain(
            StatusCode::OK,
            format!("{UPDATED}warning: committed, but the file was not written: {reason}\n"),
        ),
    };
    let words = dropped::lines(&committed.dropped);
    if let Ok(value) = HeaderValue::try_from(words.join("; "))
        && !words.is_empty()
    {
        response.headers_mut().insert(DROPS, value);
    }
    response
}

fn refuse(api: &Shared, denied: Denied) -> Response {
    match denied {
        Denied::Throttled(wait) => {
            let seconds = wait.as_secs_f64().ceil();
            let text = format!("Too many wrong keys, wait {seconds} s\n");
            let mut response = plain(StatusCode::TOO_MANY_REQUESTS, text);
            let wait = problem::retry_after(wait);
            response.headers_mut().insert(RETRY_AFTER, wait);
            response
        }
        Denied::NoKeyConfigured => plain(
            StatusCode::FORBIDDEN,
            format!("{DENIED}main.yaml of control has no master_key: every push is refused\n"),
        ),
        Denied::NoKey => plain(StatusCode::FORBIDDEN, DENIED),
        Denied::WrongKey => {
            api.parts.observer.wrong_key();
            plain(StatusCode::FORBIDDEN, DENIED)
        }
    }
}

fn faulty(faults: &dyn Display) -> Response {
    plain(StatusCode::BAD_GATEWAY, format!("{FAULTY}{faults}\n"))
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}
