use super::*;

/// 2025-01-01 00:00:00 UTC.
const NOW: u64 = 1_735_689_600;

fn request(shape: ClaimsShape) -> TokenRequest {
    TokenRequest {
        owner: "valod".to_owned(),
        minutes: 10,
        shape,
        random: None,
    }
}

fn signed(request: TokenRequest) -> String {
    let key = Secret::new("910517d9-f9a1-48de-8826-dbadacbd84af".to_owned());
    let token = sign(&key, &request.claims(NOW).unwrap()).unwrap();
    token.reveal().to_owned()
}

/// The expected texts come from another implementation: `openssl dgst -sha256 -hmac KEY` over the two parts in base64url.
#[test]
fn a_token_has_the_documented_bytes() {
    assert_eq!(
        signed(request(ClaimsShape::User)),
        // {"typ":"JWT","alg":"HS256"} and {"user":"valod","exp":1735690200}
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoidmFsb2QiLCJleHAiOjE3MzU2OTAyMDB9.cc5YQqp347Zri-kBDvbOOTlJGQi2bKzAexRD9ki58Sk"
    );
    assert_eq!(
        signed(request(ClaimsShape::Owner)),
        // {"typ":"JWT","alg":"HS256"} and {"master_key":"","owner":"valod","exp":1735690200,"random":""}
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJtYXN0ZXJfa2V5IjoiIiwib3duZXIiOiJ2YWxvZCIsImV4cCI6MTczNTY5MDIwMCwicmFuZG9tIjoiIn0.6XT_JOMfODQZd4ul2ULn_spFKWImCNnPlIjK44I9k2M"
    );
}

#[test]
fn a_random_text_is_in_the_claims_of_both_shapes() {
    let text = |shape| {
        let random = Some("x".to_owned());
        let claims = TokenRequest {
            random,
            ..request(shape)
        }
        .claims(NOW);
        serde_json::to_string(&claims.unwrap().0).unwrap()
    };
    assert_eq!(
        text(ClaimsShape::User),
        r#"{"user":"valod","exp":1735690200,"random":"x"}"#
    );
    assert_eq!(
        text(ClaimsShape::Owner),
        r#"{"master_key":"","owner":"valod","exp":1735690200,"random":"x"}"#
    );
}

#[test]
fn a_lifetime_is_at_least_a_minute_and_at_most_ten_years() {
    let with = |minutes, shape| {
        TokenRequest {
            minutes,
            ..request(shape)
        }
        .claims(NOW)
    };
    for minutes in [1, MAX_MINUTES] {
        let claims = with(minutes, ClaimsShape::User).unwrap();
        assert_eq!(claims.expiry(), NOW + minutes * 60);
    }
    for minutes in [0, MAX_MINUTES + 1, u64::MAX] {
        let user = with(minutes, ClaimsShape::User).unwrap_err().to_string();
        assert!(user.starts_with("valid: "), "{user}");
        let owner = with(minutes, ClaimsShape::Owner).unwrap_err().to_string();
        assert!(owner.starts_with("exp: "), "{owner}");
    }
}

#[test]
fn a_token_has_an_owner_and_fits_into_the_head_of_a_request() {
    let user = || request(ClaimsShape::User);
    let owner = |owner: String| TokenRequest { owner, ..user() }.claims(NOW);
    assert_eq!(owner(String::new()), Err(TokenError::NoOwner));
    assert!(owner("x".repeat(MAX_TEXT)).is_ok());
    assert_eq!(
        owner("x".repeat(MAX_TEXT + 1)),
        Err(TokenError::TooLong { field: "owner" })
    );
    let random = Some("x".repeat(MAX_TEXT + 1));
    assert_eq!(
        TokenRequest { random, ..user() }.claims(NOW),
        Err(TokenError::TooLong { field: "random" })
    );
}

#[test]
fn a_token_is_not_shown_by_accident() {
    let token = signed(request(ClaimsShape::User));
    let (read, expiry) = SignedToken::read(&token).unwrap();
    assert_eq!((read.reveal(), expiry), (token.as_str(), NOW + 600));
    let debug = format!("{read:?}");
    assert!(
        token.split('.').all(|part| !debug.contains(part)),
        "{debug}"
    );
    for other in ["", "a.b.c", "Unauthorised"] {
        assert!(SignedToken::read(other).is_none(), "{other}");
    }
}
