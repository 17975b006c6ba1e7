//! `issue-token`: a signed token for a client of the proxies, from control or, with `--offline`, from this machine.

use aralez_proto::main_config::Secret;
use aralez_runtime::clock;
use aralez_runtime::token::{
    ClaimsShape, KEY_VARIABLE, SignedToken, TokenClaims, TokenRequest, environment_key, sign,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::args::{Global, IssueToken, with_token};
use crate::client::{Body, Client, HttpAnswer, KEY_HINT};
use crate::exit::{Exit, Failure};
use crate::output;

/// Runs `issue-token`.
pub(crate) async fn run(global: &Global, asked: IssueToken) -> Result<(), Failure> {
    let IssueToken {
        owner,
        minutes,
        link,
        offline,
    } = asked;
    let request = TokenRequest {
        owner: owner.clone(),
        minutes,
        shape: ClaimsShape::User,
        random: None,
    };
    let claims = request.clone().claims(clock::unix_ms() / 1_000);
    let claims = claims.map_err(|error| usage(error.to_string()))?;
    let (token, expires) = match offline {
        true => (signed_here(global, &claims)?, claims.expiry()),
        false => token_of_control(&Client::of(global)?, request).await?,
    };
    let mut value = json!({
        "version": 1, "token": token.reveal(), "owner": owner, "expires": expires,
    });
    let mut text = token.reveal().to_owned();
    if let Some(link) = link {
        text = with_token(link, token.reveal()).into();
        value["link"] = json!(text);
    }
    output::print(global.output, &value, &text)
}

fn usage(words: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, words)
}

/// Signs a token with a key of this machine.
fn signed_here(global: &Global, claims: &TokenClaims) -> Result<SignedToken, Failure> {
    let environment = environment_key().map_err(|error| usage(error.to_string()))?;
    let given = global.key.clone().filter(|key| !key.reveal().is_empty());
    let key = environment.or(given).ok_or_else(|| {
        usage(format!("--offline needs the signing key of the tokens: set {KEY_VARIABLE}, or ARALEZ_KEY to the master key"))
    })?;
    sign(&key, claims).map_err(|error| Failure::refused(error.to_string()))
}

/// Asks control for a token. Returns it with its time of expiry, in seconds since 1970.
async fn token_of_control(
    client: &Client,
    request: TokenRequest,
) -> Result<(SignedToken, u64), Failure> {
    let TokenRequest { owner, minutes, .. } = request;
    let key = client.key().map(Secret::reveal).unwrap_or_default();
    let body = json!({"master_key": key, "owner": owner, "valid": minutes});
    let body = Body {
        kind: "application/json",
        bytes: body.to_string().into_bytes(),
    };
    let answer = client.ask_with(Method::POST, "/jwt", &[], body).await?;
    let answer = checked(answer)?.good()?;
    let token = answer["token"].as_str().and_then(SignedToken::read);
    token.ok_or_else(|| {
        let words = "the server is not control: its answer to POST /jwt has no token";
        Failure::new(Exit::Unreached, words)
    })
}

/// Fails if control refused the key. The documented answers have no text for people.
fn checked(answer: HttpAnswer) -> Result<HttpAnswer, Failure> {
    let refused = |words: &str| Failure::refused(format!("refused by control: {words}"));
    match answer.status {
        StatusCode::FORBIDDEN => Err(refused(&format!(
            "no master key, or a wrong one\n{KEY_HINT}"
        ))),
        StatusCode::TOO_MANY_REQUESTS => Err(refused(&format!(
            "too many wrong keys: wait until the period of auth_failures has passed\n{KEY_HINT}"
        ))),
        _ => Ok(answer),
    }
}
