//! Durations and sizes that are only valid within bounds.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader, WrittenDuration, WrittenSize};
use crate::yaml::Node;

/// A duration limit that cannot be disabled: zero would expire before anything began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NonZeroTimeout(pub(crate) Duration);

impl FromYaml for NonZeroTimeout {
    const EXPECTED: &'static str = WrittenDuration::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let WrittenDuration(limit) = WrittenDuration::read(node, reader)?;
        if limit.is_zero() {
            reader.fault(
                node.at(),
                "this limit cannot be disabled: zero would close every connection immediately; expected 1ms or more, such as 30s",
            );
            return None;
        }
        Some(Self(limit))
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "number", "exclusiveMinimum": 0 },
            {
                "type": "string",
                "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$",
                "not": { "pattern": r"^[0.]+[a-z]*$" },
            },
        ] })
    }
}

/// A size from `MIN` to `MAX` bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SizeBetween<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> FromYaml for SizeBetween<MIN, MAX> {
    const EXPECTED: &'static str = WrittenSize::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let WrittenSize(size) = WrittenSize::read(node, reader)?;
        if (MIN..=MAX).contains(&size) {
            return Some(Self(size));
        }
        let reason = format!(
            "expected a size from {} to {}, found {}",
            written(MIN),
            written(MAX),
            written(size)
        );
        reader.fault(node.at(), reason);
        None
    }

    fn schema() -> Json {
        let mut schema = WrittenSize::schema();
        schema["anyOf"][0] = json!({ "type": "integer", "minimum": MIN, "maximum": MAX });
        schema
    }
}

/// Formats a size the way users write it.
pub(crate) fn written(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fitting = units
        .into_iter()
        .find(|(shift, _)| bytes != 0 && bytes.trailing_zeros() >= *shift);
    match fitting {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_in_the_largest_unit_that_keeps_it_whole() {
        let told = [0, 64, 1_000, 1 << 10, 3 << 20, (1 << 20) + 1, 2 << 30].map(written);
        assert_eq!(told, ["0", "64", "1000", "1KiB", "3MiB", "1048577", "2GiB"]);
    }
}
