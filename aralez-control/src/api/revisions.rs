//! `GET /v1/revisions/REVISION`, or `head`: a revision with its documents. They contain credentials, so it needs the master key from every
//! address, and is never cached.

use std::collections::BTreeMap;

use aralez_proto::document::DocumentSet;
use axum::Json;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde::Serialize;

use crate::core::authored_roots::AuthoredRoots;
use crate::core::store::Revision;

use super::json::SHAPE;
use super::problem::Problem;
use super::write::{bad_request, require_key};
use super::{Api, Peer, Shared};

/// A revision with its documents.
#[derive(Serialize)]
struct RevisionJson {
    version: u32,
    generation: u64,
    revision: u64,
    /// Commit time in milliseconds since 1970.
    unix_ms: u64,
    origin: String,
    message: String,
    /// The hash of its documents and of the files that they name.
    hash: String,
    /// The authored roots of its views; `null` if an older release committed it.
    authored_roots: Option<AuthoredRootsJson>,
    /// The documents, by name.
    documents: BTreeMap<String, String>,
    /// The files that the documents name, by path, in Base64.
    files: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct AuthoredRootsJson {
    /// Of all groups that no host names.
    default: String,
    /// Of each group that has its own view.
    groups: BTreeMap<String, String>,
}

impl From<&AuthoredRoots> for AuthoredRootsJson {
    fn from(roots: &AuthoredRoots) -> Self {
        let groups = roots.named.iter();
        Self {
            default: roots.default.to_string(),
            groups: groups
                .map(|(group, root)| (group.to_string(), root.to_string()))
                .collect(),
        }
    }
}

pub(super) async fn one(
    api: Shared,
    peer: Peer,
    Path(revision): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    require_key(&api, &peer, &parts)?;
    let number = number(&api, &revision)?;
    let read = api.parts.commits.revision(number).await;
    let read = read.map_err(|rejected| {
        let title = "cannot read the revision";
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            title,
            &rejected.to_string(),
        )
    })?;
    let read = read.ok_or_else(|| missing(&revision))?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(json(&read))).into_response())
}

fn number(api: &Api, revision: &str) -> Result<u64, Problem> {
    if revision == "head" {
        let head = api.parts.commits.head().map(|head| head.revision);
        return head.ok_or_else(|| missing(revision));
    }
    let number = revision.parse();
    number.map_err(|_| bad_request("expected the number of a revision, or head"))
}

fn missing(revision: &str) -> Problem {
    let detail = match revision {
        "head" => "nothing was committed yet".to_owned(),
        number => format!("this control has no revision {number}"),
    };
    Problem::new(StatusCode::NOT_FOUND, "no such revision", &detail)
}

fn json(read: &Revision) -> RevisionJson {
    let Revision { info, documents } = read;
    RevisionJson {
        version: SHAPE,
        generation: info.generation,
        revision: info.revision,
        unix_ms: info.unix_ms,
        origin: info.origin.name().to_owned(),
        message: info.message.clone(),
        hash: info.content_hash.to_string(),
        authored_roots: info.roots.as_ref().map(AuthoredRootsJson::from),
        documents: texts(documents),
        files: documents
            .files()
            .contents()
            .map(|(path, content)| (path.to_string(), STANDARD.encode(content)))
            .collect(),
    }
}

fn texts(documents: &DocumentSet) -> BTreeMap<String, String> {
    // Documents that were committed are valid UTF-8.
    let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let documents = documents.documents().iter();
    documents
        .map(|(name, bytes)| (name.clone(), text(bytes)))
        .collect()
}
