//! The decision about a request: find its route, apply its policies, take its action. A pure function of the table and a view of the
//! request.

use std::sync::Arc;

use aralez_proto::model::{Action, PoolName};

use crate::additions::Additions;
use crate::answer::Answer;
use crate::ask::{Ask, Pause, Reply};
use crate::authorization::without_token;
use crate::policy::{self, Evaluated, Subject};
use crate::rejection::Rejection;
use crate::route::{self, Destination, Routed};
use crate::state::State;
use crate::table::{CompiledRoute, RouteTable};
use crate::{Context, Fields, Request};

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
    Reject {
        /// The reason.
        rejection: Rejection,
        /// The route whose policy rejects the request, whose response edits apply, so that a client can read the answer where CORS requires
        /// fields. `None` if there was no route.
        route: Option<&'a Arc<CompiledRoute>>,
    },
    /// Get a reply to a question, then [`resume`].
    Ask {
        /// The question.
        ask: Ask,
        /// The place at which the decision waits.
        pause: Pause,
    },
}

/// A request to forward to an endpoint.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The route that matched.
    pub route: &'a Arc<CompiledRoute>,
    /// The name of the pool to choose an endpoint from.
    pub pool: &'a PoolName,
    /// The path and query to forward.
    pub path_and_query: ForwardedTarget,
}

/// Decides about a request. Takes no lock, and allocates only for generated responses and for a host or path that is not in normal form.
/// Fields that policies add to request and response are put into `additions`.
///
/// The route does not depend on endpoints: that a pool has none is found out by whoever chooses one.
pub fn decide<'a, F: Fields, S: State>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    state: &S,
    additions: &mut Additions,
) -> Decision<'a> {
    examine(table, context, request, state, (additions, None))
}

/// Resumes a decision with the reply to its question. Table and request must be those of the first part, and `additions` as it left them.
pub fn resume<'a, F: Fields, S: State>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    state: &S,
    (additions, pause, reply): (&mut Additions, Pause, Reply),
) -> Decision<'a> {
    examine(
        table,
        context,
        request,
        state,
        (additions, Some((pause, reply))),
    )
}

fn examine<'a, F: Fields, S: State>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    state: &S,
    (additions, resumed): (&mut Additions, Option<(Pause, Reply)>),
) -> Decision<'a> {
    let routed = match route::find(table, context, request) {
        Ok(Destination::Route(routed)) => routed,
        Ok(Destination::Proxy) => {
            return Decision::Answer {
                answer: Answer::of(204),
                route: None,
            };
        }
        Err(rejection) => {
            return Decision::Reject {
                rejection,
                route: None,
            };
        }
    };
    let policies = &routed.route.rules.policies;
    if policies.is_empty() {
        return act(request.target, &routed);
    }
    let mut subject = Subject {
        context,
        request,
        host: routed.host.as_deref(),
        target: &routed.target,
        state,
        additions,
    };
    let route = Some(routed.route);
    match policy::evaluate(policies, resumed, &mut subject) {
        Ok(Evaluated::Passed) => act(request.target, &routed),
        Ok(Evaluated::Answered(answer)) => Decision::Answer { answer, route },
        Ok(Evaluated::Asks(ask, pause)) => Decision::Ask { ask, pause },
        Err(rejection) => Decision::Reject { rejection, route },
    }
}

/// Returns the decision for the action of a route.
fn act<'a>(target: &str, routed: &Routed<'a>) -> Decision<'a> {
    let route = routed.route;
    match &route.action {
        Action::Redirect(redirect) => {
            let path_and_query = without_token(routed.target.path_and_query());
            let location = format!("{}{path_and_query}", redirect.to);
            Decision::Answer {
                answer: Answer::redirect(redirect.status, &location),
                route: Some(route),
            }
        }
        Action::Pool(pool) => Decision::Forward(Forward {
            route,
            pool,
            path_and_query: ForwardedTarget::new(
                target,
                without_token(routed.target.path_and_query()),
            ),
        }),
    }
}
