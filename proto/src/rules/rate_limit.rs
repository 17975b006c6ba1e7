//! `rate_limit`: how many requests each client may send in a time.
//!
//! A number N means N requests per second, of which N may arrive at once.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::reading::{Between, FromYaml, Reader, WrittenDuration, keys};
use crate::rules::Rule;
use crate::rules::scoped_limit::{LimitValue, ScopedLimit, WrittenLimit};
use crate::wire::resource as wire;
use crate::yaml::{Node, Value};

/// Feature of `rate_limit`. A proxy without it would serve any number of requests.
const RATE_LIMIT: u32 = 10;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// The longest time in which a used burst may come back.
const YEAR: u128 = 366 * 86_400 * 1_000_000_000;

/// A rate with a burst.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quota {
    requests: NonZeroU32,
    per: Duration,
    burst: NonZeroU32,
}

impl Quota {
    /// Returns the quota of `requests` in each period `per`, of which `burst` may arrive at once.
    ///
    /// # Errors
    /// The reason why these numbers are no quota.
    pub fn new(requests: NonZeroU32, per: Duration, burst: NonZeroU32) -> Result<Self, String> {
        if !(Duration::from_millis(1)..=DAY).contains(&per) {
            return Err(format!("`per` is {per:?}; expected 1ms to 1d"));
        }
        let interval = per.as_nanos() / u128::from(requests.get());
        if interval == 0 {
            return Err(format!(
                "{requests} requests in {per:?} are more than one per nanosecond; remove the limit"
            ));
        }
        if interval * u128::from(burst.get()) > YEAR {
            return Err(format!(
                "a `burst` of {burst} would take longer than a year to come back at {requests} requests in {per:?}"
            ));
        }
        Ok(Self {
            requests,
            per,
            burst,
        })
    }

    /// Returns the number of requests in a period.
    pub const fn requests(&self) -> NonZeroU32 {
        self.requests
    }

    /// Returns the period.
    pub const fn per(&self) -> Duration {
        self.per
    }

    /// Returns the number of requests that may arrive at once.
    pub const fn burst(&self) -> NonZeroU32 {
        self.burst
    }

    /// Returns the time in which the quota admits one more request. At least a nanosecond.
    pub fn interval(&self) -> Duration {
        self.per / self.requests.get()
    }
}

keys! {
    /// A rate.
    RateKeys "in rate_limit";
    /// Number of requests in each period, per client.
    requests => Between<1, { u32::MAX as u64 }>,
    /// Period, 1ms to 1d.
    per => WrittenDuration = "1s",
    /// Number of requests that may arrive at once. Default: same as `requests`.
    burst => Between<1, { u32::MAX as u64 }>,
}

impl RateKeys {
    fn quota(&self) -> Result<Quota, String> {
        let number = |key: Option<u64>| {
            let number = key.and_then(|number| u32::try_from(number).ok());
            number.and_then(NonZeroU32::new)
        };
        let requests = number(self.requests.as_ref().map(|key| key.value.0));
        let requests = requests.ok_or("`requests` is missing")?;
        let burst = number(self.burst.as_ref().map(|key| key.value.0)).unwrap_or(requests);
        let per = self.per.as_ref().map_or(SECOND, |key| key.value.0);
        Quota::new(requests, per, burst)
    }
}

/// `rate_limit` of one scope.
pub type RateLimit = ScopedLimit<Quota>;

impl LimitValue for Quota {
    const EXPECTED: &'static str =
        "a number of requests per second, or a map of requests, per, burst";
    const ZERO_REFUSES: &'static str = "every request";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Option<Self>> {
        let quota = match node.value() {
            Value::Mapping(_) => {
                let before = reader.faults();
                let keys = RateKeys::read(node, reader)?;
                // A key that was refused is not missing.
                if reader.faults() > before {
                    return None;
                }
                keys.quota()
            }
            Value::Scalar(scalar) if scalar.is_number() => {
                let number = Between::<0, { u32::MAX as u64 }>::read(node, reader)?.0;
                let Some(number) = u32::try_from(number).ok().and_then(NonZeroU32::new) else {
                    return Some(None);
                };
                Self::new(number, SECOND, number)
            }
            Value::Scalar(_) | Value::Sequence(_) => return reader.mismatch(node, Self::EXPECTED),
        };
        let quota = quota.map_err(|reason| reader.fault(node.at(), reason));
        quota.ok().map(Some)
    }

    fn schema() -> Json {
        let number = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
        json!({ "anyOf": [number, RateKeys::schema()] })
    }
}

impl Rule for RateLimit {
    type Keys = WrittenLimit<Quota>;
    type Wire = wire::RateLimit;
    const FEATURES: &'static [u32] = &[RATE_LIMIT];

    fn lower(keys: Self::Keys) -> Self {
        keys.0
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        self.or_wider(narrower)
    }

    fn needs(&self) -> &'static [u32] {
        if self.is_set() { &[RATE_LIMIT] } else { &[] }
    }

    fn encode(&self) -> Option<wire::RateLimit> {
        let sent = self.value().map(|quota| wire::RateLimit {
            requests: quota.requests.get(),
            per_ms: u32::try_from(quota.per.as_millis()).unwrap_or(u32::MAX),
            burst: quota.burst.get(),
        });
        self.is_set().then(|| sent.unwrap_or_default())
    }

    fn decode(wire: wire::RateLimit, wrong: &mut dyn FnMut(String)) -> Self {
        let Some(requests) = NonZeroU32::new(wire.requests) else {
            return Self::Lifted;
        };
        let per = Duration::from_millis(wire.per_ms.into());
        let burst = NonZeroU32::new(wire.burst).ok_or_else(|| "the burst is 0".to_owned());
        match burst.and_then(|burst| Quota::new(requests, per, burst)) {
            Ok(quota) => Self::At(quota),
            Err(reason) => {
                wrong(reason);
                Self::Lifted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::{read_value, said_of};

    fn quota(requests: u32, ms: u64, burst: u32) -> RateLimit {
        let [requests, burst] = [requests, burst].map(|number| NonZeroU32::new(number).unwrap());
        ScopedLimit::At(Quota::new(requests, Duration::from_millis(ms), burst).unwrap())
    }

    fn read(text: &str) -> RateLimit {
        RateLimit::lower(read_value(text).unwrap())
    }

    #[test]
    fn a_number_is_a_rate_per_second_with_an_equal_burst() {
        assert_eq!(read("10"), quota(10, 1_000, 10));
        assert_eq!(read("{requests: 5}"), quota(5, 1_000, 5));
        assert_eq!(
            read("{requests: 5, per: 1m, burst: 2}"),
            quota(5, 60_000, 2)
        );
        assert_eq!(read("none"), ScopedLimit::Lifted);
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_reason() {
        let fault = said_of::<WrittenLimit<Quota>>;
        for (text, reason) in [
            ("0", "a limit of 0 would refuse every request; write `none`"),
            ("off", "(did you mean `none`?)"),
            ("ten", "expected a number of requests per second, or a map"),
            (
                "-1",
                "expected a whole number from 0 to 4294967295, found -1",
            ),
            ("[1]", "expected a number of requests per second"),
            ("{}", "`requests` is missing"),
            (
                "{requests: 0}",
                "expected a whole number from 1 to 4294967295, found 0",
            ),
            ("{requests: 1, per: 0s}", "expected 1ms to 1d"),
            ("{requests: 1, per: 2d}", "expected 1ms to 1d"),
            (
                "{requests: 2000000, per: 1ms}",
                "more than one per nanosecond",
            ),
            ("{requests: 1, per: 1d, burst: 400}", "longer than a year"),
        ] {
            let said = fault(text);
            assert!(said.contains(reason), "{text}: {said}");
            assert_eq!(said.lines().count(), 1, "{text}: {said}");
        }
    }

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        for limit in [quota(7, 500, 9), ScopedLimit::Lifted] {
            let sent = limit.encode().unwrap();
            let decoded = RateLimit::decode(sent, &mut |reason| panic!("{reason}"));
            assert_eq!(decoded, limit);
            assert_eq!(limit.needs(), [RATE_LIMIT]);
        }
        assert_eq!(RateLimit::Unset.encode(), None);
        for (requests, per_ms, burst) in [(1, 0, 1), (1, 1, 0), (u32::MAX, 1, 1)] {
            let mut wrong = Vec::new();
            let sent = wire::RateLimit {
                requests,
                per_ms,
                burst,
            };
            RateLimit::decode(sent, &mut |reason| wrong.push(reason));
            assert_eq!(wrong.len(), 1, "{requests} {per_ms} {burst}");
        }
    }
}
