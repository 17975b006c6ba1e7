//! `type: jwt`: a token in `araleztoken`, or else in `Authorization: Bearer` (RFC 6750).

use std::borrow::Cow;
use std::sync::Arc;

use crate::Fields;
use crate::authorization::Presented;
use crate::authorization::basic::after_scheme;
use crate::authorization::claims::TokenProblem;
use crate::authorization::token_parameter::{QueryToken, token_of};
use crate::authorization::verifier::TokenVerifier;
use crate::fields::FieldName;
use crate::policy::subject::Subject;
use crate::state::State;

/// The longest token that is looked at. One that is longer is refused unread, so that a request costs little whatever it contains.
const LONGEST: usize = 16 * 1_024;

/// Judges the token of a request. If the parameter is present, the field is not looked at.
pub(super) fn judge<F: Fields, S: State>(
    verifier: &TokenVerifier,
    subject: &Subject<'_, F, S>,
) -> Presented {
    let mut values = subject.request.fields.values(FieldName::Authorization);
    let token = match token_of(subject.request.target) {
        QueryToken::Token(token) => token,
        QueryToken::Invalid => return Presented::Wrong,
        QueryToken::Absent => {
            let value = values.next();
            let Some(token) = value.and_then(|value| after_scheme(value, b"bearer")) else {
                return Presented::Nothing;
            };
            let Ok(token) = std::str::from_utf8(token) else {
                return Presented::Wrong;
            };
            Cow::Borrowed(token)
        }
    };
    if token.len() > LONGEST {
        return Presented::Wrong;
    }
    let credentials = subject.state.credentials();
    let digest = credentials.digest(&[b"jwt", verifier.identity(), token.as_bytes()]);
    let now = credentials.unix_now();
    if let Some(verified) = credentials.verified(&digest).filter(|it| it.is_valid(now)) {
        return Presented::Right(verified);
    }
    match verifier.verify(&token, now) {
        Ok(verified) => {
            let verified = Arc::new(verified);
            credentials.remember(digest, Arc::clone(&verified));
            Presented::Right(verified)
        }
        Err(TokenProblem::Invalid) => Presented::Wrong,
        Err(TokenProblem::Stale) => Presented::Stale,
    }
}
