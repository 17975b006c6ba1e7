//! Tokens that control issues, which are verified without its key.

use aralez_proto::model::HmacStates;

use super::*;

const RULE: &str = "{type: jwt, keys: aralez, claims: {user: X-User}}";

fn claims() -> String {
    format!(r#"{{"user":"valod","exp":{NOW}}}"#)
}

#[test]
fn a_token_of_control_passes_and_one_of_another_key_does_not() {
    let issuer = TokenIssuer::Hs256(HmacStates::of(SECRET.as_bytes()));
    let rule = Guarded::of_issuer(RULE, issuer);
    let token = token(&claims());
    assert_eq!(rule.bearer(&token), "pass x-user: valod");
    let header = r#"{"typ":"JWT","alg":"HS256"}"#;
    let unsigned = &token[..=token.rfind('.').unwrap()];
    for forged in [
        hs256(header, &claims(), "another secret"),
        hs256(header, &claims(), ""),
        hs256(r#"{"alg":"none"}"#, &claims(), SECRET),
        format!("{token}="),
        format!("{token}AA"),
        token[..token.len() - 1].to_owned(),
        unsigned.to_owned(),
    ] {
        assert_eq!(rule.bearer(&forged), BEARER, "{forged}");
    }
    let rotated = TokenIssuer::Hs256(HmacStates::of(b"another secret"));
    assert_eq!(Guarded::of_issuer(RULE, rotated).bearer(&token), BEARER);
}

/// The states of such a reader are known to everyone.
#[test]
fn a_reader_that_does_not_know_the_key_accepts_no_token() {
    let rule = Guarded::of_issuer(RULE, TokenIssuer::Unknown);
    let message = token(&claims());
    let message = &message[..message.rfind('.').unwrap()];
    let signature = HmacStates::UNKNOWN.sign(message.as_bytes());
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(rule.bearer(&forged), BEARER);
}
