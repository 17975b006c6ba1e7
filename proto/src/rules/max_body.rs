//! `max_body`: the largest body of a request, in bytes of content, without the framing of chunks.

use std::num::NonZeroU64;

use serde_json::Value as Json;

use crate::reading::{FromYaml, Reader, WrittenSize};
use crate::rules::Rule;
use crate::rules::scoped_limit::{LimitValue, ScopedLimit, WrittenLimit};
use crate::yaml::Node;

/// Feature of `max_body`. A proxy without it would forward bodies of any size.
const MAX_BODY: u32 = 12;

/// `max_body` of one scope, in bytes.
pub type MaxBody = ScopedLimit<NonZeroU64>;

impl LimitValue for NonZeroU64 {
    const EXPECTED: &'static str = WrittenSize::EXPECTED;
    const ZERO_REFUSES: &'static str = "every request with a body";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Option<Self>> {
        WrittenSize::read(node, reader).map(|size| Self::new(size.0))
    }

    fn schema() -> Json {
        let mut schema = WrittenSize::schema();
        schema["anyOf"][0]["minimum"] = 1.into();
        schema
    }
}

impl Rule for MaxBody {
    type Keys = WrittenLimit<NonZeroU64>;
    type Wire = u64;
    const FEATURES: &'static [u32] = &[MAX_BODY];

    fn lower(keys: Self::Keys) -> Self {
        keys.0
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        self.or_wider(narrower)
    }

    fn needs(&self) -> &'static [u32] {
        if self.is_set() { &[MAX_BODY] } else { &[] }
    }

    fn encode(&self) -> Option<u64> {
        self.to_wire()
    }

    fn decode(wire: u64, _: &mut dyn FnMut(String)) -> Self {
        Self::from_wire(NonZeroU64::new(wire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::{read_value, said_of};

    #[test]
    fn it_is_a_size_or_none_and_arrives_as_it_was_written() {
        let read = |text| MaxBody::lower(read_value(text).unwrap());
        let limit = read("10MiB");
        assert_eq!(limit.value().map(NonZeroU64::get), Some(10 << 20));
        for limit in [limit, read("none")] {
            let sent = limit.encode().unwrap();
            let decoded = MaxBody::decode(sent, &mut |reason| panic!("{reason}"));
            assert_eq!(decoded, limit);
            assert_eq!(limit.needs(), [MAX_BODY]);
        }
        assert_eq!(MaxBody::Unset.encode(), None);
    }

    #[test]
    fn zero_and_anything_else_are_refused_with_the_reason() {
        for (text, reason) in [
            ("0", "a limit of 0 would refuse every request with a body"),
            (
                "0KiB",
                "a limit of 0 would refuse every request with a body",
            ),
            ("unlimited", "(did you mean `none`?)"),
            ("big", "is not a size"),
            ("[1]", "expected a size"),
        ] {
            let said = said_of::<WrittenLimit<NonZeroU64>>(text);
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
