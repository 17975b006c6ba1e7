//! Reading request bodies with bounds on size and time. If the client announces the size, it is checked before anything is buffered.

use std::time::Duration;

use aralez_proto::document::MAX_BYTES;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};

/// Maximum time for a body to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Time for which the rest of an oversized body is discarded, so that the client receives the response.
const DISCARD: Duration = Duration::from_millis(800);

/// Reason why there is no body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BodyFault {
    /// Larger than this number of bytes.
    TooLarge(usize),
    TooSlow,
    Broken,
}

impl BodyFault {
    pub(super) fn reason(self) -> String {
        match self {
            Self::TooLarge(max) if max >= 1 << 20 => {
                format!("the request body exceeds {} MiB", max >> 20)
            }
            Self::TooLarge(max) => format!("the request body exceeds {} KiB", max >> 10),
            Self::TooSlow => "timeout while reading the request body".to_owned(),
            Self::Broken => "the request body is truncated or malformed".to_owned(),
        }
    }
}

/// Reads a whole body of at most [`MAX_BYTES`] bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, BodyFault> {
    read_up_to(MAX_BYTES, headers, body).await
}

/// Reads a whole body of at most `max` bytes.
pub(super) async fn read_up_to(
    max: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, BodyFault> {
    let mut chunks = body.into_data_stream();
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    let read = if announced > max {
        Err(BodyFault::TooLarge(max))
    } else {
        tokio::time::timeout(ARRIVAL, collect(&mut chunks, announced, max))
            .await
            .unwrap_or(Err(BodyFault::TooSlow))
    };
    // A client that sent `Expect` has not sent the body: there is nothing to discard.
    if read == Err(BodyFault::TooLarge(max)) && !headers.contains_key(EXPECT) {
        let rest = async { while let Some(Ok(_)) = chunks.next().await {} };
        let _ = tokio::time::timeout(DISCARD, rest).await;
    }
    read
}

/// Collects the body in one buffer of the announced size, so that a large body is never copied.
async fn collect(
    chunks: &mut axum::body::BodyDataStream,
    announced: usize,
    max: usize,
) -> Result<Bytes, BodyFault> {
    let mut whole = BytesMut::with_capacity(announced);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| BodyFault::Broken)?;
        if whole.len() + chunk.len() > max {
            return Err(BodyFault::TooLarge(max));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_in_time_is_given_up_and_one_that_does_is_whole() {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a.test:"))]);
        let begun = tokio::time::Instant::now();
        let never = Body::from_stream(first.clone().chain(stream::pending()));
        let read = read_up_to(64, &HeaderMap::new(), never).await;
        assert_eq!(read, Err(BodyFault::TooSlow));
        assert_eq!(begun.elapsed().as_secs(), ARRIVAL.as_secs());

        let rest = stream::once(async {
            tokio::time::sleep(ARRIVAL - Duration::from_secs(1)).await;
            Ok(Bytes::from_static(b" {}"))
        });
        let read = read_up_to(64, &HeaderMap::new(), Body::from_stream(first.chain(rest))).await;
        assert_eq!(read, Ok(Bytes::from_static(b"a.test: {}")));
    }
}
