//! Observation of a decision while it is made, so that what `aralez-ctl explain` shows comes from the code that decides.

use aralez_proto::model::HostPattern;

use crate::policy::subject::Verdict;
use crate::rejection::Rejection;

/// Is told the steps of a decision. The methods do nothing by default, so that a proxy, which observes nothing, pays nothing.
pub trait Observer {
    /// The host that was found for the request.
    fn host(&mut self, _: &HostPattern) {}

    /// The verdict of the policy with this index in the list of the route. Called again for a policy that asked and got a reply.
    fn policy(&mut self, _: usize, _: &Result<Verdict, Rejection>) {}
}

/// Observes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
