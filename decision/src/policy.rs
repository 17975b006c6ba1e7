//! The policies that a route applies to a request before its action: an ordered, closed list, compiled with the route's rules.
//!
//! A policy is a pure function of the request and its context, so that the same request can be decided elsewhere without side effects. It
//! passes the request or answers it; fields that it adds to the request or the response go into [`crate::additions::Additions`]. State that
//! a policy would change (a limiter's count) will be returned as a value, which the exchange applies. A route without policies costs one
//! length check.
//!
//! The order is fixed in [`Policy::of`]: `to_https`, then allow and deny, then authorization. Limits will precede authorization.
//!
//! A policy that depends on an external result (a password hash) returns a third [`Verdict`] with its question. The head of the request stays
//! in its buffer, so the exchange awaits the reply and resumes the list at that policy.

use aralez_proto::matcher::Scheme;
use aralez_proto::model::RedirectStatus;
use aralez_proto::rules::Rules;

use crate::Fields;
use crate::address_filter::AddressFilter;
use crate::answer::Answer;
use crate::ask::{Ask, Pause, Reply};
use crate::authorization::CompiledAuthorization;
use crate::rejection::Rejection;
use crate::state::State;

pub mod subject;

pub use subject::{Subject, Verdict};

/// One policy of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Policy {
    /// `to_https: true`: redirects plaintext requests to HTTPS.
    ToHttps,
    /// `allow` and `deny`: refuses clients by their address.
    AddressFilter(AddressFilter),
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
    /// Returns the policies that the rules enable, in the order of evaluation.
    pub fn of(rules: &Rules) -> Box<[Self]> {
        let to_https = rules.to_https.is_on().then_some(Self::ToHttps);
        let filter = AddressFilter::of(rules).map(Self::AddressFilter);
        let authorization = CompiledAuthorization::of(rules).map(Self::Authorization);
        let first = to_https.into_iter().chain(filter);
        first.chain(authorization).collect()
    }
}

/// Evaluates the policies of a route in order, until one answers or asks. `resumed` is the place at which an earlier evaluation paused, with
/// the reply: policies before it are not evaluated again.
///
/// # Errors
/// [`Rejection`] if a policy refuses the request, or cannot be applied to it.
pub fn evaluate<F: Fields, S: State>(
    policies: &[Policy],
    resumed: Option<(Pause, Reply)>,
    subject: &mut Subject<'_, F, S>,
) -> Result<Evaluated, Rejection> {
    let start = resumed.map_or(0, |(pause, _)| pause.policy);
    let mut reply = resumed.map(|(_, reply)| reply);
    for (index, policy) in policies.iter().enumerate().skip(start) {
        match ask(policy, reply.take(), subject)? {
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
mod tests {
    use aralez_proto::matcher::Target;
    use aralez_proto::rules::ToHttps;

    use super::*;
    use crate::additions::Additions;
    use crate::pseudonym::Pseudonym;
    use crate::{Context, Pairs, Request};

    fn asked(
        policies: &[Policy],
        scheme: Scheme,
        host: Option<&str>,
    ) -> Result<Evaluated, Rejection> {
        let context = Context {
            node: &Pseudonym::new([0; 8]),
            tls_port: None,
        };
        let request = Request {
            method: "GET",
            scheme,
            host,
            target: "/x",
            client: [192, 0, 2, 1].into(),
            fields: Pairs::default(),
        };
        let mut subject = Subject {
            context: &context,
            request: &request,
            host,
            target: &Target::parse("/x").unwrap(),
            state: &crate::state::Unused,
            additions: &mut Additions::default(),
        };
        evaluate(policies, None, &mut subject)
    }

    #[test]
    fn rules_that_ask_for_nothing_have_no_policies() {
        assert!(Policy::of(&Rules::default()).is_empty());
        let on = Rules {
            to_https: ToHttps(Some(true)),
            ..Rules::default()
        };
        assert_eq!(*Policy::of(&on), [Policy::ToHttps]);
    }

    #[test]
    fn a_policy_lets_pass_answers_or_cannot_be_applied() {
        let host = Some("a.example");
        let passes = |found| matches!(found, Ok(Evaluated::Passed));
        assert!(passes(asked(&[], Scheme::Http, host)));
        assert!(passes(asked(&[Policy::ToHttps], Scheme::Https, host)));
        let Ok(Evaluated::Answered(answer)) = asked(&[Policy::ToHttps], Scheme::Http, host) else {
            panic!("is not answered");
        };
        assert_eq!(answer.status, 301);
        assert_eq!(answer.fields.lines(), b"location: https://a.example/x\r\n");
        let rejected = asked(&[Policy::ToHttps], Scheme::Http, None).unwrap_err();
        assert_eq!(rejected, Rejection::MissingHost);
    }
}
