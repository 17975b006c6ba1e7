//! What a policy gets, and what it returns.

use aralez_proto::matcher::Target;

use crate::additions::Additions;
use crate::answer::Answer;
use crate::ask::Ask;
use crate::limits::LimitedRoute;
use crate::{Context, Request};

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

/// The verdict of a policy on a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Continue with the next policy, or with the action of the route.
    Pass,
    /// Answer the request.
    Answer(Answer),
    /// Get a reply to a question, then continue with the policy that asked.
    Ask(Ask),
}
