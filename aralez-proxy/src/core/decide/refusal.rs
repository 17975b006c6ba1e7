//! Why a request is refused.

use aralez_proto::matcher::{InvalidHost, InvalidPath};

/// Why a request is refused, and with that its status. The texts hold nothing of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No `Host`, or an empty one.
    #[error("the host is missing")]
    MissingHost,
    /// `Host` is not a host.
    #[error("the host is malformed: {0}")]
    InvalidHost(InvalidHost),
    /// The target is not a path, or a path that readers could differ on.
    #[error("the target {0}")]
    InvalidTarget(InvalidPath),
    /// An absolute target names another host than `Host`.
    #[error("the target and the host field name different hosts")]
    OtherAuthority,
    /// `CONNECT`: this is no forward proxy.
    #[error("connect is not served")]
    Connect,
    /// No host or no path takes it.
    #[error("no route")]
    NoRoute {
        /// `compat: aralez-0.9`
        compat: bool,
    },
    /// The route's pool has no endpoint that takes requests.
    #[error("no endpoint")]
    NoEndpoint {
        /// `compat: aralez-0.9`
        compat: bool,
    },
    /// Nothing was ever loaded; answer with `Retry-After`. Whoever loads the live table says so, by its origin.
    #[error("no configuration yet")]
    NotLoaded,
}

impl Refusal {
    /// The status to answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::MissingHost
            | Self::InvalidHost(_)
            | Self::InvalidTarget(_)
            | Self::OtherAuthority => 400,
            Self::Connect => 405,
            Self::NoRoute { compat: true } | Self::NoEndpoint { compat: true } => 502,
            Self::NoRoute { compat: false } => 404,
            Self::NoEndpoint { compat: false } | Self::NotLoaded => 503,
        }
    }

    /// The short body to answer.
    pub const fn body(self) -> &'static str {
        match self.status() {
            400 => "400 Bad Request\n",
            404 => "404 Not Found\n",
            405 => "405 Method Not Allowed\n",
            502 => "502 Bad Gateway\n",
            _ => "503 Service Unavailable\n",
        }
    }

    /// A short name for metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingHost => "missing_host",
            Self::InvalidHost(_) => "invalid_host",
            Self::InvalidTarget(_) => "invalid_target",
            Self::OtherAuthority => "other_authority",
            Self::Connect => "connect",
            Self::NoRoute { .. } => "no_route",
            Self::NoEndpoint { .. } => "no_endpoint",
            Self::NotLoaded => "not_loaded",
        }
    }
}
