//! `timeouts`: time limits of a route.

use std::time::Duration;

use crate::reading::{KeySet, Spanned, WrittenDuration, keys};
use crate::rules::Rule;
use crate::wire::resource as wire;

/// Feature of `timeouts.first_byte`. A proxy without it waits for a response as long as `read` allows, which may be forever.
const FIRST_BYTE: u32 = 2;

keys! {
    /// Time limits; 0 disables a limit.
    TimeoutKeys "in timeouts";
    /// To connect to an endpoint.
    connect => WrittenDuration = "2s",
    /// From the end of the request to the first byte of the response head. Default: same as `read`.
    first_byte => WrittenDuration,
    /// Between two reads from the endpoint.
    read => WrittenDuration = "60s",
    /// Between two writes.
    write => WrittenDuration = "60s",
    /// For the whole exchange. Default: none.
    total => WrittenDuration,
    /// Maximum idle time of a connection to an endpoint.
    idle => WrittenDuration = "30s",
}

/// The time limits of one scope. `None`: not set in this scope. Zero: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// To connect to an endpoint.
    pub connect: Option<Duration>,
    /// From the end of the request to the first byte of the response head. If unset, `read` applies. See [`Timeouts::to_first_byte`].
    pub first_byte: Option<Duration>,
    /// Between two reads from the endpoint.
    pub read: Option<Duration>,
    /// Between two writes, on either side.
    pub write: Option<Duration>,
    /// For the whole exchange.
    pub total: Option<Duration>,
    /// Maximum idle time of a connection to an endpoint.
    pub idle: Option<Duration>,
}

impl Timeouts {
    /// Returns the limits that apply if no scope sets any. `first_byte` stays unset and follows `read`, also if a scope sets `read`.
    pub fn defaults() -> Self {
        Self::lower(TimeoutKeys::default().or_defaults())
    }

    /// Returns the limit from the end of the request to the first byte of the response head: `first_byte`, or `read` if no scope sets it.
    pub fn to_first_byte(&self) -> Option<Duration> {
        self.first_byte.or(self.read)
    }
}

impl Rule for Timeouts {
    type Keys = TimeoutKeys;
    type Wire = wire::Timeouts;
    const FEATURES: &'static [u32] = &[FIRST_BYTE];

    fn lower(keys: TimeoutKeys) -> Self {
        let limit = |key: Option<Spanned<WrittenDuration>>| key.map(|key| key.value.0);
        Self {
            connect: limit(keys.connect),
            first_byte: limit(keys.first_byte),
            read: limit(keys.read),
            write: limit(keys.write),
            total: limit(keys.total),
            idle: limit(keys.idle),
        }
    }

    /// Each limit is inherited on its own.
    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self {
            connect: narrower.connect.or(self.connect),
            first_byte: narrower.first_byte.or(self.first_byte),
            read: narrower.read.or(self.read),
            write: narrower.write.or(self.write),
            total: narrower.total.or(self.total),
            idle: narrower.idle.or(self.idle),
        }
    }

    fn needs(&self) -> &'static [u32] {
        match self.first_byte {
            Some(_) => &[FIRST_BYTE],
            None => &[],
        }
    }

    fn encode(&self) -> Option<wire::Timeouts> {
        let ms = |limit: Option<Duration>| {
            limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
        };
        (*self != Self::default()).then(|| wire::Timeouts {
            connect_ms: ms(self.connect),
            first_byte_ms: ms(self.first_byte),
            read_ms: ms(self.read),
            write_ms: ms(self.write),
            total_ms: ms(self.total),
            idle_ms: ms(self.idle),
        })
    }

    fn decode(wire: wire::Timeouts, _: &mut dyn FnMut(String)) -> Self {
        Self {
            connect: wire.connect_ms.map(Duration::from_millis),
            first_byte: wire.first_byte_ms.map(Duration::from_millis),
            read: wire.read_ms.map(Duration::from_millis),
            write: wire.write_ms.map(Duration::from_millis),
            total: wire.total_ms.map(Duration::from_millis),
            idle: wire.idle_ms.map(Duration::from_millis),
        }
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
        assert_eq!(Timeouts::defaults().to_first_byte(), seconds(60));
        let read = Timeouts {
            read: seconds(5),
            ..Timeouts::default()
        };
        let narrowed = Timeouts::defaults().narrowed_by(&read);
        assert_eq!(narrowed.to_first_byte(), seconds(5));
        let first_byte = Timeouts {
            first_byte: seconds(90),
            ..Timeouts::default()
        };
        let both = Timeouts::defaults()
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
