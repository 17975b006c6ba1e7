//! The policies that a route applies to a request before its action: an ordered, closed list, compiled with the route's rules.
//!
//! A policy is a pure function of the request and its context, so that the same request can be decided elsewhere without side effects. It
//! passes the request or answers it; fields that it adds to the request or the response go into [`crate::additions::Additions`]. State that a policy depends on
//! or changes (a limiter's counts) is behind [`State`], to which it passes values. A route without policies costs one length check.
//!
//! The order is fixed in [`Policy::of`]: `to_https`, then allow and deny, then the limits of clients, then authorization.
//!
//! A policy that depends on an external result (a password hash) returns a third [`Verdict`] with its question. The head of the request stays
//! in its buffer, so the exchange awaits the reply and resumes the list at that policy.

use std::num::NonZeroU64;

use aralez_proto::matcher::Scheme;
use aralez_proto::model::RedirectStatus;
use aralez_proto::rules::Rules;

use crate::address_filter::AddressFilter;
use crate::answer::Answer;
use crate::ask::{Ask, Pause, Reply};
use crate::authorization::CompiledAuthorization;
use crate::limits::{self, ErrorLimit, RequestLimit, RouteLimits};
use crate::observe::Observer;
use crate::rejection::Rejection;
use crate::state::State;
use crate::{Fields, Request};

pub mod subject;

pub use subject::{Subject, Verdict};

/// One policy of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Policy {
    /// `to_https: true`: redirects plaintext requests to HTTPS.
    ToHttps,
    /// `allow` and `deny`: refuses clients by their address.
    AddressFilter(AddressFilter),
    /// `rate_limit`: refuses clients that send too many requests.
    Requests(RequestLimit),
    /// `x4xx_limit`: refuses clients whose requests failed too often.
    Errors(ErrorLimit),
    /// `max_body`: refuses requests that announce a larger body. Other bodies are counted while they arrive.
    Body(NonZeroU64),
    /// `authorization`: refuses requests that do not prove that they may use the route.
    Authorization(CompiledAuthorization),
}

/// The result of a list of policies.
#[derive(Debug)]
pub enum Evaluated {
    /// All policies passed the request.
    Passed,
    /// A policy answers the request.
    Answered(Answer),
    /// A policy asks.
    Asks(Ask, Pause),
}

impl Policy {
    /// Returns its name: that of its key, if it obeys one only.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ToHttps => "to_https",
            Self::AddressFilter(_) => "address filter",
            Self::Requests(_) => "rate_limit",
            Self::Errors(_) => "x4xx_limit",
            Self::Body(_) => "max_body",
            Self::Authorization(_) => "authorization",
        }
    }

    /// Returns the rules that it obeys: each key with its value, without secrets.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let value = match self {
            Self::AddressFilter(filter) => {
                let lists = filter.lists();
                return lists.map(|(key, list)| (key, list.to_string())).collect();
            }
            Self::ToHttps => "true".to_owned(),
            Self::Requests(limit) => limit.to_string(),
            Self::Errors(limit) => limit.to_string(),
            Self::Body(most) => format!("{most} bytes"),
            Self::Authorization(authorization) => authorization.to_string(),
        };
        vec![(self.name(), value)]
    }

    /// Returns what decided about a request, if no other request came before it.
    pub fn reason<F: Fields>(
        &self,
        request: &Request<'_, F>,
        verdict: &Result<Verdict, Rejection>,
    ) -> String {
        match (self, verdict) {
            (Self::AddressFilter(filter), _) => filter.reason(request.client),
            (Self::Body(_), _) => limits::announced(&request.fields),
            (_, Err(rejection)) => rejection.to_string(),
            (Self::ToHttps, Ok(_)) => format!("the client used {}", request.scheme.as_str()),
            (Self::Requests(_) | Self::Errors(_), Ok(_)) => "room is assumed".to_owned(),
            (Self::Authorization(authorization), Ok(_)) => authorization.proof().to_owned(),
        }
    }

    /// Returns what a verdict depends on besides the request, as it is without other requests. `tls_port` as in [`Context`].
    ///
    /// [`Context`]: crate::Context
    pub const fn assumed(
        &self,
        verdict: &Result<Verdict, Rejection>,
        tls_port: Option<u16>,
    ) -> Option<&'static str> {
        match (self, verdict, tls_port) {
            (Self::ToHttps, Ok(Verdict::Answer(_)), None) => Some("HTTPS is served on port 443"),
            (Self::Requests(_) | Self::Errors(_), ..) => Some("no other request used up a limit"),
            (Self::Authorization(authorization), Ok(_), _) if authorization.asks_a_server() => {
                Some("the authorization server passes the request; it is not asked")
            }
            (Self::Authorization(_), ..) => {
                Some("no earlier request of the client failed to authorize (auth_failures)")
            }
            _ => None,
        }
    }

    /// Returns the policies that the rules enable, in the order of evaluation.
    pub fn of(rules: &Rules, limits: &RouteLimits) -> Box<[Self]> {
        let to_https = rules.to_https.is_on().then_some(Self::ToHttps);
        let filter = AddressFilter::of(rules).map(Self::AddressFilter);
        let limits = [
            limits.requests.map(Self::Requests),
            limits.errors.map(Self::Errors),
            limits.body.map(Self::Body),
        ];
        let authorization = CompiledAuthorization::of(rules).map(Self::Authorization);
        let first = to_https.into_iter().chain(filter);
        let limited = first.chain(limits.into_iter().flatten());
        limited.chain(authorization).collect()
    }
}

/// Evaluates the policies of a route in order, until one answers or asks. `resumed` is the place at which an earlier evaluation paused, with
/// the reply: policies before it are not evaluated again. `observer` is told each verdict.
///
/// # Errors
/// [`Rejection`] if a policy refuses the request, or cannot be applied to it.
pub fn evaluate<F: Fields, S: State, O: Observer>(
    policies: &[Policy],
    resumed: Option<(Pause, Reply)>,
    subject: &mut Subject<'_, F, S>,
    observer: &mut O,
) -> Result<Evaluated, Rejection> {
    let start = resumed.as_ref().map_or(0, |(pause, _)| pause.policy);
    let mut reply = resumed.map(|(_, reply)| reply);
    for (index, policy) in policies.iter().enumerate().skip(start) {
        let verdict = ask(policy, reply.take(), subject);
        observer.policy(index, &verdict);
        match verdict? {
            Verdict::Pass => {}
            Verdict::Answer(answer) => return Ok(Evaluated::Answered(answer)),
            Verdict::Ask(question) => {
                return Ok(Evaluated::Asks(question, Pause { policy: index }));
            }
        }
    }
    Ok(Evaluated::Passed)
}

/// Asks one policy, with the reply to its question if it is resumed.
fn ask<F: Fields, S: State>(
    policy: &Policy,
    reply: Option<Reply>,
    subject: &mut Subject<'_, F, S>,
) -> Result<Verdict, Rejection> {
    match policy {
        Policy::ToHttps => to_https(subject),
        Policy::AddressFilter(filter) if filter.admits(subject.request.client) => Ok(Verdict::Pass),
        Policy::AddressFilter(_) => Err(Rejection::Address),
        Policy::Requests(limit) => limit
            .take(
                subject.route,
                subject.request.client,
                subject.state.counts(),
            )
            .map(|()| Verdict::Pass)
            .map_err(Rejection::RateLimit),
        Policy::Errors(limit) => limit
            .check(
                subject.route,
                subject.request.client,
                subject.state.counts(),
            )
            .map(|()| Verdict::Pass)
            .map_err(Rejection::ErrorLimit),
        Policy::Body(most) if limits::announces_at_most(*most, &subject.request.fields) => {
            Ok(Verdict::Pass)
        }
        Policy::Body(_) => Err(Rejection::BodyTooLarge),
        Policy::Authorization(authorization) => match reply {
            Some(reply) => authorization.resume(reply, subject),
            None => authorization.judge(subject),
        },
    }
}

/// Redirects a plaintext request to the same host and target over TLS.
fn to_https<F: Fields, S: State>(subject: &Subject<'_, F, S>) -> Result<Verdict, Rejection> {
    if subject.request.scheme == Scheme::Https {
        return Ok(Verdict::Pass);
    }
    let host = subject.host.ok_or(Rejection::MissingHost)?;
    let path_and_query = subject.target.path_and_query();
    let location = match subject.context.tls_port {
        None | Some(443) => format!("https://{host}{path_and_query}"),
        Some(port) => format!("https://{host}:{port}{path_and_query}"),
    };
    let status = RedirectStatus::MovedPermanently;
    Ok(Verdict::Answer(Answer::redirect(status, &location)))
}

#[cfg(test)]
mod tests;
