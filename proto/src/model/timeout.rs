//! Time limits of a route.

use std::time::Duration;

/// What one scope says about time limits. `None`: says nothing. Zero asks for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// To connect to an endpoint.
    pub connect: Option<Duration>,
    /// Between two reads from the endpoint.
    pub read: Option<Duration>,
    /// Between two writes, on either side.
    pub write: Option<Duration>,
    /// For the whole exchange.
    pub total: Option<Duration>,
    /// How long an idle connection to the endpoint is kept.
    pub idle: Option<Duration>,
}

impl Timeouts {
    /// What holds where nobody says anything (notes/security.md section 13): connect 2 s, read and write 60 s, no total, idle 30 s.
    pub const DEFAULT: Self = Self {
        connect: Some(Duration::from_secs(2)),
        read: Some(Duration::from_secs(60)),
        write: Some(Duration::from_secs(60)),
        total: None,
        idle: Some(Duration::from_secs(30)),
    };

    /// The limits of a wider scope with those of a narrower one: the narrower wins, limit by limit.
    #[must_use]
    pub fn narrowed_by(&self, narrower: &Self) -> Self {
        Self {
            connect: narrower.connect.or(self.connect),
            read: narrower.read.or(self.read),
            write: narrower.write.or(self.write),
            total: narrower.total.or(self.total),
            idle: narrower.idle.or(self.idle),
        }
    }
}
