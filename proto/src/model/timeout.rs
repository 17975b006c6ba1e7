//! Time limits of a route.

use std::time::Duration;

/// What one scope says about time limits. `None`: says nothing. Zero asks for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// To connect to an endpoint.
    pub connect: Option<Duration>,
    /// From the request's end to the first byte of the response's head; nothing said: as `read`. See [`Timeouts::to_first_byte`].
    pub first_byte: Option<Duration>,
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
    /// What holds where nobody says anything (notes/security.md section 13): connect 2 s, read and write 60 s, no total, idle 30 s; the first
    /// byte as `read`, also where that is said.
    pub const DEFAULT: Self = Self {
        connect: Some(Duration::from_secs(2)),
        first_byte: None,
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
            first_byte: narrower.first_byte.or(self.first_byte),
            read: narrower.read.or(self.read),
            write: narrower.write.or(self.write),
            total: narrower.total.or(self.total),
            idle: narrower.idle.or(self.idle),
        }
    }

    /// The limit from the request's end to the first byte of the response's head: `read` holds where no scope says another.
    pub fn to_first_byte(&self) -> Option<Duration> {
        self.first_byte.or(self.read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn the_first_byte_may_take_as_long_as_a_read_unless_a_scope_says_otherwise() {
        assert_eq!(Timeouts::DEFAULT.to_first_byte(), seconds(60));
        let read = Timeouts {
            read: seconds(5),
            ..Timeouts::default()
        };
        let narrowed = Timeouts::DEFAULT.narrowed_by(&read);
        assert_eq!(narrowed.to_first_byte(), seconds(5));
        let first_byte = Timeouts {
            first_byte: seconds(90),
            ..Timeouts::default()
        };
        let both = Timeouts::DEFAULT
            .narrowed_by(&first_byte)
            .narrowed_by(&read);
        assert_eq!((both.to_first_byte(), both.read), (seconds(90), seconds(5)));
        let no_limit = Timeouts {
            first_byte: seconds(0),
            ..Timeouts::default()
        };
        assert_eq!(both.narrowed_by(&no_limit).to_first_byte(), seconds(0));
    }
}
