//! Errors of `/v1` as problem+json.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::access::Denied;
use super::body::BodyFault;

/// Returns a `Retry-After` of a time, in seconds, rounded up.
pub(super) fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_millis().div_ceil(1_000) as u64)
}

/// One error, optionally with additional fields.
pub(super) struct Problem {
    status: StatusCode,
    body: Value,
    /// The time after which a repetition may succeed.
    wait: Option<Duration>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &str, detail: &str) -> Self {
        let body = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        });
        Self {
            status,
            body,
            wait: None,
        }
    }

    pub(super) fn with(mut self, field: &str, value: Value) -> Self {
        self.body[field] = value;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.to_string()).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        if let Some(wait) = self.wait {
            response
                .headers_mut()
                .insert(RETRY_AFTER, retry_after(wait));
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (status, title, detail) = match denied {
            Denied::Throttled(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong keys",
                "wait until the period of auth_failures has passed",
            ),
            Denied::NoKeyConfigured => (
                StatusCode::FORBIDDEN,
                "no master key configured",
                "main.yaml of control has no master_key: writes, and reads from other machines, are refused",
            ),
            Denied::NoKey => (
                StatusCode::UNAUTHORIZED,
                "no key",
                "send the master key as Authorization: Bearer KEY or as ?key=KEY",
            ),
            Denied::WrongKey => (
                StatusCode::UNAUTHORIZED,
                "wrong key",
                "this is not the master key",
            ),
        };
        let wait = match denied {
            Denied::Throttled(wait) => Some(wait),
            _ => None,
        };
        Self {
            wait,
            ..Self::new(status, title, detail)
        }
    }
}

impl From<BodyFault> for Problem {
    fn from(fault: BodyFault) -> Self {
        let status = body_status(fault);
        Self::new(status, "cannot accept the request body", &fault.reason())
    }
}

pub(super) const fn body_status(fault: BodyFault) -> StatusCode {
    match fault {
        BodyFault::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyFault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyFault::Broken => StatusCode::BAD_REQUEST,
    }
}
