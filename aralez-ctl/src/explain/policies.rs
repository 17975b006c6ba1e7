//! The policies of a route, each with its settings, where they were written, and its verdict on the request.

use aralez_decision::policy::{Policy, Verdict};
use aralez_decision::{Fields, Request};
use serde::Serialize;

use super::tracing::Steps;
use crate::configuration::{Scopes, Setting};

/// A policy with its verdict.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct PolicyVerdict {
    /// Its name.
    pub(super) policy: &'static str,
    /// The rules that it obeys.
    pub(super) settings: Vec<Setting>,
    /// `pass`, `answer`, `refuse`, or `not reached`.
    pub(super) verdict: &'static str,
    /// The status of its answer.
    pub(super) status: Option<u16>,
    /// The fact that decided; empty if the policy was not reached.
    pub(super) reason: String,
}

/// Returns the policies of a route in their order.
pub(super) fn verdicts<F: Fields>(
    policies: &[Policy],
    steps: &Steps,
    request: &Request<'_, F>,
    scopes: &Scopes<'_>,
) -> Vec<PolicyVerdict> {
    let verdict = |(index, policy): (usize, &Policy)| {
        let applied = steps.verdicts.get(index);
        let (verdict, status) = match applied {
            None => ("not reached", None),
            Some(Ok(Verdict::Answer(answer))) => ("answer", Some(answer.status)),
            Some(Ok(_)) => ("pass", None),
            Some(Err(rejection)) => ("refuse", Some(rejection.status())),
        };
        let settings = policy.settings().into_iter();
        PolicyVerdict {
            policy: policy.name(),
            settings: settings
                .map(|(key, value)| scopes.setting(key, value))
                .collect(),
            verdict,
            status,
            reason: applied
                .map(|applied| policy.reason(request, applied))
                .unwrap_or_default(),
        }
    };
    policies.iter().enumerate().map(verdict).collect()
}

/// Returns what the verdicts depend on besides the request, and was assumed.
pub(super) fn assumed(
    policies: &[Policy],
    steps: &Steps,
    tls_port: Option<u16>,
) -> Vec<&'static str> {
    let applied = policies.iter().zip(&steps.verdicts);
    let mut assumed: Vec<_> = applied
        .filter_map(|(policy, verdict)| policy.assumed(verdict, tls_port))
        .collect();
    assumed.dedup();
    assumed
}
