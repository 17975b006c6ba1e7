//! Types that a configuration value can be read as.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::model::{GroupName, NodeName};
use crate::reading::{Key, Reader, Support, shown};
use crate::yaml::{Node, Scalar, Value};

/// A type that a configuration value can be read as.
pub(crate) trait FromYaml: Sized {
    /// The expected form, used in faults as "expected …".
    const EXPECTED: &'static str;
    /// What this release does with such a value.
    const SUPPORT: Support = Support::Obeyed;

    /// Reads a value. `None` if a fault was reported to `reader`.
    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self>;

    /// Returns the JSON Schema of the type.
    fn schema() -> Json;

    /// Reports whether the value turns its feature on. `false`, `off` and an empty list do not.
    fn asks(&self) -> bool {
        true
    }
}

/// Returns a key whose values are of type `T`.
pub(crate) fn takes_key<T: FromYaml>(
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static [&'static str],
    default: Option<&'static str>,
) -> Key {
    Key {
        name,
        aliases,
        about,
        default,
        expected: T::EXPECTED,
        support: T::SUPPORT,
        schema: T::schema,
    }
}

/// Returns the text of a string or number scalar. `None`, with a fault, for anything else.
pub(crate) fn text<'t>(node: Node<'t>, reader: &mut Reader<'t>, expected: &str) -> Option<&'t str> {
    match node.value() {
        Value::Scalar(text) if !text.is_null() && text.as_bool().is_none() => Some(text.text),
        _ => reader.mismatch(node, expected),
    }
}

/// Like [`text`], but refuses the empty string.
fn filled<'t>(node: Node<'t>, reader: &mut Reader<'t>, expected: &str) -> Option<&'t str> {
    let text = text(node, reader, expected)?;
    if text.is_empty() {
        reader.fault(node.at(), "is empty");
        return None;
    }
    Some(text)
}

/// Like [`parsed`], for errors that say only what is wrong: the fault quotes the text before it.
pub(crate) fn parsed_quoting<'t, T, E: std::fmt::Display>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    expected: &str,
    parse: impl FnOnce(&'t str) -> Result<T, E>,
) -> Option<T> {
    parsed(node, reader, expected, |text| {
        parse(text).map_err(|reason| format!("`{}` {reason}", shown(text)))
    })
}

/// Parses a value from its text, reporting the parse error as a fault.
pub(crate) fn parsed<'t, T, E: std::fmt::Display>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    expected: &str,
    parse: impl FnOnce(&'t str) -> Result<T, E>,
) -> Option<T> {
    let text = text(node, reader, expected)?;
    parse(text)
        .map_err(|error| reader.fault(node.at(), error.to_string()))
        .ok()
}

impl FromYaml for bool {
    const EXPECTED: &'static str = "true or false";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Scalar(scalar) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        if let Some(value) = scalar.as_bool() {
            return Some(value);
        }
        match meant(scalar) {
            Some(hint) => {
                reader.fault(node.at(), format!("expected true or false, found {hint}"));
                None
            }
            None => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }

    fn asks(&self) -> bool {
        *self
    }
}

/// Returns a hint for common misspellings of a boolean.
fn meant(scalar: Scalar<'_>) -> Option<String> {
    let text = scalar.text;
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "1" => Some(format!("`{text}` (did you mean `true`?)")),
        "no" | "off" | "n" | "0" => Some(format!("`{text}` (did you mean `false`?)")),
        "true" | "false" => Some("a quoted string (remove the quotes)".to_owned()),
        _ => None,
    }
}

impl FromYaml for String {
    const EXPECTED: &'static str = "a string";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        filled(node, reader, Self::EXPECTED).map(str::to_owned)
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl FromYaml for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        filled(node, reader, Self::EXPECTED).map(Self::from)
    }

    fn schema() -> Json {
        String::schema()
    }
}

macro_rules! named {
    ($type:ty, $expected:literal) => {
        impl FromYaml for $type {
            const EXPECTED: &'static str = $expected;

            fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
                parsed(node, reader, Self::EXPECTED, str::parse)
            }

            fn schema() -> Json {
                json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$" })
            }
        }
    };
}
named!(GroupName, "a group name");
named!(NodeName, "a node name");

impl<T: FromYaml> FromYaml for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Sequence(elements) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        let read: Vec<Option<T>> = elements
            .enumerate()
            .map(|(index, element)| reader.element(index, |reader| T::read(element, reader)))
            .collect();
        // One faulty element makes the whole list faulty.
        read.into_iter().collect()
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }

    fn asks(&self) -> bool {
        !self.is_empty()
    }
}

/// Declares a value that is one of a fixed set of strings. With `asks unless`, one of them turns the feature off.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $any_case:literal $(, asks unless $nothing:ident)?: $($(#[$about:meta])* $choice:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum $name {
            $($(#[$about])* $choice,)*
        }

        impl $crate::reading::FromYaml for $name {
            const EXPECTED: &'static str = $expected;

            fn read<'t>(node: $crate::yaml::Node<'t>, reader: &mut $crate::reading::Reader<'t>) -> Option<Self> {
                let choices = [$(($text, Self::$choice)),*];
                $crate::reading::choose(node, reader, $any_case, &choices)
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "enum": [$($text),*] })
            }

            $(fn asks(&self) -> bool {
                *self != Self::$nothing
            })?
        }
    };
}
pub(crate) use choices;

/// Declares a value that is either a scalar of one type or a map.
macro_rules! scalar_or_map {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $scalar:ty, $map:ty) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl $crate::reading::FromYaml for $name {
            const EXPECTED: &'static str = $expected;

            fn read<'t>(node: $crate::yaml::Node<'t>, reader: &mut $crate::reading::Reader<'t>) -> Option<Self> {
                match node.value() {
                    $crate::yaml::Value::Mapping(_) => <$map as $crate::reading::FromYaml>::read(node, reader).map(|_| Self),
                    $crate::yaml::Value::Scalar(_) => <$scalar as $crate::reading::FromYaml>::read(node, reader).map(|_| Self),
                    $crate::yaml::Value::Sequence(_) => reader.mismatch(node, $expected),
                }
            }

            fn schema() -> serde_json::Value {
                serde_json::json!({ "anyOf": [<$scalar as $crate::reading::FromYaml>::schema(), <$map as $crate::reading::FromYaml>::schema()] })
            }
        }
    };
}
pub(crate) use scalar_or_map;

/// Returns the choice that the node names. `None`, with a fault, if it names none of them.
pub(crate) fn choose<'t, T: Copy>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    any_case: bool,
    choices: &[(&'static str, T)],
) -> Option<T> {
    let names: Vec<&'static str> = choices.iter().map(|(name, _)| *name).collect();
    let Value::Scalar(scalar) = node.value() else {
        return reader.mismatch(node, &format!("one of {}", names.join(", ")));
    };
    let is =
        |name: &str| name == scalar.text || (any_case && name.eq_ignore_ascii_case(scalar.text));
    let found = choices.iter().find(|(name, _)| is(name));
    if found.is_none() {
        let hint = crate::reading::did_you_mean(scalar.text, names.iter().copied());
        let written = crate::reading::shown(scalar.text);
        let reason = format!(
            "expected one of {}, found `{written}`{hint}",
            names.join(", ")
        );
        reader.fault(node.at(), reason);
    }
    found.map(|(_, choice)| *choice)
}
