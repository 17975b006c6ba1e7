//! The reasons why a readable request is not served.

use aralez_proto::matcher::{InvalidHost, InvalidPath};

use crate::answer::Answer;
use crate::limits::Excess;

/// The reason why a readable request is not served, which determines the status. The texts contain nothing of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejection {
    /// The request names no host, and there is no catch-all host, or `to_https` needs the name.
    #[error("the host is missing")]
    MissingHost,
    /// `Host` is malformed.
    #[error("the host is malformed: {0}")]
    InvalidHost(InvalidHost),
    /// The target is not a path, or a path that readers could interpret differently.
    #[error("the target {0}")]
    InvalidTarget(InvalidPath),
    /// An absolute target names another host or port than `Host`.
    #[error("the target and the host field name different hosts")]
    OtherAuthority,
    /// `CONNECT`: this is not a forward proxy.
    #[error("CONNECT is not supported")]
    Connect,
    /// The request passed this node before: the routes form a loop (RFC 8586, RFC 5842 section 7.2).
    #[error("the request already passed through this node")]
    Loop,
    /// `allow` or `deny` of the route refuses the client's address.
    #[error("the client's address is not allowed")]
    Address,
    /// The client sent more requests than `rate_limit` of the route admits.
    #[error("too many requests")]
    RateLimit(Excess),
    /// The client was sent more responses with a status of 400 to 499 than `x4xx_limit` of the route admits.
    #[error("too many requests that failed")]
    ErrorLimit(Excess),
    /// The body is larger than `max_body` of the route.
    #[error("the body is too large")]
    BodyTooLarge,
    /// `authorization` of the route: the request proves nothing, or something wrong. The challenge is among the additions.
    #[error("{0}")]
    Unauthorized(CredentialProblem),
    /// `auth_failures`: the client's address failed too often. The time to wait is among the additions.
    #[error("the client's address failed to authorize too often")]
    Blocked,
    /// The server of `authorization: forward` does not pass the request. The client gets its response.
    #[error("the authorization server does not pass the request")]
    Denied,
    /// A question of a policy has no reply: too many are open, or the authorization server is down, slow or unintelligible.
    #[error("no reply to a question of a policy")]
    Unavailable,
    /// No host or no path matches.
    #[error("no route")]
    NoRoute {
        /// `compat: aralez-0.9`
        compat: bool,
    },
    /// The route's pool has no endpoint that accepts requests.
    #[error("no endpoint")]
    NoEndpoint {
        /// `compat: aralez-0.9`
        compat: bool,
    },
    /// No table was ever loaded; the response has `Retry-After`. Set by the exchange, which sees the origin of the live
    /// table, not by the decision.
    #[error("no configuration yet")]
    NotLoaded,
}

/// The reason why a request is not authorized.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CredentialProblem {
    /// It has no credentials of the method that the route expects.
    #[error("the request has no credentials")]
    Missing,
    /// The credentials are wrong.
    #[error("the credentials are wrong")]
    Wrong,
    /// The credentials are genuine, but not for this time or this service.
    #[error("the credentials are expired, not valid yet, or for someone else")]
    Stale,
}

impl Rejection {
    /// The names of all rejections: the labels of the metric.
    pub const NAMES: [&'static str; 17] = [
        "missing_host",
        "invalid_host",
        "invalid_target",
        "other_authority",
        "connect_method",
        "no_route",
        "no_endpoint",
        "not_loaded",
        "loop",
        "address",
        "rate_limit",
        "x4xx_limit",
        "body_too_large",
        "unauthorized",
        "blocked",
        "unavailable",
        "denied",
    ];

    /// Returns the response.
    pub fn answer(self) -> Answer {
        match self {
            Self::RateLimit(excess) | Self::ErrorLimit(excess) => excess.answer(self.name()),
            _ => Answer::of(self.status()),
        }
    }

    /// Reports whether a limit of requests or of failed requests was exceeded. Such responses are no failures of the client: counting them
    /// would keep a client out that only repeats itself.
    pub const fn is_excess(self) -> bool {
        matches!(self, Self::RateLimit(_) | Self::ErrorLimit(_))
    }

    /// Returns the status of the response.
    pub const fn status(self) -> u16 {
        match self {
            Self::MissingHost
            | Self::InvalidHost(_)
            | Self::InvalidTarget(_)
            | Self::OtherAuthority => 400,
            // RFC 9110 section 15.5.2: a request that lacks valid credentials is answered with 401.
            Self::Unauthorized(_) => 401,
            Self::Address | Self::Denied => 403,
            Self::Connect => 405,
            // RFC 9110 section 15.5.14: a body that is larger than the server is willing to process is answered with 413.
            Self::BodyTooLarge => 413,
            Self::NoRoute { compat: true } | Self::NoEndpoint { compat: true } => 502,
            Self::NoRoute { compat: false } => 404,
            // RFC 6585 section 4: a client that sent too much in a time is answered with 429.
            Self::RateLimit(_) | Self::ErrorLimit(_) | Self::Blocked => 429,
            Self::NoEndpoint { compat: false } | Self::NotLoaded | Self::Unavailable => 503,
            Self::Loop => 508,
        }
    }

    /// Returns the label in metrics.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.place()]
    }

    /// Returns the index of its name in [`Rejection::NAMES`].
    pub const fn place(self) -> usize {
        match self {
            Self::MissingHost => 0,
            Self::InvalidHost(_) => 1,
            Self::InvalidTarget(_) => 2,
            Self::OtherAuthority => 3,
            Self::Connect => 4,
            Self::NoRoute { .. } => 5,
            Self::NoEndpoint { .. } => 6,
            Self::NotLoaded => 7,
            Self::Loop => 8,
            Self::Address => 9,
            Self::RateLimit(_) => 10,
            Self::ErrorLimit(_) => 11,
            Self::BodyTooLarge => 12,
            Self::Unauthorized(_) => 13,
            Self::Blocked => 14,
            Self::Unavailable => 15,
            Self::Denied => 16,
        }
    }
}
