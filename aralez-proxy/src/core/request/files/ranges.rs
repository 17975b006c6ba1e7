//! The ranges of a file that a request asks for.

use std::num::NonZeroUsize;
use std::ops::Range;

use aralez_decision::Fields;
use http_range_header::{RangeUnsatisfiableError, parse_range_header_with_max_ranges};

/// The largest number of ranges that are sent in one response. A request for more of them gets the whole file.
const MOST: NonZeroUsize = NonZeroUsize::new(32).expect("is not zero");

/// The part of a file that a request asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WantedRanges {
    /// The whole file.
    Whole,
    /// These ranges of bytes, in this order; at least one, none empty.
    Ranges(Vec<Range<u64>>),
    /// Ranges of which the file has none: 416.
    Nothing,
}

/// Returns what `Range` asks for of a file of `length` bytes.
pub fn wanted(fields: &impl Fields, length: u64) -> WantedRanges {
    let mut named = fields.named("range");
    let (Some(value), None) = (named.next(), named.next()) else {
        return WantedRanges::Whole;
    };
    // RFC 9110 section 14.2: a `Range` that is invalid, or whose unit is unknown, is ignored.
    let Ok(value) = std::str::from_utf8(value) else {
        return WantedRanges::Whole;
    };
    let found =
        parse_range_header_with_max_ranges(value, MOST).and_then(|ranges| ranges.validate(length));
    match found {
        Ok(ranges) => {
            let ranges = ranges.iter().map(|range| *range.start()..*range.end() + 1);
            whole_if_cheaper(ranges.collect(), length)
        }
        // RFC 9110 section 15.5.17: a request none of whose ranges overlaps the content is answered with 416.
        Err(RangeUnsatisfiableError::Unsatisfiable) => WantedRanges::Nothing,
        // RFC 9110 section 14.2: a server may ignore `Range` with many small or overlapping ranges, which are a way to attack it.
        Err(_) => WantedRanges::Whole,
    }
}

/// Ranges that together are longer than the file are no saving for anyone.
fn whole_if_cheaper(ranges: Vec<Range<u64>>, length: u64) -> WantedRanges {
    let together: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    match ranges.is_empty() || (ranges.len() > 1 && together > length) {
        true => WantedRanges::Whole,
        false => WantedRanges::Ranges(ranges),
    }
}

#[cfg(test)]
mod tests {
    use aralez_decision::Pairs;

    use super::WantedRanges::*;
    use super::*;

    fn of(value: &str, length: u64) -> WantedRanges {
        wanted(&Pairs(&[("Range", value)]), length)
    }

    #[test]
    fn ranges_are_those_of_the_file() {
        assert_eq!(wanted(&Pairs::default(), 10), Whole);
        let one = |range| Ranges(vec![range]);
        for (value, expected) in [
            ("bytes=0-0", one(0..1)),
            ("BYTES=2-4", one(2..5)),
            ("bytes=5-", one(5..10)),
            ("bytes=5-100", one(5..10)),
            ("bytes=0-18446744073709551615", one(0..10)),
            ("bytes=0-99999999999999999999", one(0..10)),
            ("bytes=-3", one(7..10)),
            ("bytes=-100", one(0..10)),
            ("bytes=10-", Nothing),
            ("bytes=-0", Nothing),
            ("bytes=20-30", Nothing),
            ("bytes=20-30, 1-2", one(1..3)),
            ("bytes=0-1, 4-5", Ranges(vec![0..2, 4..6])),
            ("bytes=4-5,0-1", Ranges(vec![4..6, 0..2])),
            ("bytes=0-9,0-9", Whole),
            ("bytes=4-2", Whole),
            ("bytes=", Whole),
            ("bytes=a-b", Whole),
            ("lines=0-1", Whole),
            ("0-1", Whole),
        ] {
            assert_eq!(of(value, 10), expected, "{value}");
        }
    }

    #[test]
    fn an_empty_file_has_no_ranges() {
        assert_eq!(of("bytes=0-", 0), Nothing);
        assert_eq!(of("bytes=-1", 0), Whole);
    }

    #[test]
    fn a_request_for_very_many_or_repeated_ranges_gets_the_file() {
        let many: Vec<String> = (0..33).map(|n| format!("{}-{}", 10 * n, 10 * n)).collect();
        assert_eq!(of(&format!("bytes={}", many.join(",")), 1_000), Whole);
        assert!(matches!(
            of(&format!("bytes={}", many[..32].join(",")), 1_000),
            Ranges(ranges) if ranges.len() == 32
        ));
        let same = ["0-99"; 5].join(",");
        assert_eq!(of(&format!("bytes={same}"), 1_000), Whole);
        let twice = Pairs(&[("Range", "bytes=0-1"), ("Range", "bytes=2-3")]);
        assert_eq!(wanted(&twice, 10), Whole);
    }
}
