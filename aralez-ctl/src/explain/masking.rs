//! Secrets in what is shown about a request.

use aralez_decision::authorization::TOKEN_PARAMETER;

/// Parts of the names of fields whose values are credentials, or often contain them.
const SECRET_NAMES: [&str; 9] = [
    "auth",
    "cookie",
    "credential",
    "jwt",
    "key",
    "pass",
    "secret",
    "session",
    "token",
];

/// Stands for a secret.
const MASK: &str = "***";

/// Returns the value of a field as it may be shown.
pub(super) fn value(name: &str, value: &[u8]) -> String {
    let name = name.to_ascii_lowercase();
    let by_name = SECRET_NAMES.iter().any(|part| name.contains(part)) && !is_challenge(&name);
    let text = String::from_utf8_lossy(value);
    let by_scheme = ["basic ", "bearer "].into_iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && !is_challenge(&name)
    });
    match by_name || by_scheme {
        true => MASK.to_owned(),
        false => target(&text),
    }
}

/// Reports whether a field asks for credentials.
fn is_challenge(name: &str) -> bool {
    ["www-authenticate", "access-control-allow-credentials"].contains(&name)
}

/// Returns a target or URL as it may be shown: without the values of tokens.
pub(super) fn target(text: &str) -> String {
    let mut parts = text.split(TOKEN_PARAMETER);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['&', ' ', '"']).unwrap_or(part.len());
        shown.push_str(TOKEN_PARAMETER);
        shown.push_str(MASK);
        shown.push_str(&part[end..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_shown() {
        for (text, shown) in [
            ("/x?a=1", "/x?a=1"),
            ("/?araleztoken=abc.def&b=2", "/?araleztoken=***&b=2"),
            (
                "/?araleztoken=a&araleztoken=b",
                "/?araleztoken=***&araleztoken=***",
            ),
            ("https://a/?araleztoken=", "https://a/?araleztoken=***"),
        ] {
            assert_eq!(target(text), shown);
        }
    }

    #[test]
    fn values_of_fields_with_credentials_are_not_shown() {
        for name in [
            "Authorization",
            "x-api-key",
            "Cookie",
            "Set-Cookie",
            "X-Auth-Token",
        ] {
            assert_eq!(value(name, b"hunter2"), "***", "{name}");
        }
        assert_eq!(value("x-upstream", b"bearer hunter2"), "***");
        assert_eq!(value("x-user", b"ann"), "ann");
        assert_eq!(
            value("www-authenticate", b"Basic realm=\"x\""),
            "Basic realm=\"x\""
        );
        assert_eq!(value("location", b"/?araleztoken=x"), "/?araleztoken=***");
    }
}
