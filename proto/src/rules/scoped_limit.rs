//! A limit as one scope sets it: a value, or `none`, which lifts the limit of a wider scope.
//!
//! A limit of 0 would refuse every request. Some programs read it as "no limit", so it is refused instead of guessed.

use serde_json::{Value as Json, json};

use crate::reading::{FromYaml, Reader};
use crate::yaml::{Node, Value};

/// A limit as one scope sets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ScopedLimit<T> {
    /// The scope does not set it: the wider scope applies.
    #[default]
    Unset,
    /// `none`: no limit, also if a wider scope sets one.
    Lifted,
    /// The limit.
    At(T),
}

impl<T: Copy> ScopedLimit<T> {
    /// Returns the limit that applies. `None`: no limit.
    pub fn value(&self) -> Option<T> {
        match self {
            Self::At(value) => Some(*value),
            Self::Unset | Self::Lifted => None,
        }
    }

    /// Reports whether the scope sets it, to a limit or to `none`.
    pub const fn is_set(&self) -> bool {
        !matches!(self, Self::Unset)
    }

    /// Returns this scope overridden by a narrower one inside it.
    pub(super) fn or_wider(&self, narrower: &Self) -> Self {
        match narrower {
            Self::Unset => *self,
            set => *set,
        }
    }

    /// Returns the limit of a number on the wire, on which 0 stands for `none`.
    pub(super) fn from_wire(value: Option<T>) -> Self {
        value.map_or(Self::Lifted, Self::At)
    }

    /// Returns the limit as a number on the wire. `None` if it is not set.
    pub(super) fn to_wire<N: From<T> + Default>(self) -> Option<N> {
        match self {
            Self::Unset => None,
            Self::Lifted => Some(N::default()),
            Self::At(value) => Some(value.into()),
        }
    }
}

/// The values of a limit.
pub(crate) trait LimitValue: Copy {
    /// The expected form, used in faults as "expected …".
    const EXPECTED: &'static str;
    /// What a limit of 0 would refuse.
    const ZERO_REFUSES: &'static str;

    /// Reads a value. `None` if a fault was reported; `Some(None)` if it is zero.
    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Option<Self>>;

    /// Returns the JSON Schema of a value.
    fn schema() -> Json;
}

/// A limit as written.
pub(crate) struct WrittenLimit<T>(pub(crate) ScopedLimit<T>);

impl<T: LimitValue> FromYaml for WrittenLimit<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let word = match node.value() {
            Value::Scalar(scalar) => scalar.text,
            Value::Mapping(_) | Value::Sequence(_) => "",
        };
        match word {
            "none" => return Some(Self(ScopedLimit::Lifted)),
            "off" | "false" | "no" | "null" | "unlimited" => {
                let reason = format!(
                    "expected {} or none, found `{word}` (did you mean `none`?)",
                    T::EXPECTED
                );
                reader.fault(node.at(), reason);
                return None;
            }
            _ => {}
        }
        let value = T::read(node, reader)?;
        if value.is_none() {
            let reason = format!(
                "a limit of 0 would refuse {}; write `none` to lift the limit of a wider scope, or remove the key",
                T::ZERO_REFUSES
            );
            reader.fault(node.at(), reason);
        }
        value.map(|value| Self(ScopedLimit::At(value)))
    }

    fn schema() -> Json {
        json!({ "anyOf": [T::schema(), { "const": "none" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_limit_replaces_a_wider_one_and_none_lifts_it() {
        let wide = ScopedLimit::At(1);
        for (narrower, limit) in [
            (ScopedLimit::Unset, Some(1)),
            (ScopedLimit::Lifted, None),
            (ScopedLimit::At(2), Some(2)),
        ] {
            assert_eq!(wide.or_wider(&narrower).value(), limit, "{narrower:?}");
        }
        let lifted = ScopedLimit::Lifted;
        assert_eq!(lifted.or_wider(&wide).value(), Some(1));
    }
}
