//! Credentials in files that the document names.

use bytes::Bytes;

use super::*;

/// Reads a rule next to one file.
fn beside(rule: &str, name: &str, content: &[u8]) -> Result<Authorization, Vec<String>> {
    let found = Ok(Bytes::copy_from_slice(content));
    let file = (name.parse().expect("a path"), found);
    let read = read_in(
        &format!("{{{rule}}}"),
        [file].into_iter().collect(),
        TokenIssuer::Unknown,
    );
    read.map(|(rule, _)| rule)
}

/// The names of the users of a file.
#[track_caller]
fn users_of(content: &str) -> Vec<String> {
    let rule = beside(
        "type: basic, users_file: staff",
        "staff",
        content.as_bytes(),
    );
    let Some(AuthorizationMethod::Basic(users)) = rule.expect("the file is valid").0 else {
        panic!("is not basic");
    };
    users
        .users
        .iter()
        .map(|user| {
            assert_eq!(user.hash.text(), BCRYPT);
            user.name.to_string()
        })
        .collect()
}

#[test]
fn the_users_of_a_file_are_read_past_comments_blank_lines_and_foreign_line_ends() {
    let content =
        format!("\u{feff}# staff\n\nann:{BCRYPT}\r\n   \nb c:{BCRYPT} \n#old:x\nd:{BCRYPT}");
    assert_eq!(users_of(&content), ["ann", "b c", "d"]);
    let argon2 = "u:$argon2id$v=19$m=16,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA\n";
    beside("type: basic, users_file: staff", "staff", argon2.as_bytes())
        .expect("argon2 is accepted");
}

#[test]
fn each_faulty_line_of_a_users_file_is_named_and_never_quoted() {
    let content = format!(
        "ann:{BCRYPT}\nb:$apr1$s3cret\nc:{{SHA}}s3cret\nd:s3cretcrypt\ns3cret\ne:\n:s3cret\nann:{BCRYPT}\nf:$2y$05$s3cret\n"
    );
    let mut content = content.into_bytes();
    content.extend(b"g:\xff\n");
    let faults = beside("type: basic, users_file: staff", "staff", &content).unwrap_err();
    let reasons = [
        "2: the hash is Apache's MD5 form",
        "3: the hash is an unsalted SHA-1 digest",
        "4: the hash is plain text or a form of crypt",
        "5: expected `NAME:HASH`, found no `:`",
        "6: expected `NAME:HASH`, found nothing behind the `:`",
        "7: expected `NAME:HASH`, found nothing before the `:`",
        "8: duplicate user `ann`",
        "9: the hash is not a complete bcrypt hash",
        "10: is not UTF-8",
    ];
    assert_eq!(faults.len(), reasons.len(), "{faults:#?}");
    for (fault, reason) in faults.iter().zip(reasons) {
        let begin = format!("upstreams.yaml:1:42: authorization.users_file: staff:{reason}");
        assert!(fault.starts_with(&begin), "{fault}");
        assert!(!fault.contains("s3cret"), "{fault}");
        let of_hash = reason.contains("the hash");
        assert_eq!(
            fault.contains("`htpasswd -B FILE NAME`"),
            of_hash,
            "{fault}"
        );
    }
}

#[test]
fn a_users_file_that_serves_nobody_or_is_too_large_is_refused() {
    let refused = |content: &[u8]| {
        let faults = beside("type: basic, users_file: staff", "staff", content).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    };
    let empty = refused(b"# nobody\n");
    assert!(empty.contains("staff: contains no user"), "{empty}");
    let large = refused(&vec![b'#'; (256 << 10) + 1]);
    assert!(large.contains("has 262145 bytes; the maximum"), "{large}");
}

#[test]
fn a_file_of_another_type_or_beside_other_credentials_is_refused() {
    for (rule, reason) in [
        ("type: apikey, creds: a, users_file: staff", "another type"),
        (
            "type: basic, creds: 'a:b', users_file: staff",
            "`creds` is set too",
        ),
        (
            "type: jwt, keys: [{alg: HS256, key: 0123456789abcdef, key_file: staff}]",
            "`key` is set too",
        ),
        (
            "type: basic, users_file: other",
            "the file `other` was not looked for",
        ),
        ("type: basic, users_file: ../staff", "has a segment `..`"),
    ] {
        let faults = beside(rule, "staff", b"x").unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains(reason), "{faults:?}");
    }
}

fn key_of(rule: Authorization) -> KeyMaterial {
    let Some(AuthorizationMethod::Jwt(rule)) = rule.0 else {
        panic!("is no token");
    };
    rule.keys[0].material.clone()
}

#[test]
fn the_secret_of_a_file_ends_before_its_line_end() {
    let rule = "type: jwt, keys: [{kid: a, alg: HS256, key_file: keys/a}]";
    let secret = b"\xff a secret \0 of bytes \n";
    for end in [&b""[..], b"\n", b"\r\n"] {
        let content = [secret, end].concat();
        let key = beside(rule, "keys/a", &content).expect("is valid");
        assert_eq!(
            key_of(key),
            KeyMaterial::Hs256(TokenSecret::new(match end {
                b"" => secret.strip_suffix(b"\n").unwrap(),
                _ => secret,
            }))
        );
    }
}

#[test]
fn a_public_key_of_a_file_is_that_of_the_document() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAFEzERPPgUVOQA8pAk1ZVBt6kZaB49eWjJ3QIruFt9Xw=\n-----END PUBLIC KEY-----\n";
    let rule = "type: jwt, keys: [{alg: EdDSA, key_file: a.pem}]";
    let of_file = key_of(beside(rule, "a.pem", pem.as_bytes()).expect("is valid"));
    let inline = format!("{{type: jwt, keys: [{{alg: EdDSA, key: {pem:?}}}]}}");
    assert_eq!(of_file, key_of(read(&inline).unwrap().0));
}

#[test]
fn a_faulty_key_file_is_named_with_its_line_and_never_quoted() {
    for (algorithm, content, reason) in [
        ("HS256", "", "k:1: is empty"),
        ("HS256", "\n", "k:1: is empty"),
        (
            "HS256",
            "x\n-----BEGIN PUBLIC KEY-----",
            "k:2: is a PEM key, but HS256 needs a secret",
        ),
        ("RS256", "s3cret", "k:1: expected one PEM block"),
        (
            "EdDSA",
            "# s3cret\n\n-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
            "k:3: is a private key",
        ),
    ] {
        let rule = format!("type: jwt, keys: [{{alg: {algorithm}, key_file: k}}]");
        let faults = beside(&rule, "k", content.as_bytes()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        let place = format!(": authorization.keys[0].key_file: {reason}");
        assert!(faults[0].contains(&place), "{faults:?}");
        assert!(!faults[0].contains("s3cret"), "{faults:?}");
    }
}

#[test]
fn a_set_with_files_is_printed_without_their_content() {
    let file = ("staff".parse().unwrap(), Ok(Bytes::from("s3cret")));
    let set = DocumentSet::of_main("authorization: {creds: s3cret}".into());
    let set = set.with_files([file].into_iter().collect());
    let printed = format!("{set:?}");
    assert!(printed.contains("\"staff\": \"6 bytes\""), "{printed}");
    let bytes = format!("{:?}", b"s3cret");
    for secret in ["s3cret", bytes.trim_matches(['[', ']'])] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
