//! The outcome of one request: the facts known when it is over.
//!
//! An exchange fills them in while it runs. [`crate::core::traffic::Tally::finish`] counts them once per exchange. Any further consumer of
//! finished requests (a log, limits by status, ejection) takes the same value at the same place.

use std::time::Instant;

use aralez_proto::model::EndpointAddress;

use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::response::BadResponse;
use crate::core::traffic::Deadline;
use aralez_decision::rejection::Rejection;

/// The outcome of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The conclusion of the request.
    pub conclusion: Conclusion,
    /// The status of the final response or of the protocol switch; 0 if the client got none.
    pub status: u16,
    /// The reason why it was not forwarded, or not completely.
    pub reason: Option<Reason>,
    /// The deadline that aborted it or led to a response of the proxy.
    pub deadline: Option<Deadline>,
    /// The endpoint that was tried last.
    pub endpoint: Option<EndpointAddress>,
    /// Number of endpoints that were tried.
    pub tries: u32,
    /// Bytes of its body that were received.
    pub received: u64,
    /// Bytes sent to the client, including heads and framing.
    pub sent: u64,
    /// The time at which its head was complete.
    pub started: Instant,
    /// The time at which the head of an endpoint's final response was staged for the client; `None` if there was none.
    pub responded: Option<Instant>,
    /// The time at which it ended.
    pub ended: Instant,
}

/// The conclusion of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conclusion {
    /// An endpoint's response was written to the client.
    Relayed {
        /// Set if the whole request was forwarded.
        taken: bool,
    },
    /// A response of the proxy was written to the client.
    Answered,
    /// The client did not accept the proxy's response.
    AnswerLost,
    /// The client closed its connection, or accepted no bytes, before an endpoint's response was written to it.
    ClientGone,
    /// A response broke off after the client had received a part of it.
    Truncated,
    /// The request became a tunnel, which has closed.
    Tunnelled,
    /// The request was aborted by the end of the grace period or by a panic. This is the conclusion unless another one is set.
    Aborted,
}

/// The reason why a request was not forwarded, or not completely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Its head could not be read; it is not counted by method or duration.
    Unreadable(RequestRefusal),
    /// Its body was refused.
    Body(RequestRefusal),
    /// The decision rejected it.
    Rejected(Rejection),
    /// No endpoint accepted a connection.
    NotConnected,
    /// The endpoint was too slow.
    TooSlow,
    /// The endpoint closed a kept connection with a 408, because it had been idle for too long.
    IdleTimeout,
    /// The endpoint's response could not be forwarded.
    Bad(BadResponse),
}

impl Outcome {
    /// Returns the outcome of a request that has just begun and would be aborted now.
    pub const fn begun(started: Instant) -> Self {
        Self {
            conclusion: Conclusion::Aborted,
            status: 0,
            reason: None,
            deadline: None,
            endpoint: None,
            tries: 0,
            received: 0,
            sent: 0,
            started,
            responded: None,
            ended: started,
        }
    }

    /// Reports whether the client got a response with a status of 400 to 499, other than one that says that it exceeded a limit.
    pub const fn is_client_error(&self) -> bool {
        let excess = matches!(self.reason, Some(Reason::Rejected(why)) if why.is_excess());
        matches!(self.status, 400..=499) && !excess
    }

    /// Reports whether the request ended in an error, whether by the endpoint, the client or the proxy.
    pub const fn is_error(&self) -> bool {
        let failed = matches!(
            self.reason,
            Some(Reason::NotConnected | Reason::TooSlow | Reason::IdleTimeout | Reason::Bad(_))
        );
        failed
            || matches!(
                self.conclusion,
                Conclusion::ClientGone | Conclusion::Truncated | Conclusion::Aborted
            )
    }
}
