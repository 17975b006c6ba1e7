//! The decision about a request: find its route, apply its policies, take its action. A pure function of the table and a view of the
//! request.

use std::net::IpAddr;
use std::sync::Arc;

use aralez_proto::model::{Action, Files, PoolName, Split};

use crate::additions::Additions;
use crate::answer::Answer;
use crate::ask::{Ask, Pause, Reply};
use crate::authorization::without_token;
use crate::file_name::FileName;
use crate::observe::{Observer, Unobserved};
use crate::policy::{self, Evaluated, Subject};
use crate::rejection::Rejection;
use crate::route::{self, Destination, Routed};
use crate::state::{LimitKey, State};
use crate::table::{CompiledRoute, RouteTable};
use crate::templates::Facts;
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
    /// Answer it with a file.
    Serve(Serve<'a>),
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

impl Decision<'_> {
    /// Returns where a response with a status of 400 to 499 counts for the client. `None` if the route does not limit them.
    pub fn error_key(&self, client: IpAddr) -> Option<LimitKey> {
        let route = match self {
            Self::Forward(forward) => Some(forward.route),
            Self::Serve(serve) => Some(serve.route),
            Self::Answer { route, .. } | Self::Reject { route, .. } => *route,
            Self::Ask { .. } => None,
        };
        route?.error_key(client)
    }
}

/// A request to forward to an endpoint.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The route that matched.
    pub route: &'a Arc<CompiledRoute>,
    /// The pool to choose an endpoint from.
    pub pool: PoolChoice<'a>,
    /// The path and query to forward.
    pub path_and_query: ForwardedTarget,
}

/// A request for a file.
#[derive(Debug)]
pub struct Serve<'a> {
    /// The route that matched.
    pub route: &'a Arc<CompiledRoute>,
    /// The folder, and how it is served.
    pub files: &'a Files,
    /// The file to look for in the folder.
    pub name: FileName,
    /// The path and query as the client knows them, for a redirect.
    pub path_and_query: ForwardedTarget,
}

/// The pool that serves a request: whoever forwards it takes a turn of a split.
#[derive(Clone, Copy, Debug)]
pub enum PoolChoice<'a> {
    /// This one.
    Only(&'a PoolName),
    /// One of several, in proportion to their weights.
    OneOf(&'a Split),
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
    let progress = (additions, None);
    observed(table, context, request, state, progress, &mut Unobserved)
}

/// Resumes a decision with the reply to its question. Table and request must be those of the first part, and `additions` as it left them.
pub fn resume<'a, F: Fields, S: State>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    state: &S,
    (additions, pause, reply): (&mut Additions, Pause, Reply),
) -> Decision<'a> {
    let progress = (additions, Some((pause, reply)));
    observed(table, context, request, state, progress, &mut Unobserved)
}

/// Makes or resumes a decision, as [`decide`] and [`resume`] do, and tells an observer its steps. `progress` is the place for additions, and
/// what the decision resumes with, if it waited for a reply.
pub fn observed<'a, F: Fields, S: State, O: Observer>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    state: &S,
    progress: (&mut Additions, Option<(Pause, Reply)>),
    observer: &mut O,
) -> Decision<'a> {
    let routed = match route::find(table, context, request, observer) {
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
    let route = Some(routed.route);
    examine(context, request, &routed, state, progress, observer)
        .unwrap_or_else(|rejection| Decision::Reject { rejection, route })
}

/// Applies the policies of the route, then takes its action.
fn examine<'a, F: Fields, S: State, O: Observer>(
    context: &Context<'_>,
    request: &Request<'a, F>,
    routed: &Routed<'a>,
    state: &S,
    (additions, resumed): (&mut Additions, Option<(Pause, Reply)>),
    observer: &mut O,
) -> Result<Decision<'a>, Rejection> {
    let policies = &routed.route.rules.policies;
    let mut evaluated = Ok(Evaluated::Passed);
    if !policies.is_empty() {
        let mut subject = Subject {
            context,
            request,
            host: routed.host.as_deref(),
            target: &routed.target,
            route: routed.route.limited(),
            state,
            additions,
        };
        evaluated = policy::evaluate(policies, resumed, &mut subject, observer);
    }
    if let Ok(Evaluated::Asks(ask, pause)) = evaluated {
        return Ok(Decision::Ask { ask, pause });
    }
    fill(context, request, routed, additions);
    match evaluated? {
        Evaluated::Answered(answer) => Ok(Decision::Answer {
            answer,
            route: Some(routed.route),
        }),
        _ => act((request.method, request.target), routed),
    }
}

/// Adds the fields of the route whose values have placeholders: after the policies, which verify what they show.
fn fill<F: Fields>(
    context: &Context<'_>,
    request: &Request<'_, F>,
    routed: &Routed<'_>,
    additions: &mut Additions,
) {
    let rules = &routed.route.rules;
    let edits = [&rules.request_edits, &rules.response_edits];
    if edits.iter().all(|edits| edits.templates().is_empty()) {
        return;
    }
    let Additions {
        request: to_endpoint,
        response: to_client,
        claims,
    } = additions;
    let facts = Facts {
        context,
        request,
        host: routed.host.as_deref(),
        claims,
    };
    facts.fill(&rules.request_edits, to_endpoint);
    facts.fill(&rules.response_edits, to_client);
}

/// Returns the decision for the action of a route.
fn act<'a>((method, target): (&str, &str), routed: &Routed<'a>) -> Result<Decision<'a>, Rejection> {
    let route = routed.route;
    let without_token = |path_and_query| without_token(path_and_query, routed.target.query());
    let forward = |pool| {
        let path_and_query = match &route.rules.path_edit {
            // RFC 9112 section 3.2.4: OPTIONS of an absolute target without path and query goes to the endpoint as `*`.
            None if method == "OPTIONS" && target::is_bare(target) => "*".into(),
            None => routed.target.path_and_query(),
            Some(edit) => edit
                .apply(&routed.target)
                .map_err(Rejection::InvalidTarget)?,
        };
        Ok(Decision::Forward(Forward {
            route,
            pool,
            path_and_query: ForwardedTarget::new(target, without_token(path_and_query)),
        }))
    };
    let answer = match &route.action {
        Action::Redirect(redirect) => {
            let path_and_query = without_token(routed.target.path_and_query());
            let location = format!("{}{path_and_query}", redirect.to);
            Answer::redirect(redirect.status, &location)
        }
        Action::Respond(respond) => Answer::fixed(respond),
        Action::Files(files) => match file_of(method, routed)? {
            Ok(name) => {
                let path_and_query = without_token(routed.target.path_and_query());
                return Ok(Decision::Serve(Serve {
                    route,
                    files,
                    name,
                    path_and_query: ForwardedTarget::new(target, path_and_query),
                }));
            }
            Err(answer) => answer,
        },
        Action::Pool(pool) => return forward(PoolChoice::Only(pool)),
        Action::Split(split) => return forward(PoolChoice::OneOf(split)),
    };
    Ok(Decision::Answer {
        answer,
        route: Some(route),
    })
}

/// Returns the file that a request asks for, or the answer to one that cannot ask for any.
fn file_of(method: &str, routed: &Routed<'_>) -> Result<Result<FileName, Answer>, Rejection> {
    // RFC 9110 section 9.1: a server supports GET and HEAD, and a method that its target does not have is answered with 405.
    if !matches!(method, "GET" | "HEAD") {
        return Ok(Err(Answer::only("GET, HEAD")));
    }
    let path = routed.target.path();
    let rest = path
        .without(&routed.route.path)
        .map_err(Rejection::InvalidTarget)?;
    let folder = path.forwarded().ends_with('/');
    Ok(FileName::of(rest, folder).ok_or_else(|| Answer::of(404)))
}
