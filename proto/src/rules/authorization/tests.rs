use super::*;
use crate::document::{self, DocumentSet, NamedFiles, Surroundings};
use crate::model::TokenIssuer;

const BCRYPT: &str = "$2y$05$4uNBNnQ8RGEwmUP8GXRy1.UZ6KR/tlIyhmIP4hYk6RMRZlhFLlONy";

mod files;
mod issued;
mod server;

fn read(rule: &str) -> Result<(Authorization, Vec<String>), Vec<String>> {
    read_in(rule, NamedFiles::default(), TokenIssuer::Unknown)
}

fn read_in(
    rule: &str,
    files: NamedFiles,
    issuer: TokenIssuer,
) -> Result<(Authorization, Vec<String>), Vec<String>> {
    let text = format!("authorization: {rule}\n");
    let set = DocumentSet::of_main(text.into()).with_files(files);
    let surroundings = Surroundings {
        issuer,
        ..Surroundings::default()
    };
    let authored = document::read(&set, &surroundings);
    let authored = authored.map_err(|faults| {
        let faults = faults.0.iter().map(ToString::to_string);
        faults.collect::<Vec<_>>()
    })?;
    let notes = authored.warnings.iter().map(ToString::to_string).collect();
    Ok((authored.settings.rules.authorization, notes))
}

#[track_caller]
fn accepted(rule: &str) -> AuthorizationMethod {
    read(rule).unwrap().0.0.unwrap()
}

/// The only fault of a rule, without its file.
#[track_caller]
fn refused(rule: &str) -> String {
    let faults = read(rule).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].replacen("upstreams.yaml:", "", 1)
}

/// The documented forms, and those of later releases.
// Row S47: authorization.
// Row C5: data.
#[test]
fn each_type_takes_its_forms_of_credentials() {
    assert_eq!(accepted("none"), AuthorizationMethod::Open);
    assert_eq!(accepted("{type: none}"), AuthorizationMethod::Open);
    let AuthorizationMethod::Basic(users) = accepted("{type: basic, creds: 'user:pa:ss'}") else {
        panic!("is not basic");
    };
    assert_eq!((&*users.realm, &*users.users[0].name), ("aralez", "user"));
    let list = format!("{{type: basic, realm: Inner, users: ['a:{BCRYPT}', 'b:{BCRYPT}']}}");
    let AuthorizationMethod::Basic(users) = accepted(&list) else {
        panic!("is not basic");
    };
    assert_eq!((&*users.realm, users.users.len()), ("Inner", 2));
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let keys = accepted(&format!(
        "{{type: apikey, keys: ['sha256:{digest}', other]}}"
    ));
    let AuthorizationMethod::ApiKey(keys) = keys else {
        panic!("is not a key");
    };
    assert_eq!(
        keys.digests(),
        [ApiKeys::digest(b"secret"), ApiKeys::digest(b"other")]
    );
    let creds = accepted("{type: jwt, creds: 0123456789abcdef}");
    // C5: `data` is another name of `creds`.
    assert_eq!(accepted("{type: jwt, data: 0123456789abcdef}"), creds);
    let rule = "{type: jwt, keys: [{kid: a, alg: HS256, key: 0123456789abcdef}], algorithms: HS256, audience: [x, y], issuer: i, claims: {sub: X-User}}";
    let AuthorizationMethod::Jwt(rule) = accepted(rule) else {
        panic!("is no token");
    };
    assert_eq!(*rule.claims, [("sub".into(), "x-user".into())]);
    assert_eq!(rule.audience.len(), 2);
}

#[test]
fn exactly_one_form_of_credentials_of_the_right_type_is_taken() {
    for (rule, fault) in [
        ("{creds: a}", "1:16: authorization: `type` is missing"),
        (
            "{type: basic}",
            "1:16: authorization: `creds` (user:pass), `users` or `users_file` is missing",
        ),
        (
            "{type: jwt, issuer: a}",
            "1:16: authorization: `creds` or `keys` is missing",
        ),
        (
            "{type: apikey, creds: a, keys: [b]}",
            "1:47: authorization.keys: `creds` is set too; keep one of them",
        ),
        (
            "{type: none, creds: a}",
            "1:36: authorization.creds: belongs to another type than `none`; remove it",
        ),
        (
            "{type: apikey, creds: a, realm: x}",
            "1:48: authorization.realm: belongs to another type than `apikey`; remove it",
        ),
        (
            "{type: baisc, creds: 'a:b'}",
            "1:23: authorization.type: expected one of basic, apikey, jwt, forward, none, found `baisc` (did you mean `basic`?)",
        ),
    ] {
        assert_eq!(refused(rule), fault, "{rule}");
    }
}

#[test]
fn a_faulty_user_is_named_by_its_place_and_never_quoted() {
    for (rule, reason) in [
        ("creds: s3cret", "found no `:`"),
        ("creds: ':s3cret'", "nothing before"),
        ("creds: 's3cret:'", "nothing behind"),
        ("users: ['s3cret']", "found no `:`"),
        ("users: ['a:s3cret']", "is plain text or a form of crypt"),
        ("users: ['a:{SHA}s3cret']", "SHA-1"),
        ("users: ['a:$apr1$s3cret']", "htpasswd -nbB"),
        (
            "users: ['a:$2y$15$4uNBNnQ8RGEwmUP8GXRy1.UZ6KR/tlIyhmIP4hYk6RMRZlhFLlONy']",
            "the bcrypt cost 15",
        ),
        ("users: ['a:$2y$05$s3cret']", "not a complete bcrypt hash"),
        (
            "users: ['a:$argon2id$v=19$m=65537,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA']",
            "65536 KiB",
        ),
        (
            "users: ['a:$argon2id$v=19$m=8,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA']",
            "not a complete argon2id",
        ),
        (
            "users: ['a:$argon2d$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA']",
            "is argon2d",
        ),
        ("users: []", "no client would be served"),
    ] {
        let fault = refused(&format!("{{type: basic, {rule}}}"));
        assert!(fault.contains(reason), "{rule}: {fault}");
        assert!(
            !fault.contains("s3cret") && !fault.contains("c2Fs"),
            "{fault}"
        );
    }
    let twice = format!("{{type: basic, users: ['a:{BCRYPT}', 'a:{BCRYPT}']}}");
    assert!(
        refused(&twice).contains("authorization.users[1]: duplicate user `a`"),
        "{}",
        refused(&twice)
    );
    let good =
        "{type: basic, users: ['a:$argon2i$v=19$m=16,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA']}";
    accepted(good);
}

/// Checks that each rule is refused for its reason, and that the fault does not quote the key.
fn refused_for(rules: &[(&str, &str)]) {
    for (rule, reason) in rules {
        let fault = refused(&format!("{{{rule}}}"));
        assert!(fault.contains(reason), "{rule}: {fault}");
        assert!(!fault.contains("s3cret"), "{fault}");
    }
}

#[test]
fn a_faulty_key_is_named_by_its_place_and_never_quoted() {
    refused_for(&[
        ("type: apikey, creds: ''", "is empty"),
        ("type: apikey, keys: []", "no client would be served"),
        (
            "type: apikey, keys: ['sha256:s3cret']",
            "64 hexadecimal digits",
        ),
        ("type: apikey, keys: [s3cret, s3cret]", "duplicate key"),
        ("type: apikey, keys: [{kid: s3cret}]", "found a map"),
        ("type: jwt, creds: ''", "is empty"),
        ("type: jwt, keys: [s3cret]", "expected a map"),
        (
            "type: jwt, keys: [{alg: HS256}]",
            "`key` or `key_file` is missing",
        ),
        ("type: jwt, keys: [{key: s3cret}]", "`alg` is missing"),
        (
            "type: jwt, keys: [{alg: none, key: s3cret}]",
            "expected one of HS256, RS256, ES256, EdDSA",
        ),
        (
            "type: jwt, keys: [{alg: RS256, key: s3cret}]",
            "expected one PEM block",
        ),
        (
            "type: jwt, keys: [{alg: HS256, key: '-----BEGIN PUBLIC KEY-----'}]",
            "HS256 needs a secret",
        ),
        (
            "type: jwt, keys: [{kid: a, alg: HS256, key: s3cret}, {alg: HS256, key: b}]",
            "`kid` is missing",
        ),
        (
            "type: jwt, keys: [{kid: a, alg: HS256, key: s3cret}, {kid: a, alg: HS256, key: b}]",
            "duplicate `kid`",
        ),
    ]);
}

#[test]
fn what_a_token_rule_asks_for_can_be_met() {
    refused_for(&[
        (
            "type: jwt, creds: s3cret, algorithms: [RS256]",
            "does not contain HS256",
        ),
        (
            "type: jwt, creds: s3cret, algorithms: [HS256, RS256]",
            "no key of this rule",
        ),
        ("type: jwt, creds: s3cret, claims: {sub: 'a b'}", "name"),
        ("type: jwt, creds: s3cret, claims: {sub: Host}", "host"),
        (
            "type: jwt, creds: s3cret, claims: {sub: X-User, name: x-user}",
            "duplicate header",
        ),
    ]);
}

#[test]
fn a_short_secret_of_tokens_is_accepted_with_a_warning() {
    let (_, notes) = read("{type: jwt, creds: s3cret}").unwrap();
    assert!(notes[0].contains("is shorter than 16 bytes"), "{notes:?}");
    assert!(!notes[0].contains("s3cret"));
    assert!(
        read("{type: jwt, creds: 0123456789abcdef}")
            .unwrap()
            .1
            .is_empty()
    );
}

#[test]
fn nothing_of_a_rule_prints_a_secret() {
    for rule in [
        "{type: basic, creds: 'u:s3cret'}".to_owned(),
        format!("{{type: basic, users: ['a:{BCRYPT}']}}"),
        "{type: apikey, creds: s3cret}".to_owned(),
        "{type: jwt, creds: s3cret}".to_owned(),
    ] {
        let method = accepted(&rule);
        let wire = method.encode();
        for printed in [format!("{method:?}"), format!("{wire:?}")] {
            assert!(
                !printed.contains("s3cret") && !printed.contains("$2y$"),
                "{printed}"
            );
            let bytes = format!("{:?}", b"s3cret");
            let digest = format!("{:?}", ApiKeys::digest(b"s3cret"));
            assert!(
                !printed.contains(bytes.trim_matches(['[', ']'])),
                "{printed}"
            );
            assert!(
                !printed.contains(digest.trim_matches(['[', ']'])),
                "{printed}"
            );
        }
    }
}

/// A narrower scope replaces the wider one.
// Row C6: authorization in each scope.
#[test]
fn a_narrower_scope_replaces_the_wider_one_and_none_opens_it() {
    let wide = read("{type: basic, creds: 'a:b'}").unwrap().0;
    let narrow = read("{type: apikey, creds: a}").unwrap().0;
    let open = read("none").unwrap().0;
    assert_eq!(wide.narrowed_by(&Authorization::default()), wide);
    assert_eq!(wide.narrowed_by(&narrow), narrow);
    assert_eq!(wide.narrowed_by(&open), open);
    assert_eq!(
        (wide.needs(), Authorization::default().needs()),
        (&[13][..], &[][..])
    );
}

#[test]
fn what_is_sent_is_read_back() {
    for rule in [
        "none",
        "{type: basic, creds: 'u:p', realm: r}",
        "{type: apikey, keys: [a, b]}",
        "{type: jwt, keys: [{alg: HS256, key: 0123456789abcdef}], audience: x, issuer: i, claims: {sub: X-User}}",
        "{type: forward, url: 'http://[::1]/v?a=b', copy: [X-User, 'X-Auth-*'], timeout: 500ms}",
    ] {
        let sent = read(rule).unwrap().0;
        let wire = sent.encode().unwrap();
        let mut wrong = |reason: String| panic!("{reason}");
        assert_eq!(Authorization::decode(wire, &mut wrong), sent);
    }
}

#[test]
fn a_received_rule_that_could_not_be_enforced_is_refused() {
    use crate::wire::resource::authorization::Method;
    let hash = BCRYPT.to_owned();
    let user = wire::BasicUser {
        name: "a".into(),
        hash,
    };
    let basic = |realm: &str, users| {
        Method::Basic(wire::BasicAuthorization {
            realm: realm.into(),
            users,
        })
    };
    let key = |key| wire::JwtAuthorization {
        keys: vec![wire::TokenKey { kid: None, key }],
        ..wire::JwtAuthorization::default()
    };
    let claim = wire::ClaimHeader {
        claim: "sub".into(),
        header: "X-User".into(),
    };
    let hs256 = || Some(wire::token_key::Key::Hs256(vec![1].into()));
    for method in [
        None,
        Some(basic("r", Vec::new())),
        Some(basic("\r\n", vec![user.clone()])),
        Some(basic(
            "r",
            vec![wire::BasicUser {
                hash: "plain".into(),
                ..user
            }],
        )),
        Some(Method::ApiKey(wire::ApiKeyAuthorization::default())),
        Some(Method::ApiKey(wire::ApiKeyAuthorization {
            sha256: vec![vec![0; 31].into()],
        })),
        Some(Method::Jwt(wire::JwtAuthorization::default())),
        Some(Method::Jwt(key(None))),
        Some(Method::Jwt(key(Some(wire::token_key::Key::Hs256(
            Vec::new().into(),
        ))))),
        Some(Method::Jwt(key(Some(wire::token_key::Key::Es256(
            vec![4; 64].into(),
        ))))),
        Some(Method::Jwt(wire::JwtAuthorization {
            claims: vec![claim],
            ..key(hs256())
        })),
    ] {
        let mut reasons = Vec::new();
        let sent = wire::Authorization { method };
        Authorization::decode(sent, &mut |reason| reasons.push(reason));
        assert_eq!(reasons.len(), 1);
    }
}
