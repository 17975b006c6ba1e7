//! `keys: aralez`: tokens that control issues.

use super::*;
use crate::model::HmacStates;

const RULE: &str = "{type: jwt, keys: aralez, claims: {user: X-User}}";

fn read_by(issuer: TokenIssuer) -> Result<Authorization, Vec<String>> {
    let read = read_in(RULE, NamedFiles::default(), issuer);
    read.map(|(rule, _)| rule)
}

fn issuer(secret: &str) -> TokenIssuer {
    TokenIssuer::Hs256(HmacStates::of(secret.as_bytes()))
}

#[test]
fn issued_tokens_need_a_proxy_that_knows_their_key_and_the_secret_stays_behind() {
    let rule = read_by(issuer("a-master-key-s3cret")).unwrap();
    assert_eq!(rule.needs(), [13, 19]);
    let inline = read("{type: jwt, creds: 0123456789abcdef}").unwrap().0;
    assert_eq!(inline.needs(), [13]);
    let sent = prost::Message::encode_to_vec(&rule.encode().unwrap());
    assert!(!sent.windows(6).any(|window| window == b"s3cret"));
    let mut wrong = |reason: String| panic!("{reason}");
    let received = Authorization::decode(rule.encode().unwrap(), &mut wrong);
    assert_eq!(received, rule);
    let printed = format!("{rule:?} {:?}", rule.encode());
    assert!(printed.contains("HmacStates(…)"), "{printed}");
}

#[test]
fn another_key_of_control_is_another_rule() {
    let rule = read_by(issuer("one")).unwrap();
    assert_eq!(read_by(issuer("one")).unwrap(), rule);
    assert_ne!(read_by(issuer("two")).unwrap(), rule);
}

#[test]
fn a_reader_without_the_key_validates_like_a_proxy() {
    let rule = read_by(TokenIssuer::Unknown).unwrap();
    let mut wrong = |reason: String| panic!("{reason}");
    let received = Authorization::decode(rule.encode().unwrap(), &mut wrong);
    assert_eq!(received, rule);
    let Some(AuthorizationMethod::Jwt(rule)) = rule.0 else {
        panic!("is no token");
    };
    let unknown = KeyMaterial::Hs256States(HmacStates::UNKNOWN);
    assert_eq!(rule.keys[0].material, unknown);
}

#[test]
fn a_control_that_issues_no_tokens_refuses_the_rule() {
    let faults = read_by(TokenIssuer::Keyless).unwrap_err();
    assert_eq!(
        faults,
        [
            "upstreams.yaml:1:34: authorization.keys: this control issues no tokens: set master_key in main.yaml, or JWT_KEY in its environment"
        ]
    );
}
