//! The policies that a route applies to a request before its action: an ordered, closed list, compiled with the route's rules.
//!
//! A policy is a pure function of the request and its context, so that the same request can be decided elsewhere without side effects. It
//! passes the request or answers it; fields that it adds to the request or the response go into [`Additions`]. State that a policy depends on
//! or changes (a limiter's counts) is behind [`State`], to which it passes values. A route without policies costs one length check.
//!
//! The order is fixed in [`Policy::of`]: `to_https`, then allow and deny, then the limits of clients. Authorization will follow them.
//!
//! A future policy that depends on an external result (forward authorization, a password hash) can return a third [`Verdict`] that contains
//! the query: the head of the request stays in its buffer during the decision, so the exchange can await the result and continue the list.

use std::num::NonZeroU64;

use aralez_proto::matcher::{Scheme, Target};
use aralez_proto::model::RedirectStatus;
use aralez_proto::rules::Rules;

use crate::additions::Additions;
use crate::address_filter::AddressFilter;
use crate::answer::Answer;
use crate::limits::{self, ErrorLimit, LimitedRoute, RequestLimit, RouteLimits};
use crate::rejection::Rejection;
use crate::state::State;
use crate::{Context, Fields, Request};

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
}

/// The verdict of a policy on a request.
#[derive(Debug)]
pub enum Verdict {
    /// Continue with the next policy, or with the action of the route.
    Pass,
    /// Answer the request.
    Answer(Answer),
}

impl Policy {
    /// Returns the policies that the rules enable, in the order of evaluation.
    pub fn of(rules: &Rules, limits: &RouteLimits) -> Box<[Self]> {
        let to_https = rules.to_https.is_on().then_some(Self::ToHttps);
        let filter = AddressFilter::of(rules).map(Self::AddressFilter);
        let limits = [
            limits.requests.map(Self::Requests),
            limits.errors.map(Self::Errors),
            limits.body.map(Self::Body),
        ];
        to_https
            .into_iter()
            .chain(filter)
            .chain(limits.into_iter().flatten())
            .collect()
    }
}

/// The input of policies, and the place for their additions.
#[derive(Debug)]
pub struct Subject<'a, F, S> {
    /// The context of the decision.
    pub context: &'a Context<'a>,
    /// The request.
    pub request: &'a Request<'a, F>,
    /// The requested host, normalised, without port; `None` if there was none.
    pub host: Option<&'a str>,
    /// The parsed target.
    pub target: &'a Target<'a>,
    /// The route.
    pub route: LimitedRoute<'a>,
    /// The state that earlier requests left.
    pub state: &'a S,
    /// The fields that policies add.
    pub additions: &'a mut Additions,
}

/// Evaluates the policies of a route in order, until one answers.
///
/// # Errors
/// [`Rejection`] if a policy cannot be applied to the request.
pub fn ask<F: Fields, S: State>(
    policies: &[Policy],
    subject: &mut Subject<'_, F, S>,
) -> Result<Verdict, Rejection> {
    let client = subject.request.client;
    for policy in policies {
        let verdict = match policy {
            Policy::ToHttps => to_https(subject)?,
            Policy::AddressFilter(filter) if filter.admits(client) => Verdict::Pass,
            Policy::AddressFilter(_) => return Err(Rejection::Address),
            Policy::Requests(limit) => {
                let taken = limit.take(subject.route, client, subject.state);
                taken.map_err(Rejection::RateLimit)?;
                Verdict::Pass
            }
            Policy::Errors(limit) => {
                let checked = limit.check(subject.route, client, subject.state);
                checked.map_err(Rejection::ErrorLimit)?;
                Verdict::Pass
            }
            Policy::Body(most) if limits::announces_at_most(*most, &subject.request.fields) => {
                Verdict::Pass
            }
            Policy::Body(_) => return Err(Rejection::BodyTooLarge),
        };
        if !matches!(verdict, Verdict::Pass) {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Pass)
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
