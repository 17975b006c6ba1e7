//! `GET /v1/store/backup`: all durable state as one file. It contains the key of the documents, so it needs the master key from every
//! address, and is never cached.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use std::io::Read;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::problem::Problem;
use super::write::require_key;
use super::{Peer, Shared};

/// Chunk size in bytes.
const CHUNK: usize = 64 << 10;
/// Maximum number of chunks that wait for the client.
const WAITING: usize = 4;

pub(super) async fn download(
    api: Shared,
    peer: Peer,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    require_key(&api, &peer, &parts)?;
    let backup = api.parts.commits.backup().await.map_err(|rejected| {
        let title = "cannot create the backup";
        let detail = rejected.to_string();
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, title, &detail)
    })?;
    let (generation, revision) = backup.head;
    let facts = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_LENGTH, backup.length.to_string()),
    ];
    let version = [
        ("x-aralez-generation", generation.to_string()),
        ("x-aralez-revision", revision.to_string()),
    ];
    Ok((facts, version, streamed(backup.content)).into_response())
}

/// Returns a body that is read at the pace of the client.
fn streamed(mut content: Box<dyn Read + Send>) -> Body {
    let (chunks, taken) = mpsc::channel::<std::io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut chunk = vec![0; CHUNK];
            let (read, last) = match content.read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => {
                    chunk.truncate(read);
                    (Ok(Bytes::from(chunk)), false)
                }
                Err(error) => (Err(error), true),
            };
            // A client that disconnected receives nothing more.
            if chunks.blocking_send(read).is_err() || last {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(taken))
}
