//! `POST /jwt`: its answers are a contract.

use aralez_runtime::clock;
use aralez_runtime::token::{ClaimsShape, SignedToken, TokenRequest, sign};

use super::*;

const JSON: &str = "Content-Type: application/json\r\n";
const UNAUTHORISED: &str = r#"{"token":"Unauthorised"}"#;

async fn ask(api: &Running, body: &str) -> (u16, String) {
    api.ask("POST /jwt", JSON, body).await
}

/// Reads the token of an answer, checks that it expires ten minutes after the request and that these claims are all of its content.
fn assert_token((status, body): (u16, String), shape: ClaimsShape, random: Option<&str>) {
    assert_eq!(status, 201, "{body}");
    let token = body.strip_prefix(r#"{"token":""#);
    let token = token.and_then(|token| token.strip_suffix(r#""}"#)).unwrap();
    let (token, expiry) = SignedToken::read(token).unwrap();
    let issued = expiry - 600;
    assert!(clock::unix_ms() / 1_000 - issued < 60, "{expiry}");
    let request = TokenRequest {
        owner: "valod".to_owned(),
        minutes: 10,
        shape,
        random: random.map(str::to_owned),
    };
    let key = Secret::new(SIGNING_KEY.to_owned());
    let expected = sign(&key, &request.claims(issued).unwrap()).unwrap();
    assert_eq!(token.reveal(), expected.reveal());
}

// Row S85: POST /jwt.
// Row S86: the wrong master key.
// Row C18: two shapes of claims.
#[tokio::test]
async fn jwt_answers_to_the_letter() {
    let api = start(true, Some("right")).await;
    let documented = r#"{"master_key": "right", "owner": "valod", "valid": 10}"#;
    assert_token(ask(&api, documented).await, ClaimsShape::User, None);
    let later = r#"{"master_key": "right", "owner": "valod", "exp": 10}"#;
    assert_token(ask(&api, later).await, ClaimsShape::Owner, None);
    let random = r#"{"master_key": "right", "owner": "valod", "exp": 10, "random": "x"}"#;
    assert_token(ask(&api, random).await, ClaimsShape::Owner, Some("x"));
    let both = r#"{"master_key": "right", "owner": "valod", "valid": 10, "exp": 10}"#;
    assert_token(ask(&api, both).await, ClaimsShape::User, None);

    let wrong = r#"{"master_key": "wrong", "owner": "valod", "valid": 10}"#;
    let unauthorised = (403, UNAUTHORISED.to_owned());
    assert_eq!(ask(&api, wrong).await, unauthorised);
    // The signing key is no password of the API.
    let signing = format!(r#"{{"master_key": "{SIGNING_KEY}", "owner": "valod", "valid": 10}}"#);
    assert_eq!(ask(&api, &signing).await, unauthorised);
    assert_eq!(api.ask("GET /jwt", "", "").await.0, 405);
}

#[tokio::test]
async fn without_a_master_key_nobody_gets_a_token() {
    let api = start(true, None).await;
    for key in ["", "right"] {
        let body = format!(r#"{{"master_key": "{key}", "owner": "valod", "valid": 10}}"#);
        assert_eq!(ask(&api, &body).await, (403, UNAUTHORISED.to_owned()));
    }
}

#[tokio::test]
async fn tokens_are_issued_while_the_configuration_may_not_be_written() {
    let api = start(false, Some("right")).await;
    let body = r#"{"master_key": "right", "owner": "valod", "valid": 10}"#;
    assert_token(ask(&api, body).await, ClaimsShape::User, None);
}

#[tokio::test]
async fn guesses_at_the_key_are_throttled_together_with_those_of_other_requests() {
    let api = start(true, Some("right")).await;
    let guess = r#"{"master_key": "guess", "owner": "valod", "valid": 10}"#;
    for _ in 0..5 {
        assert_eq!(api.ask("POST /conf?key=guess", "", "a").await.0, 403);
        assert_eq!(ask(&api, guess).await, (403, UNAUTHORISED.to_owned()));
    }
    assert_eq!(ask(&api, guess).await, (429, UNAUTHORISED.to_owned()));
    assert_eq!(api.ask("POST /conf?key=guess", "", "a").await.0, 429);
    let right = r#"{"master_key": "right", "owner": "valod", "valid": 10}"#;
    assert_token(ask(&api, right).await, ClaimsShape::User, None);
}

/// Status, body with `KEY` in place of the key, and a part of the answer.
const SENSELESS: [(u16, &str, &str); 19] = [
    (400, "", ""),
    (
        400,
        r#"{"master_key": "KEY", "owner": "v", "valid": 10"#,
        "",
    ),
    (400, r#"{"master_key": "KEY""#, ""),
    (400, r#"{"master_key": 'KEY'}"#, ""),
    (422, r#"{"master_key": "KEY", "owner": "v"}"#, "`valid`"),
    (422, r#"{"master_key": "KEY", "valid": 10}"#, "`owner`"),
    (422, r#"{"owner": "v", "valid": 10}"#, "`master_key`"),
    (
        422,
        r#"{"master_key": "KEY", "owner": "", "valid": 1}"#,
        "owner: ",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": 0}"#,
        "valid: ",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": 5256001}"#,
        "10 years",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "exp": 5256001}"#,
        "exp: ",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": 1.5}"#,
        "whole number",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": "10"}"#,
        "whole number",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": "KEY"}"#,
        "valid: ",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "valid": 1, "exp": 2}"#,
        "differ",
    ),
    (
        422,
        r#"{"master_key": ["KEY"], "owner": "v", "valid": 1}"#,
        "a string",
    ),
    (
        422,
        r#"{"master_key": "KEY", "owner": "v", "vaild": 1}"#,
        "`vaild`",
    ),
    (422, r#""KEY""#, "object"),
    (422, r#" ["KEY"]"#, "object"),
];

// Row S88: senseless requests.
#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_without_a_word_of_its_secrets() {
    let key = "r1ght-s3cret";
    let api = start(true, Some(key)).await;
    for (expected, body, reason) in SENSELESS {
        let (status, text) = ask(&api, &body.replace("KEY", key)).await;
        assert_eq!(status, expected, "{body}: {text}");
        assert!(text.contains(reason), "{body}: {text}");
        assert!(!text.contains(key), "{body}: {text}");
    }
}

// Row S88: senseless requests.
#[tokio::test]
async fn a_body_that_is_not_declared_as_json_or_too_large_is_refused() {
    let api = start(true, Some("right")).await;
    let body = |key: &str| format!(r#"{{"master_key": "{key}", "owner": "valod", "valid": 10}}"#);
    for kind in ["", "Content-Type: text/plain\r\n"] {
        let (status, text) = api.ask("POST /jwt", kind, &body("right")).await;
        assert_eq!((status, text.contains("right")), (415, false), "{text}");
    }
    let (status, text) = ask(&api, &body(&"x".repeat(70_000))).await;
    assert_eq!((status, text.contains("64 KiB")), (413, true), "{text}");
    assert_token(ask(&api, &body("right")).await, ClaimsShape::User, None);
}
