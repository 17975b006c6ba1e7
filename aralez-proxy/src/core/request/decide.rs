//! What is done with a request: its route is found, its policies are asked, its action is taken. One pure function of the table and a view of
//! the request.

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

/// What is done with a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// Send it to an endpoint of the pool.
    Forward(Forward<'a>),
    /// Answer it.
    Answer {
        /// The answer.
        answer: Answer,
        /// The route that says so, whose response edits hold; `None`: the proxy itself was asked.
        route: Option<&'a Arc<CompiledRoute>>,
    },
    /// Answer with an error.
    Reject(Rejection),
}

/// A request on its way to an endpoint.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The route.
    pub route: &'a Arc<CompiledRoute>,
    /// The pool to choose from; it has at least one endpoint that takes requests.
    pub pool: &'a Arc<CompiledPool>,
    /// The path and the query as they are forwarded.
    pub path_and_query: ForwardedTarget,
}

/// Decides about a request. Takes no lock, and allocates only for a host or path that is not normal, and for answers. What policies add to
/// request and response is put into `additions`.
///
/// The route is found first and stays: a pool without endpoints is a 503 of that route, and never the route of a shorter path, whose
/// rules may be laxer.
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

/// Takes the action of a route.
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
