//! `x4xx_limit`: how many responses with a status of 400 to 499 each client may cause within a second before it is refused.

use std::num::NonZeroU32;

use serde_json::Value as Json;

use crate::reading::{Between, FromYaml, Reader};
use crate::rules::Rule;
use crate::rules::scoped_limit::{LimitValue, ScopedLimit, WrittenLimit};
use crate::yaml::Node;

/// Feature of `x4xx_limit`. A proxy without it would let a client try any number of passwords or paths.
const X4XX_LIMIT: u32 = 11;

/// A whole number that fits a count.
type Count = Between<0, { u32::MAX as u64 }>;

/// `x4xx_limit` of one scope: responses within a second.
pub type X4xxLimit = ScopedLimit<NonZeroU32>;

impl LimitValue for NonZeroU32 {
    const EXPECTED: &'static str = "a whole number";
    const ZERO_REFUSES: &'static str = "a client after a single 4xx response";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Option<Self>> {
        let number = Count::read(node, reader)?.0;
        Some(u32::try_from(number).ok().and_then(Self::new))
    }

    fn schema() -> Json {
        Between::<1, { u32::MAX as u64 }>::schema()
    }
}

impl Rule for X4xxLimit {
    type Keys = WrittenLimit<NonZeroU32>;
    type Wire = u32;
    const FEATURES: &'static [u32] = &[X4XX_LIMIT];

    fn lower(keys: Self::Keys) -> Self {
        keys.0
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        self.or_wider(narrower)
    }

    fn needs(&self) -> &'static [u32] {
        if self.is_set() { &[X4XX_LIMIT] } else { &[] }
    }

    fn encode(&self) -> Option<u32> {
        self.to_wire()
    }

    fn decode(wire: u32, _: &mut dyn FnMut(String)) -> Self {
        Self::from_wire(NonZeroU32::new(wire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::{read_value, said_of};

    #[test]
    fn it_is_a_number_or_none_and_arrives_as_it_was_written() {
        let read = |text| X4xxLimit::lower(read_value(text).unwrap());
        let limit = read("5");
        assert_eq!(limit.value().map(NonZeroU32::get), Some(5));
        for limit in [limit, read("none")] {
            let sent = limit.encode().unwrap();
            let decoded = X4xxLimit::decode(sent, &mut |reason| panic!("{reason}"));
            assert_eq!(decoded, limit);
            assert_eq!(limit.needs(), [X4XX_LIMIT]);
        }
        assert_eq!(X4xxLimit::Unset.encode(), None);
    }

    #[test]
    fn zero_and_anything_else_are_refused_with_the_reason() {
        for (text, reason) in [
            ("0", "a limit of 0 would refuse"),
            ("off", "expected a whole number or none, found `off`"),
            ("x", "expected a whole number"),
            ("{a: 1}", "expected a whole number"),
            ("4294967296", "from 0 to 4294967295"),
        ] {
            let said = said_of::<WrittenLimit<NonZeroU32>>(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
