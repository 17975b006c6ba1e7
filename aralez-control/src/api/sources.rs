//! Operator actions on the files: release the held change, or take the files as they are on disk.

use axum::extract::{Query, Request};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::core::commit::{Confirmation, TakeFiles};

use super::problem::Problem;
use super::write::{allow, answer, bad_request, bounded, confirmation, log_drops, refused};
use super::{Peer, Shared};

#[derive(Deserialize)]
struct SourcesQuery {
    message: Option<String>,
    force: Option<String>,
    held: Option<String>,
}

fn query(request: &Request) -> Result<SourcesQuery, Problem> {
    let query = Query::<SourcesQuery>::try_from_uri(request.uri());
    let Query(query) = query.map_err(|_| bad_request("invalid query string"))?;
    Ok(query)
}

/// Commits the held files; if `held` is given, only if the current hold has this id.
pub(super) async fn release(
    api: Shared,
    peer: Peer,
    request: Request,
) -> Result<Response, Problem> {
    let query = query(&request)?;
    let (parts, _) = request.into_parts();
    allow(&api, &peer, &parts)?;
    let shown = query.held.map(|id| id.parse()).transpose();
    let shown = shown.map_err(|error| bad_request(&format!("{error}")))?;
    let released = api.parts.commits.release(shown).await;
    let released = released.map_err(|rejected| refused(&api, rejected))?;
    let committed = released.ok_or_else(|| {
        let detail = "no files are held";
        Problem::new(StatusCode::NOT_FOUND, "nothing is held", detail)
    })?;
    log_drops(&committed);
    Ok(answer(&committed))
}

/// Commits the files as they are on disk now, which makes them the source again after a push.
pub(super) async fn take(api: Shared, peer: Peer, request: Request) -> Result<Response, Problem> {
    let query = query(&request)?;
    let (parts, _) = request.into_parts();
    allow(&api, &peer, &parts)?;
    let confirmation: Confirmation = confirmation(query.force.as_deref(), query.held.as_deref())
        .map_err(|error| bad_request(&error.to_string()))?;
    let message = bounded(query.message)?;
    let take = TakeFiles {
        message,
        confirmation,
    };
    let taken = api.parts.commits.take_files(take).await;
    let committed = taken.map_err(|rejected| refused(&api, rejected))?;
    log_drops(&committed);
    Ok(answer(&committed))
}
