//! The documented `POST /jwt`: issues a token to a client that knows the master key. Status, fields and their order are a contract.

use std::time::Instant;

use aralez_runtime::clock;
use aralez_runtime::token::{self, ClaimsShape, SigningFailed, TokenError, TokenRequest};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{error, info};

use super::access::Denied;
use super::body::{self, BodyFault};
use super::problem;
use super::{Api, Peer, Shared};

/// Maximum size of a request.
const MAX_BODY: usize = 64 << 10;
const UNAUTHORISED: &str = "Unauthorised";
const ERROR: &str = "ERROR";

/// The request. The lifetime is `valid`, or `exp` in later versions of the documentation; both are minutes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtRequest {
    master_key: Text,
    owner: Text,
    valid: Option<Minutes>,
    exp: Option<Minutes>,
    random: Option<Text>,
}

/// A text. The error for anything else does not quote the value, which may be the master key.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
struct Text(String);

impl TryFrom<Value> for Text {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, &'static str> {
        match value {
            Value::String(text) => Ok(Self(text)),
            _ => Err("expected a string"),
        }
    }
}

/// A number of minutes.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(try_from = "Value")]
struct Minutes(u64);

impl TryFrom<Value> for Minutes {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, &'static str> {
        let minutes = value.as_u64().ok_or("expected a whole number of minutes")?;
        Ok(Self(minutes))
    }
}

/// The response. `token` is the first field: documented command lines cut it out by position.
#[derive(Serialize)]
struct JwtAnswer<'a> {
    token: &'a str,
}

/// Reason why there is no token.
enum JwtFault {
    Body(BodyFault),
    Json(JsonRejection),
    /// The body is JSON, but no object.
    NotAnObject,
    Denied(Denied),
    /// `valid` and `exp` are missing.
    NoLifetime,
    /// `valid` and `exp` differ.
    TwoLifetimes,
    Claims(TokenError),
    Signing(SigningFailed),
}

pub(super) async fn issue(api: Shared, peer: Peer, request: Request) -> Response {
    match issued(&api, &peer, request).await {
        Ok(response) => response,
        Err(fault) => fault.into_response(),
    }
}

async fn issued(api: &Api, peer: &Peer, request: Request) -> Result<Response, JwtFault> {
    let (parts, body) = request.into_parts();
    let body = body::read_up_to(MAX_BODY, &parts.headers, body).await;
    let request = parsed(parts, body.map_err(JwtFault::Body)?).await?;
    let key = request.master_key.0.as_str();
    let checked = api.access.check_key(Some(key), peer.0.ip(), Instant::now());
    if checked == Err(Denied::WrongKey) {
        api.parts.observer.wrong_key();
    }
    checked.map_err(JwtFault::Denied)?;
    let signing_key = api.parts.token_key.as_ref();
    let signing_key = signing_key.ok_or(JwtFault::Denied(Denied::NoKeyConfigured))?;
    let request = request.into_token_request()?;
    let owner = request.owner.clone();
    let claims = request.claims(clock::unix_ms() / 1_000);
    let claims = claims.map_err(JwtFault::Claims)?;
    let token = token::sign(signing_key, &claims).map_err(JwtFault::Signing)?;
    info!(?owner, expires = claims.expiry(), "issued a token");
    Ok(answer(StatusCode::CREATED, token.reveal()))
}

/// Parses the body with axum's extractor, whose statuses are the documented ones.
async fn parsed(parts: Parts, body: Bytes) -> Result<JwtRequest, JwtFault> {
    let object = body.trim_ascii_start().starts_with(b"{");
    let request = Request::from_parts(parts, Body::from(body));
    match Json::<JwtRequest>::from_request(request, &()).await {
        Ok(Json(request)) => Ok(request),
        // serde would quote a text that stands in place of the object.
        Err(JsonRejection::JsonDataError(_)) if !object => Err(JwtFault::NotAnObject),
        Err(rejection) => Err(JwtFault::Json(rejection)),
    }
}

impl JwtRequest {
    fn into_token_request(self) -> Result<TokenRequest, JwtFault> {
        let (Minutes(minutes), shape) = match (self.valid, self.exp) {
            (Some(valid), Some(exp)) if valid != exp => return Err(JwtFault::TwoLifetimes),
            (Some(valid), _) => (valid, ClaimsShape::User),
            (None, Some(exp)) => (exp, ClaimsShape::Owner),
            (None, None) => return Err(JwtFault::NoLifetime),
        };
        Ok(TokenRequest {
            owner: self.owner.0,
            minutes,
            shape,
            random: self.random.map(|random| random.0),
        })
    }
}

fn answer(status: StatusCode, token: &str) -> Response {
    (status, Json(JwtAnswer { token })).into_response()
}

impl IntoResponse for JwtFault {
    fn into_response(self) -> Response {
        let unprocessable = |text: String| (StatusCode::UNPROCESSABLE_ENTITY, text).into_response();
        match self {
            Self::Body(fault) => (problem::body_status(fault), fault.reason()).into_response(),
            Self::Json(rejection) => rejection.into_response(),
            Self::NotAnObject => unprocessable("expected a JSON object".to_owned()),
            Self::NoLifetime => unprocessable("missing field `valid`".to_owned()),
            Self::TwoLifetimes => unprocessable(
                "valid and exp are two names of the lifetime in minutes, and differ".to_owned(),
            ),
            Self::Claims(fault) => unprocessable(fault.to_string()),
            Self::Denied(Denied::Throttled(wait)) => {
                let mut response = answer(StatusCode::TOO_MANY_REQUESTS, UNAUTHORISED);
                let wait = problem::retry_after(wait);
                response.headers_mut().insert(RETRY_AFTER, wait);
                response
            }
            Self::Denied(Denied::NoKeyConfigured | Denied::NoKey | Denied::WrongKey) => {
                answer(StatusCode::FORBIDDEN, UNAUTHORISED)
            }
            Self::Signing(reason) => {
                error!(%reason, "no token was issued");
                answer(StatusCode::INTERNAL_SERVER_ERROR, ERROR)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Row S87: a signature that fails.
    #[tokio::test]
    async fn a_signature_that_fails_is_the_documented_error() {
        let fault = JwtFault::Signing(SigningFailed("out of memory".to_owned()));
        let response = fault.into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), MAX_BODY).await;
        assert_eq!(body.unwrap(), r#"{"token":"ERROR"}"#);
    }
}
