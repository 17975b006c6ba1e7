//! `Authorization` fields that clients should not send.

use super::*;

// Row A-07: odd Authorization fields.
#[test]
fn a_field_that_is_not_one_scheme_and_one_credential_opens_nothing() {
    let tokens = Guarded::hs256("");
    let good = token(&format!(r#"{{"exp":{NOW}}}"#));
    let basic = Guarded::new("{type: basic, creds: 'user:pass'}");
    let coded = STANDARD.encode("user:pass");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(tokens.bearer(&good), "pass");
        let field = format!("{scheme}   {good}");
        assert_eq!(tokens.with("authorization", &field), "pass", "{field}");
    }
    for field in [
        format!("Bearer\t{good}"),
        format!("Bearer{good}"),
        format!("Bearer={good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good},Basic {coded}"),
        format!("Basic {coded}, Bearer {good}"),
        format!("Bearer \"{good}\""),
        format!("Bearer token={good}"),
        format!("Token {good}"),
        format!(" Bearer{good}"),
        good.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        ",".to_owned(),
    ] {
        let line = tokens.with("authorization", &field);
        assert!(line.starts_with("401 "), "{field}: {line}");
    }
    for field in [
        format!("Basic\t{coded}"),
        format!("Basic {coded}, Basic {coded}"),
        format!("Basic {coded},"),
        format!("Basic realm=x, {coded}"),
        format!("Bearer {coded}"),
    ] {
        let line = basic.with("authorization", &field);
        assert!(line.starts_with("401 "), "{field}: {line}");
    }
}
