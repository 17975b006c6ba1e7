//! The decision about a request: find its route, apply its policies, take its action. A pure function of the table and a view of the
//! request.

use std::sync::Arc;

use aralez_proto::model::Action;

use crate::core::request::additions::Additions;
use crate::core::request::answer::Answer;
use crate::core::request::balance::CompiledPool;
use crate::core::request::policy::{self, Subject, Verdict};
use crate::core::request::rejection::Rejection;
use crate::core::request::route::{self, Destination, Routed};
use crate::core::request::table::{CompiledRoute, Table};
use crate::core::request::{Context, Fields, Request};

mod target;
#[cfg(test)]
mod tests;

pub use target::ForwardedTarget;

/// The decision about a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// Send it to an endpoint of the pool.
    Forward(Forward<'a>),
    /// Answer it with a response of the proxy.
    Answer {
        /// The response.
        answer: Answer,
        /// The route that answers, whose response edits apply; `None` if the request was for the proxy itself.
        route: Option<&'a Arc<CompiledRoute>>,
    },
    /// Answer with the error of a rejection.
    Reject(Rejection),
}

/// A request to forward to an endpoint.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The route that matched.
    pub route: &'a Arc<CompiledRoute>,
    /// The pool to choose from; it has at least one endpoint that accepts requests.
    pub pool: &'a Arc<CompiledPool>,
    /// The path and query to forward.
    pub path_and_query: ForwardedTarget,
}

/// Decides about a request. Takes no lock, and allocates only for generated responses and for a host or path that is not in normal form.
/// Fields that policies add to request and response are put into `additions`.
///
/// The route does not depend on its endpoints: a pool without endpoints yields a 503 of that route. It never falls back to the route of a
/// shorter path, whose rules may be laxer.
pub fn decide<'a, F: Fields>(
    table: &'a Table,
    context: &Context<'_>,
    request: &Request<'a, F>,
    additions: &mut Additions,
) -> Decision<'a> {
    match examine(table, context, request, additions) {
        Ok(decision) => decision,
        Err(rejection) => Decision::Reject(rejection),
    }
}

fn examine<'a, F: Fields>(
    table: &'a Table,
    context: &Context<'_>,
    request: &Request<'a, F>,
    additions: &mut Additions,
) -> Result<Decision<'a>, Rejection> {
    let routed = match route::find(table, context, request)? {
        Destination::Route(routed) => routed,
        Destination::Proxy => {
            return Ok(Decision::Answer {
                answer: Answer::of(204),
                route: None,
            });
        }
    };
    let policies = &routed.route.rules.policies;
    if policies.is_empty() {
        return act(table, request.target, &routed);
    }
    let mut subject = Subject {
        context,
        request,
        host: routed.host.as_deref(),
        target: &routed.target,
        additions,
    };
    match policy::ask(policies, &mut subject)? {
        Verdict::Pass => act(table, request.target, &routed),
        Verdict::Answer(answer) => Ok(Decision::Answer {
            answer,
            route: Some(routed.route),
        }),
    }
}

/// Returns the decision for the action of a route.
fn act<'a>(table: &'a Table, target: &str, routed: &Routed<'a>) -> Result<Decision<'a>, Rejection> {
    let route = routed.route;
    match &route.action {
        Action::Redirect(redirect) => {
            let path_and_query = routed.target.path_and_query();
            let location = format!("{}{path_and_query}", redirect.to);
            Ok(Decision::Answer {
                answer: Answer::redirect(redirect.status, &location),
                route: Some(route),
            })
        }
        Action::Pool(name) => {
            let pool = table.pool(name).filter(|pool| !pool.is_empty());
            let compat = table.compat_0_9();
            Ok(Decision::Forward(Forward {
                route,
                pool: pool.ok_or(Rejection::NoEndpoint { compat })?,
                path_and_query: ForwardedTarget::new(target, routed.target.path_and_query()),
            }))
        }
    }
}
