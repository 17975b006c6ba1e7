//! Questions that a decision has to a world outside of it. Whoever decides gets them answered and resumes the decision with the reply.

use crate::authorization::password::PasswordCheck;
use crate::authorization::server::{CopiedFields, ServerQuestion};

/// A question of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Whether a password is the right one: a computation that takes too long for a thread that serves requests.
    Password(PasswordCheck),
    /// Whether a server passes the request.
    Server(ServerQuestion),
}

/// The reply to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Whether the password is the right one.
    Password(bool),
    /// The server passes the request, with these fields.
    Allowed(CopiedFields),
    /// The server does not pass the request: its response is for the client.
    Denied,
    /// There is no reply: too many questions are open, or the server is down, slow or unintelligible.
    Unavailable,
}

/// The place in a decision at which it waits for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pause {
    /// The index of the policy that asked.
    pub(crate) policy: usize,
}
