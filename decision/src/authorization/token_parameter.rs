//! `araleztoken`: a token in the query, for clients that cannot set header fields.
//!
//! It is a secret in a place that is logged and forwarded everywhere, so it is removed from every target before an endpoint, another server
//! or a log sees it, on all routes.

use std::borrow::Cow;

use crate::percent;

/// The parameter with its separator. Only this spelling is a token; an escaped one is an ordinary parameter.
pub const PARAMETER: &str = "araleztoken=";

/// The token of a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum QueryToken<'a> {
    /// There is none.
    Absent,
    /// The token, decoded.
    Token(Cow<'a, str>),
    /// There are several, or it cannot be decoded.
    Invalid,
}

/// Returns the token in the query of a request target.
pub(super) fn token_of(target: &str) -> QueryToken<'_> {
    let mut tokens = parameters(target).filter_map(|part| part.strip_prefix(PARAMETER));
    match (tokens.next(), tokens.next()) {
        (None, _) => QueryToken::Absent,
        (Some(token), None) => decoded(token).map_or(QueryToken::Invalid, QueryToken::Token),
        (Some(_), Some(_)) => QueryToken::Invalid,
    }
}

/// Removes the token from a path with this query. Other parameters keep their order and spelling. Costs little if there is no token.
#[inline]
pub(crate) fn without_token<'t>(path_and_query: Cow<'t, str>, query: Option<&str>) -> Cow<'t, str> {
    match query {
        Some(query) if may_hold_token(query) => cleaned(path_and_query),
        _ => path_and_query,
    }
}

/// Reports whether a query may hold a token, at little cost. False for almost every query.
#[inline]
fn may_hold_token(query: &str) -> bool {
    query.len() >= PARAMETER.len() && query.contains(PARAMETER)
}

fn cleaned(target: Cow<'_, str>) -> Cow<'_, str> {
    if !parameters(&target).any(|part| part.starts_with(PARAMETER)) {
        return target;
    }
    let path = target.split('?').next().unwrap_or_default();
    let kept = parameters(&target).filter(|part| !part.starts_with(PARAMETER));
    let kept: Vec<&str> = kept.collect();
    if kept.is_empty() {
        return Cow::Owned(path.to_owned());
    }
    Cow::Owned(format!("{path}?{}", kept.join("&")))
}

/// Returns the parameters of the query. None at all if the query cannot contain a token, which is found out without splitting it.
fn parameters(target: &str) -> impl Iterator<Item = &str> {
    let query = target.split_once('?').map(|(_, query)| query);
    let query = query.filter(|query| may_hold_token(query));
    query.into_iter().flat_map(|query| query.split('&'))
}

/// Decodes escapes.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    percent::decode(text, &mut bytes)?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No token is forwarded.
    // Row A-06: tokens in the query.
    #[test]
    fn the_token_is_removed_and_everything_else_stays() {
        for (target, expected) in [
            ("/x", "/x"),
            ("/x?a=1", "/x?a=1"),
            ("/x?araleztoken=t", "/x"),
            ("/x?a=1&araleztoken=t", "/x?a=1"),
            ("/x?araleztoken=t&a=%20&b", "/x?a=%20&b"),
            ("/x?a&araleztoken=t&b&araleztoken=u&c?d", "/x?a&b&c?d"),
            ("/x?xaraleztoken=t", "/x?xaraleztoken=t"),
            ("/araleztoken=t?a", "/araleztoken=t?a"),
        ] {
            let query = target.split_once('?').map(|(_, query)| query);
            let kept = without_token(Cow::Borrowed(target), query);
            assert_eq!(kept, expected, "{target}");
            assert_eq!(matches!(kept, Cow::Borrowed(_)), kept == target);
        }
    }

    #[test]
    fn a_token_is_decoded_once_and_only_one_is_a_token() {
        let token = |text: &'static str| QueryToken::Token(text.into());
        for (target, expected) in [
            ("/?a=b", QueryToken::Absent),
            ("/?araleztoken=a.b.c", token("a.b.c")),
            ("/?x=1&araleztoken=a%2Eb%2ec", token("a.b.c")),
            ("/?araleztoken=a%252E", token("a%2E")),
            ("/?araleztoken=", token("")),
            ("/?araleztoken=%", QueryToken::Invalid),
            ("/?araleztoken=%+1", QueryToken::Invalid),
            ("/?araleztoken=%FF", QueryToken::Invalid),
            ("/?araleztoken=a&araleztoken=a", QueryToken::Invalid),
        ] {
            assert_eq!(token_of(target), expected, "{target}");
        }
    }
}
