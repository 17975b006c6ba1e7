//! The claims of tokens: time, audience, issuer, and those that endpoints receive.

use super::*;

fn judged(claims: &str) -> String {
    Guarded::hs256("").bearer(&token(claims))
}

/// Both documented shapes of claims.
// Row C18: two shapes of claims.
#[test]
fn tokens_of_the_single_process_aralez_pass() {
    let exp = NOW + 600;
    for claims in [
        format!(r#"{{"user":"valod","exp":{exp}}}"#),
        format!(r#"{{"master_key":"","owner":"valod","exp":{exp},"random":"x"}}"#),
    ] {
        assert_eq!(judged(&claims), "pass", "{claims}");
    }
}

/// The times of a token.
// Row A-02: the times of a token.
#[test]
fn a_token_is_valid_between_its_times_with_a_minute_of_leeway() {
    for (claims, expected) in [
        (format!(r#"{{"exp":{}}}"#, NOW - 59), "pass"),
        (format!(r#"{{"exp":{}}}"#, NOW - 61), BEARER),
        (format!(r#"{{"exp":{}.5}}"#, NOW - 59), "pass"),
        (format!(r#"{{"exp":{NOW},"nbf":{}}}"#, NOW + 59), "pass"),
        (format!(r#"{{"exp":{NOW},"nbf":{}}}"#, NOW + 61), BEARER),
        (format!(r#"{{"exp":"{}"}}"#, NOW + 600), BEARER),
        (format!(r#"{{"exp":{NOW},"nbf":"0"}}"#), BEARER),
        (r#"{"exp":1e300}"#.to_owned(), BEARER),
        (r#"{"exp":-1}"#.to_owned(), BEARER),
        (r#"{"exp":null}"#.to_owned(), BEARER),
        (r#"{"user":"valod"}"#.to_owned(), BEARER),
    ] {
        assert_eq!(judged(&claims), expected, "{claims}");
    }
}

#[test]
fn an_expired_token_is_no_attempt_to_guess() {
    let guarded = Guarded::hs256("");
    assert_eq!(guarded.bearer(&token(r#"{"exp":1}"#)), BEARER);
    assert_eq!(guarded.memory.failures.get(), 0);
}

/// Audience and issuer.
// Row A-04: audience and issuer.
#[test]
fn a_token_for_someone_else_is_refused() {
    let rule = Guarded::hs256(", audience: [x, y], issuer: i");
    for (claims, expected) in [
        (r#""aud":"x","iss":"i""#, "pass"),
        (r#""aud":["z","y"],"iss":"i""#, "pass"),
        (r#""aud":["z"],"iss":"i""#, BEARER),
        (r#""aud":"X","iss":"i""#, BEARER),
        (r#""iss":"i""#, BEARER),
        (r#""aud":"x""#, BEARER),
        (r#""aud":"x","iss":["i"]"#, BEARER),
    ] {
        let claims = format!(r#"{{"exp":{NOW},{claims}}}"#);
        assert_eq!(rule.bearer(&token(&claims)), expected, "{claims}");
    }
    let without = Guarded::hs256("");
    let claims = format!(r#"{{"exp":{NOW},"aud":"x"}}"#);
    assert_eq!(without.bearer(&token(&claims)), BEARER);
}

/// A claim cannot start a line of its own.
// Row T-08: line breaks in values.
#[test]
fn claims_reach_the_endpoint_as_fields() {
    let rule =
        Guarded::hs256(", claims: {user: X-User, n: X-N, b: X-B, gone: X-Gone, list: X-List}");
    let claims = format!(r#"{{"exp":{NOW},"user":"a\r\nx: y","n":1.5,"b":true,"list":[1]}}"#);
    let token = token(&claims);
    for _ in 0..2 {
        assert_eq!(
            rule.bearer(&token),
            "pass x-user: a  x: y x-n: 1.5 x-b: true"
        );
    }
}

/// JSON that two readers could understand differently, or that costs too much.
// Row A-03: broken tokens.
#[test]
fn claims_that_are_ambiguous_or_too_deep_are_refused() {
    let deep = format!(
        r#"{{"exp":{NOW},"x":{}{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let twice = format!(r#"{{"exp":1,"exp":{NOW}}}"#);
    for claims in [deep.as_str(), &twice, "[]", "1", "", "{", "\u{0}"] {
        assert_eq!(judged(claims), BEARER, "{claims:.40}");
    }
}
