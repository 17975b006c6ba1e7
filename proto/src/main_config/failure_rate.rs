//! `auth_failures`: how often one address may fail to prove who it is.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader, text};
use crate::yaml::Node;

/// The most failures that are counted, a bound for typos.
const MOST: u32 = 1_000_000;

/// A number of failures in a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailureRate {
    /// The number of failures that is allowed.
    pub failures: NonZeroU32,
    /// The time in which they are counted, and for which an address with more is refused.
    pub per: Duration,
}

/// A rate as written: `10/min`.
pub(crate) struct WrittenFailureRate(pub(crate) FailureRate);

impl FromYaml for WrittenFailureRate {
    const EXPECTED: &'static str = "COUNT/s, COUNT/min or COUNT/h (e.g. 10/min)";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        let rate = parse(text);
        if rate.is_none() {
            let written = crate::reading::shown(text);
            reader.fault(
                node.at(),
                format!(
                    "expected {} with a COUNT from 1 to {MOST}, found `{written}`",
                    Self::EXPECTED
                ),
            );
        }
        rate.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[1-9][0-9]*/(s|min|h)$" })
    }
}

fn parse(text: &str) -> Option<FailureRate> {
    let (count, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let plain = count.bytes().all(|byte| byte.is_ascii_digit());
    let count = count.parse().ok().filter(|count| plain && *count <= MOST)?;
    Some(FailureRate {
        failures: NonZeroU32::new(count)?,
        per: Duration::from_secs(seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_count_and_a_unit() {
        let rate = |failures, seconds| {
            Some(FailureRate {
                failures: NonZeroU32::new(failures)?,
                per: Duration::from_secs(seconds),
            })
        };
        assert_eq!(parse("10/min"), rate(10, 60));
        assert_eq!(parse("1/s"), rate(1, 1));
        assert_eq!(parse("500/h"), rate(500, 3_600));
        for bad in [
            "",
            "10",
            "10/",
            "0/min",
            "+1/min",
            "10/m",
            "10/day",
            "-1/s",
            "1000001/s",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
