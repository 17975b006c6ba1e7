//! What became of one request: the facts that are known at its end.
//!
//! An exchange fills them in while it runs. [`crate::core::traffic::Tally::finish`] counts them, once for each exchange; whatever else wants to
//! know of ended requests (a log, limits by status, ejection) takes the same value at the same place.

use std::time::Instant;

use aralez_proto::model::EndpointAddress;

use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::response::BadResponse;
use crate::core::request::rejection::Rejection;
use crate::core::traffic::Deadline;

/// The outcome of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How it ended.
    pub conclusion: Conclusion,
    /// The status of the final response, or of the switch of protocols; 0: the client got none.
    pub status: u16,
    /// Why it was not forwarded, or not to its end.
    pub reason: Option<Reason>,
    /// The deadline that ended it, or led to our answer.
    pub deadline: Option<Deadline>,
    /// The endpoint that was tried last.
    pub endpoint: Option<EndpointAddress>,
    /// The endpoints that were tried.
    pub tries: u32,
    /// Bytes of its body that came.
    pub received: u64,
    /// Bytes that were sent to the client, heads and framing included.
    pub sent: u64,
    /// When its head was there.
    pub started: Instant,
    /// When the head of an endpoint's response was on its way to the client.
    pub responded: Option<Instant>,
    /// When it ended.
    pub ended: Instant,
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conclusion {
    /// An endpoint's response is with the client.
    Relayed {
        /// All of the request was passed on.
        taken: bool,
    },
    /// Our own answer is with the client.
    Answered,
    /// The client did not take our answer.
    AnswerLost,
    /// The client went away before an endpoint's response was with it, or takes nothing.
    ClientGone,
    /// An endpoint's response broke off when the client had a part of it.
    Truncated,
    /// It became a tunnel, which ended.
    Tunnelled,
    /// It was cut off: by the end of the grace period, or a panic. Every request ends so that comes to no other end.
    Aborted,
}

/// Why a request was not forwarded, or not to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Its head could not be read; it is no request that methods and times are counted of.
    Unreadable(RequestRefusal),
    /// Its body was refused.
    Body(RequestRefusal),
    /// It was decided so.
    Rejected(Rejection),
    /// No endpoint took a connection.
    NotConnected,
    /// The endpoint was too slow.
    TooSlow,
    /// The endpoint closed its connection, which was idle for too long for it.
    IdleTimeout,
    /// The endpoint's response was not fit to go on.
    Bad(BadResponse),
}

impl Outcome {
    /// A request that began, as it would end now.
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

    /// Whether it did not end as HTTP intends, be it the endpoint's fault, the client's or ours.
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
