//! `authorization`: whether a request proves that its client may use the route.
//!
//! The order is the same for each method: an address with too many failures is refused before anything is compared; then the credentials of
//! the request are judged; a request without any gets a challenge and is not a failure, because browsers ask first. Credentials that were
//! verified before cost one keyed digest. With `forward`, another server judges ([`server`]). Nothing reaches an endpoint before the verdict.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::model::{HeaderValue, Template};
use aralez_proto::rules::{Authorization, AuthorizationMethod, CopiedHeader, Rules};

use crate::Fields;
use crate::ask::{Ask, Reply};
use crate::policy::subject::{Subject, Verdict};
use crate::rejection::{CredentialProblem, Rejection};
use crate::state::{State, Verified};

mod api_key;
mod basic;
mod challenge;
mod claims;
mod jwt;
pub mod password;
mod question;
pub mod server;
mod shown;
#[cfg(test)]
mod tests;
mod token_parameter;
mod verifier;

use server::CompiledServer;
pub use token_parameter::PARAMETER as TOKEN_PARAMETER;
pub(crate) use token_parameter::without_token;
use verifier::TokenVerifier;

/// The authorization of a route, with its keys prepared. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CompiledAuthorization {
    method: AuthorizationMethod,
    prepared: Prepared,
}

/// What a method needs besides its rule.
#[derive(Clone, Debug)]
enum Prepared {
    /// Nothing.
    Nothing,
    /// The keys of `jwt`.
    Tokens(Arc<TokenVerifier>),
    /// The server of `forward`.
    Server(Arc<CompiledServer>),
}

impl PartialEq for CompiledAuthorization {
    fn eq(&self, other: &Self) -> bool {
        // The prepared keys follow from the method.
        self.method == other.method && self.server() == other.server()
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
        let prepared = match &method {
            AuthorizationMethod::Open => return None,
            AuthorizationMethod::Basic(_) | AuthorizationMethod::ApiKey(_) => Prepared::Nothing,
            AuthorizationMethod::Jwt(rule) => {
                let verifier = TokenVerifier::new(rule, shown_claims(rules));
                Prepared::Tokens(Arc::new(verifier))
            }
            AuthorizationMethod::Forward(rule) => {
                Prepared::Server(Arc::new(CompiledServer::of(rule, rules)))
            }
        };
        Some(Self { method, prepared })
    }

    /// Returns the server that decides, if it is another one.
    fn server(&self) -> Option<&Arc<CompiledServer>> {
        match &self.prepared {
            Prepared::Server(server) => Some(server),
            Prepared::Nothing | Prepared::Tokens(_) => None,
        }
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
        let presented = match (&self.method, &self.prepared) {
            (_, Prepared::Server(server)) => {
                return Ok(Verdict::Ask(question::about(server, subject)));
            }
            (_, Prepared::Tokens(verifier)) => jwt::judge(verifier, subject),
            (AuthorizationMethod::Basic(users), _) => basic::judge(users, subject),
            (AuthorizationMethod::ApiKey(keys), _) => api_key::judge(keys, subject.request),
            _ => Presented::Nothing,
        };
        self.conclude(presented, subject)
    }

    /// Judges a request again, with the reply to its question.
    ///
    /// # Errors
    /// As [`CompiledAuthorization::judge`], [`Rejection::Denied`] if a server refuses, and [`Rejection::Unavailable`] if there is no reply.
    pub(crate) fn resume<F: Fields, S: State>(
        &self,
        reply: Reply,
        subject: &mut Subject<'_, F, S>,
    ) -> Result<Verdict, Rejection> {
        // While this request waited, others may have failed: then its result is not told either, so that guessing ends.
        refuse_blocked(subject)?;
        let presented = match (&self.method, reply) {
            (_, Reply::Unavailable) => return Err(Rejection::Unavailable),
            (_, Reply::Denied) => return Err(Rejection::Denied),
            (_, Reply::Allowed(copied)) => {
                copied.request.add_to(&mut subject.additions.request);
                copied.response.add_to(&mut subject.additions.response);
                return Ok(Verdict::Pass);
            }
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
        let problem = match presented {
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
            Presented::Wrong => {
                subject.state.credentials().fail(subject.request.client);
                CredentialProblem::Wrong
            }
            Presented::Stale => CredentialProblem::Stale,
            Presented::Nothing => CredentialProblem::Missing,
        };
        let challenge = challenge::of(&self.method, problem != CredentialProblem::Missing);
        // RFC 9110 section 15.5.2: a 401 contains a challenge in `WWW-Authenticate`.
        let fields = &mut subject.additions.response;
        fields.add("www-authenticate", challenge.as_bytes());
        Err(Rejection::Unauthorized(problem))
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
    let copied = copied_by(&rules.authorization).filter_map(|copied| match copied {
        CopiedHeader::Name(name) => Some(&**name),
        CopiedHeader::Prefix(_) => None,
    });
    claims.iter().map(|(_, name)| &**name).chain(copied)
}

/// Returns the prefixes of the request fields that clients may not set, because the authorization of these rules does, in lower case.
pub(crate) fn prefixes_of(authorization: &Authorization) -> Vec<&str> {
    let prefixes = copied_by(authorization).filter_map(|copied| match copied {
        CopiedHeader::Name(_) => None,
        CopiedHeader::Prefix(prefix) => Some(&**prefix),
    });
    prefixes.collect()
}

fn copied_by(authorization: &Authorization) -> impl Iterator<Item = &CopiedHeader> {
    let copied = match &authorization.0 {
        Some(AuthorizationMethod::Forward(rule)) => &rule.copy[..],
        _ => &[],
    };
    copied.iter()
}
