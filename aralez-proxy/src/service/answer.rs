//! Answers that the proxy gives itself: small, plain, and without ending the connection where the next request can be found.

use std::sync::Arc;

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::headers;
use crate::core::table::CompiledRoute;

/// An answer of the proxy's own.
#[derive(Debug, Default)]
pub(super) struct Answer {
    status: u16,
    location: Option<String>,
    /// The route that gives the answer: its edits hold for it.
    route: Option<Arc<CompiledRoute>>,
    /// Seconds after which another try may do better.
    retry_after: Option<u32>,
    close: bool,
}

impl Answer {
    pub(super) fn of(status: u16) -> Self {
        Self {
            status,
            // Early in the life of a node, and where endpoints come and go, a second is a long time.
            retry_after: (status == 503).then_some(1),
            ..Self::default()
        }
    }

    pub(super) fn redirect(status: u16, location: String, route: Arc<CompiledRoute>) -> Self {
        Self {
            status,
            location: Some(location),
            route: Some(route),
            ..Self::default()
        }
    }

    /// The same answer, after which the connection ends.
    pub(super) fn closing(self) -> Self {
        Self {
            close: true,
            ..self
        }
    }

    /// Sends it. The engine itself ends the connection where the request's body is still to come.
    pub(super) async fn send(self, session: &mut Session) -> pingora::Result<()> {
        if self.close {
            session.set_keepalive(None);
        }
        let text = body_of(self.status);
        let head = self.head(text)?;
        let no_body = text.is_empty() || session.req_header().method == http::Method::HEAD;
        session
            .write_response_header(Box::new(head), no_body)
            .await?;
        if no_body {
            return Ok(());
        }
        session
            .write_response_body(Some(Bytes::from_static(text)), true)
            .await
    }

    fn head(self, body: &'static [u8]) -> pingora::Result<ResponseHeader> {
        let mut head = ResponseHeader::build(self.status, Some(6))?;
        if self.status != 204 {
            head.insert_header(http::header::CONTENT_LENGTH, body.len())?;
        }
        if !body.is_empty() {
            head.insert_header(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")?;
        }
        if let Some(location) = self.location {
            head.insert_header(http::header::LOCATION, location)?;
        }
        if let Some(seconds) = self.retry_after {
            head.insert_header(http::header::RETRY_AFTER, seconds)?;
        }
        if let Some(route) = self.route {
            headers::apply_route(&mut head, &route.response_edits)?;
        }
        Ok(head)
    }
}

/// A line for people; what exactly was wrong stands in the metrics and logs, not in front of whoever asks.
const fn body_of(status: u16) -> &'static [u8] {
    match status {
        204 | 300..=399 => b"",
        400 => b"400 Bad Request\n",
        404 => b"404 Not Found\n",
        405 => b"405 Method Not Allowed\n",
        408 => b"408 Request Timeout\n",
        414 => b"414 URI Too Long\n",
        421 => b"421 Misdirected Request\n",
        431 => b"431 Request Header Fields Too Large\n",
        501 => b"501 Not Implemented\n",
        502 => b"502 Bad Gateway\n",
        503 => b"503 Service Unavailable\n",
        504 => b"504 Gateway Timeout\n",
        _ => b"the request cannot be served\n",
    }
}
