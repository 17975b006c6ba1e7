//! `authorization`: whether a request proves that its client may use the route.
//!
//! The order is the same for each method: an address with too many failures is refused before anything is compared; then the credentials of
//! the request are judged; a request without any gets a challenge and is not a failure, because browsers ask first. Credentials that were
//! verified before cost one keyed digest. Nothing reaches an endpoint before the verdict.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::model::{HeaderValue, Template};
use aralez_proto::rules::{AuthorizationMethod, Rules};

use crate::Fields;
use crate::ask::{Ask, Reply};
use crate::policy::subject::{Subject, Verdict};
use crate::rejection::Rejection;
use crate::state::{State, Verified};

mod api_key;
mod basic;
mod challenge;
mod claims;
mod jwt;
pub mod password;
#[cfg(test)]
mod tests;
mod token_parameter;
mod verifier;

pub use token_parameter::without_token;
use verifier::TokenVerifier;

/// The authorization of a route, with its keys prepared. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CompiledAuthorization {
    method: AuthorizationMethod,
    /// The keys of `jwt`.
    verifier: Option<Arc<TokenVerifier>>,
}

impl PartialEq for CompiledAuthorization {
    fn eq(&self, other: &Self) -> bool {
        // The prepared keys follow from the method.
        self.method == other.method
    }
}

impl Eq for CompiledAuthorization {}

/// The result of checking the credentials of a request.
enum Presented {
    /// They are right.
    Right(Arc<Verified>),
    /// They are wrong: an attempt that counts.
    Wrong,
    /// They are genuine, but expired, not valid yet or for someone else. Nothing was guessed, so this does not count.
    Stale,
    /// There are none.
    Nothing,
    /// A result from outside is needed.
    Unproven(Ask),
}

impl CompiledAuthorization {
    /// Returns the authorization of these rules. `None` if every client is served.
    pub fn of(rules: &Rules) -> Option<Self> {
        let method = rules.authorization.0.clone()?;
        let verifier = match &method {
            AuthorizationMethod::Open => return None,
            AuthorizationMethod::Basic(_) | AuthorizationMethod::ApiKey(_) => None,
            AuthorizationMethod::Jwt(rule) => {
                Some(Arc::new(TokenVerifier::new(rule, shown_claims(rules))))
            }
        };
        Some(Self { method, verifier })
    }

    /// Judges a request.
    ///
    /// # Errors
    /// [`Rejection::Unauthorized`] with a challenge among the additions, or [`Rejection::Blocked`] with the time to wait.
    pub(crate) fn judge<F: Fields, S: State>(
        &self,
        subject: &mut Subject<'_, F, S>,
    ) -> Result<Verdict, Rejection> {
        refuse_blocked(subject)?;
        let presented = match (&self.method, &self.verifier) {
            (AuthorizationMethod::Basic(users), _) => basic::judge(users, subject),
            (AuthorizationMethod::ApiKey(keys), _) => api_key::judge(keys, subject.request),
            (AuthorizationMethod::Jwt(_), Some(verifier)) => jwt::judge(verifier, subject),
            _ => Presented::Nothing,
        };
        self.conclude(presented, subject)
    }

    /// Judges a request again, with the reply to its question.
    ///
    /// # Errors
    /// As [`CompiledAuthorization::judge`], and [`Rejection::Unavailable`] if there is no reply.
    pub(crate) fn resume<F: Fields, S: State>(
        &self,
        reply: Reply,
        subject: &mut Subject<'_, F, S>,
    ) -> Result<Verdict, Rejection> {
        // While this request waited, others may have failed: then its result is not told either, so that guessing ends.
        refuse_blocked(subject)?;
        let presented = match (&self.method, reply) {
            (_, Reply::Unavailable) => return Err(Rejection::Unavailable),
            (AuthorizationMethod::Basic(users), Reply::Password(true)) => {
                basic::verified(users, subject)
            }
            (_, Reply::Password(_)) => Presented::Wrong,
        };
        self.conclude(presented, subject)
    }

    fn conclude<F: Fields, S: State>(
        &self,
        presented: Presented,
        subject: &mut Subject<'_, F, S>,
    ) -> Result<Verdict, Rejection> {
        match presented {
            Presented::Right(verified) => {
                for (name, value) in &verified.claims {
                    subject.additions.claims.add(name, value.as_bytes());
                }
                for (name, value) in &verified.fields {
                    subject.additions.request.add(name, value.as_bytes());
                }
                return Ok(Verdict::Pass);
            }
            Presented::Unproven(ask) => return Ok(Verdict::Ask(ask)),
            Presented::Wrong => subject.state.credentials().fail(subject.request.client),
            Presented::Stale | Presented::Nothing => {}
        }
        let tried = !matches!(presented, Presented::Nothing);
        let challenge = challenge::of(&self.method, tried);
        // RFC 9110 section 15.5.2: a 401 contains a challenge in `WWW-Authenticate`.
        let fields = &mut subject.additions.response;
        fields.add("www-authenticate", challenge.as_bytes());
        Err(Rejection::Unauthorized)
    }
}

/// Refuses an address that failed too often.
fn refuse_blocked<F: Fields, S: State>(subject: &mut Subject<'_, F, S>) -> Result<(), Rejection> {
    let credentials = subject.state.credentials();
    let Some(wait) = credentials.blocked(subject.request.client) else {
        return Ok(());
    };
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    // RFC 6585 section 4: a 429 may say in `Retry-After` how long to wait.
    let fields = &mut subject.additions.response;
    fields.add("retry-after", seconds.max(1).to_string().as_bytes());
    Err(Rejection::Blocked)
}

/// Returns the names of the claims that header values of these rules show.
fn shown_claims(rules: &Rules) -> Box<[Box<str>]> {
    let edits = [&rules.request_headers.0, &rules.response_headers.0];
    let headers = edits
        .into_iter()
        .flat_map(|edits| edits.set.iter().chain(&edits.append));
    let templates = headers.filter_map(|header| match header.value() {
        HeaderValue::Template(template) => Some(template),
        HeaderValue::Literal(_) => None,
    });
    let names: BTreeSet<&str> = templates.flat_map(Template::claims).collect();
    names.into_iter().map(Into::into).collect()
}

/// Returns the names of the request fields that only the authorization of these rules may set, in lower case.
pub(crate) fn fields_of(rules: &Rules) -> impl Iterator<Item = &str> {
    let claims = match &rules.authorization.0 {
        Some(AuthorizationMethod::Jwt(rule)) => &rule.claims[..],
        _ => &[],
    };
    claims.iter().map(|(_, name)| &**name)
}
