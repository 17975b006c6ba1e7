//! The challenge of a 401: how to prove who one is.

use aralez_proto::rules::AuthorizationMethod;

/// Returns the value of `WWW-Authenticate`. `tried` if the request had credentials.
pub(super) fn of(method: &AuthorizationMethod, tried: bool) -> String {
    match method {
        // RFC 7617 section 2: a challenge of Basic names its realm; section 2.1: the charset may be announced as UTF-8.
        AuthorizationMethod::Basic(users) => {
            format!("Basic realm={}, charset=\"UTF-8\"", quoted(&users.realm))
        }
        // RFC 6750 section 3: a challenge names an error only if the request had a token.
        AuthorizationMethod::Jwt(_) if tried => "Bearer error=\"invalid_token\"".to_owned(),
        AuthorizationMethod::Jwt(_) => "Bearer".to_owned(),
        // No scheme is registered for keys in a field of their own, but a 401 needs a challenge.
        // The server of `forward` sends its own, and `none` refuses nothing.
        AuthorizationMethod::ApiKey(_)
        | AuthorizationMethod::Forward(_)
        | AuthorizationMethod::Open => "ApiKey realm=\"aralez\"".to_owned(),
    }
}

/// Returns a quoted string (RFC 9110 section 5.6.4) of printable ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_cannot_end_its_quotes() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
