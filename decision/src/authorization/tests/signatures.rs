//! The signatures of tokens, and everything that pretends to be one.

use super::vectors::{EC_KEY, ED_KEY, EDDSA_TOKEN, ES256_TOKEN, RS256_TOKEN, RSA_KEY};
use super::*;

/// A rule with one key of each public algorithm, and a secret.
fn all_keys() -> Guarded {
    let pem = |text: &str| text.replace('\n', "\\n");
    Guarded::new(&format!(
        "{{type: jwt, claims: {{sub: X-User}}, keys: [{{kid: rs256, alg: RS256, key: \"{}\"}}, {{kid: es256, alg: ES256, key: \"{}\"}}, \
         {{kid: eddsa, alg: EdDSA, key: \"{}\"}}, {{kid: hs256, alg: HS256, key: {SECRET}}}]}}",
        pem(RSA_KEY),
        pem(EC_KEY),
        pem(ED_KEY)
    ))
}

/// A token with another header, and the signature of a good one.
fn with_header(header: &str) -> String {
    let parts: Vec<&str> = RS256_TOKEN.split('.').collect();
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        parts[1],
        parts[2]
    )
}

fn valid() -> String {
    format!(r#"{{"sub":"valod","exp":{NOW}}}"#)
}

#[test]
fn tokens_that_openssl_signed_pass() {
    let rule = all_keys();
    for token in [RS256_TOKEN, ES256_TOKEN, EDDSA_TOKEN] {
        assert_eq!(rule.bearer(token), "pass x-user: valod", "{token}");
        let mut changed = token.to_owned();
        let middle = token.len() - 20;
        let other = if &token[middle..=middle] == "A" {
            "B"
        } else {
            "A"
        };
        changed.replace_range(middle..=middle, other);
        assert_eq!(rule.bearer(&changed), BEARER, "{token}");
    }
    let secret = hs256(r#"{"alg":"HS256","kid":"hs256"}"#, &valid(), SECRET);
    assert_eq!(rule.bearer(&secret), "pass x-user: valod");
}

/// A removed key is refused with the next table.
// Row A-01: the algorithm of a token.
// Row A-10: rotation of keys.
#[test]
fn a_key_is_selected_by_its_id_and_its_algorithm() {
    let rule = all_keys();
    for header in [r#"{"alg":"HS256"}"#, r#"{"alg":"HS256","kid":"hs256"}"#] {
        assert!(
            rule.bearer(&hs256(header, &valid(), SECRET))
                .starts_with("pass")
        );
    }
    for header in [
        r#"{"alg":"HS256","kid":"other"}"#,
        r#"{"alg":"HS256","kid":"rs256"}"#,
        r#"{"alg":"HS256","kid":"../../etc/passwd"}"#,
        r#"{"alg":"HS256","kid":"' OR 1=1"}"#,
        r#"{"alg":"HS256","kid":1}"#,
    ] {
        assert_eq!(
            rule.bearer(&hs256(header, &valid(), SECRET)),
            BEARER,
            "{header}"
        );
    }
    let two = format!(
        "{{type: jwt, keys: [{{kid: a, alg: HS256, key: {SECRET}}}, {{kid: b, alg: HS256, key: other}}]}}"
    );
    let two = Guarded::new(&two);
    assert_eq!(two.bearer(&token(&valid())), BEARER, "which of the two?");
    let only = Guarded::hs256("");
    let named = hs256(r#"{"alg":"HS256","kid":"any"}"#, &valid(), SECRET);
    assert_eq!(only.bearer(&named), "pass");
}

/// What a header claims changes nothing.
// Row A-01: the algorithm of a token.
#[test]
fn an_algorithm_that_the_rule_does_not_fix_is_refused() {
    let rule = all_keys();
    for alg in [
        "none", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "PS256", "ES384",
    ] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        assert_eq!(rule.bearer(&with_header(&header)), BEARER, "{alg}");
        let unsigned = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(&header),
            URL_SAFE_NO_PAD.encode(valid())
        );
        assert_eq!(rule.bearer(&unsigned), BEARER, "{alg}");
    }
    // The public key as the secret of an HMAC.
    let public = Sha256::digest(RSA_KEY);
    let public: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
    for kid in ["rs256", "hs256"] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        assert_eq!(
            rule.bearer(&hs256(&header, &valid(), &public)),
            BEARER,
            "{kid}"
        );
        let key = &RSA_KEY[..60];
        assert_eq!(rule.bearer(&hs256(&header, &valid(), key)), BEARER, "{kid}");
    }
    // Keys that the token brings along.
    for field in [
        r#""jku":"http://127.0.0.1/keys""#,
        r#""x5u":"http://127.0.0.1/cert""#,
        r#""jwk":{"kty":"oct","k":"b3RoZXI"}"#,
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"hs256",{field}}}"#);
        assert_eq!(
            rule.bearer(&hs256(&header, &valid(), "other")),
            BEARER,
            "{field}"
        );
        assert!(
            rule.bearer(&hs256(&header, &valid(), SECRET))
                .starts_with("pass")
        );
    }
    let critical = r#"{"alg":"HS256","kid":"hs256","crit":["exp"]}"#;
    assert_eq!(rule.bearer(&hs256(critical, &valid(), SECRET)), BEARER);
}

/// Broken tokens.
// Row A-03: broken tokens.
#[test]
fn a_broken_token_is_refused_and_counts_as_an_attempt() {
    let rule = Guarded::hs256("");
    let good = token(&valid());
    assert_eq!(rule.bearer(&good), "pass");
    let unsigned = &good[..=good.rfind('.').unwrap()];
    let long = "a".repeat(1 << 20);
    let deep = format!(r#"{{"alg":"HS256","x":{}}}"#, "[".repeat(5_000));
    let twice = hs256(r#"{"alg":"none","alg":"HS256"}"#, &valid(), SECRET);
    let broken = [
        "",
        ".",
        "..",
        "a.b.c",
        unsigned,
        &good[..good.len() - 1],
        &format!("{good}."),
        &format!(".{good}"),
        &format!("{good}="),
        &format!("{good} x"),
        &good.replace('.', "%2E"),
        &long,
        &format!("{long}.a.b"),
        &hs256(&deep, "{}", SECRET),
        &twice,
        &hs256("{}", &valid(), SECRET),
        &hs256(r#"{"alg":"HS256"}"#, &valid(), "wrong"),
        "ä.ö.ü",
    ];
    for token in broken {
        assert_eq!(rule.bearer(token), BEARER, "{token:.60}");
    }
    assert_eq!(rule.memory.failures.get(), broken.len() as u32);
}

/// The parameter comes first, and alone decides if it is there.
// Row S67: jwt.
#[test]
fn a_token_in_the_query_takes_precedence() {
    let rule = Guarded::hs256("");
    let good = token(&valid());
    let field = format!("bEARER {good}");
    let judge = |target: &str, field: &str| rule.judge(target, &[("authorization", field)]).line();
    let escaped = good.replace('.', "%2e");
    assert_eq!(judge("/", &field), "pass");
    assert_eq!(judge(&format!("/?araleztoken={good}"), "Bearer x"), "pass");
    assert_eq!(judge(&format!("/x?a=b&araleztoken={escaped}"), ""), "pass");
    assert_eq!(judge("/?araleztoken=x", &field), BEARER);
    assert_eq!(judge("/?araleztoken=", &field), BEARER);
    assert_eq!(
        judge(&format!("/?araleztoken={good}&araleztoken={good}"), &field),
        BEARER
    );
    assert_eq!(
        judge("/", &format!("Basic {good}")),
        "401 www-authenticate: Bearer"
    );
    assert_eq!(rule.judge("/", &[]).line(), "401 www-authenticate: Bearer");
}

/// A remembered token is the whole token under the same rule, and ends with it.
// Row X7: what is remembered of a token.
#[test]
fn a_verified_token_is_remembered_for_its_rule_until_it_ends() {
    let rule = Guarded::hs256("");
    assert_eq!(rule.bearer(&token(&valid())), "pass");
    let remembered = rule
        .memory
        .verified
        .borrow()
        .values()
        .next()
        .cloned()
        .unwrap();
    assert_eq!(remembered.until, Some(NOW + 60));
    assert!(remembered.is_valid(NOW + 59) && !remembered.is_valid(NOW + 60));
    let narrower = Guarded {
        memory: rule.memory,
        ..Guarded::hs256(", issuer: i")
    };
    assert_eq!(narrower.bearer(&token(&valid())), BEARER);
}
