//! Maps with known keys.

use serde_json::{Map, Value as Json, json};

use crate::reading::key::{Key, Scopes};
use crate::reading::reader::{is_invisible, shown};
use crate::reading::{Reader, did_you_mean};
use crate::yaml::{Entry, Node, Value};

/// Whether a map knows a key, and whether the key, perhaps under another name, was there already.
pub(crate) enum Taken {
    /// Read, or refused with a fault.
    Taken,
    /// Not a key of this map.
    Unknown,
}

/// A map with known keys; [`keys!`] writes the implementation.
pub(crate) trait Keyed: Default {
    /// Where the keys stand, as in "at a path".
    const SCOPE: &'static str;
    /// The keys.
    const KEYS: &'static [Key];

    /// Reads the value of a key.
    fn take<'t>(&mut self, key: &str, node: Node<'t>, reader: &mut Reader<'t>) -> Taken;
}

/// Declares a map: `name: "key" | "older name" => Type`, each with its meaning.
macro_rules! keys {
    ($(#[doc = $what:literal])* $name:ident $scope:literal;
        $($(#[doc = $about:literal])* $field:ident: $key:literal $(| $alias:literal)* => $type:ty,)*
    ) => {
        $(#[doc = $what])*
        #[derive(Default)]
        // Some keys are only checked.
        #[allow(dead_code)]
        pub(crate) struct $name {
            $($(#[doc = $about])* pub(crate) $field: Option<$crate::reading::At<$type>>,)*
        }

        impl $crate::reading::Keyed for $name {
            const SCOPE: &'static str = $scope;
            const KEYS: &'static [$crate::reading::Key] = &[$($crate::reading::Key {
                name: $key,
                aliases: &[$($alias),*],
                about: &[$($about),*],
                schema: <$type as $crate::reading::Shape>::schema,
            }),*];

            fn take<'t>(
                &mut self,
                key: &str,
                node: $crate::yaml::Node<'t>,
                reader: &mut $crate::reading::Reader<'t>,
            ) -> $crate::reading::Taken {
                match key {
                    $($key $(| $alias)* => $crate::reading::read_entry(&mut self.$field, $key, node, reader),)*
                    _ => return $crate::reading::Taken::Unknown,
                }
                $crate::reading::Taken::Taken
            }
        }

        impl $crate::reading::Shape for $name {
            const EXPECTED: &'static str = "a map";

            fn read<'t>(node: $crate::yaml::Node<'t>, reader: &mut $crate::reading::Reader<'t>) -> Option<Self> {
                $crate::reading::read_map(node, reader)
            }

            fn schema() -> serde_json::Value {
                $crate::reading::schema_of::<Self>()
            }
        }
    };
}
pub(crate) use keys;

/// Reads the value of a known key into its field. The place is the value's.
pub(crate) fn read_entry<'t, T: crate::reading::Shape>(
    field: &mut Option<crate::reading::At<T>>,
    key: &str,
    node: Node<'t>,
    reader: &mut Reader<'t>,
) {
    if let Some(first) = field {
        let reason = format!(
            "is `{key}` under another name, which stands already at {}",
            first.at
        );
        reader.fault(node.at(), reason);
        return;
    }
    *field = T::read(node, reader).map(|value| crate::reading::At {
        value,
        at: node.at(),
    });
}

/// Reads a map whose every key must be known.
pub(crate) fn read_map<'t, T: Keyed>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<T> {
    let Value::Mapping(entries) = node.value() else {
        return reader.mismatch(node, "a map");
    };
    let mut map = T::default();
    for entry in entries {
        reader.under(entry.key, |reader| {
            if let Taken::Unknown = map.take(entry.key, entry.value, reader) {
                unknown::<T>(entry, reader);
            }
        });
    }
    Some(map)
}

/// Says that a key is not known here, and where it belongs or which was meant.
pub(crate) fn unknown<T: Keyed>(entry: Entry<'_>, reader: &mut Reader<'_>) {
    let scopes = reader.scopes;
    reader.fault_with(entry.at, || unknown_reason::<T>(entry.key, scopes));
}

/// Why a key is refused. Where the map is one of `scopes`, it may have been meant for another one.
pub(crate) fn unknown_reason<T: Keyed>(key: &str, scopes: Scopes) -> String {
    let here = |name: &str| T::KEYS.iter().any(|known| known.is(name));
    let is_scope = scopes.iter().any(|(scope, _)| *scope == T::SCOPE);
    let belongs: Vec<&str> = scopes
        .iter()
        .filter(|(_, keys)| is_scope && keys.iter().any(|known| known.is(key)))
        .map(|(scope, _)| *scope)
        .collect();
    debug_assert!(!here(key));
    if let Some(foreign) = key.chars().find(|char| is_invisible(*char)) {
        return format!(
            "`{}` holds the character U+{:04X}, which looks like a space or like nothing; indent with plain spaces",
            shown(key),
            u32::from(foreign)
        );
    }
    if !belongs.is_empty() {
        return format!("belongs {}, not {}", belongs.join(" or "), T::SCOPE);
    }
    let names = || T::KEYS.iter().flat_map(Key::names);
    let hint = did_you_mean(key, names());
    let reason = format!("`{}` is not a key {}{hint}", shown(key), T::SCOPE);
    if hint.is_empty() && T::KEYS.len() <= 12 {
        let known: Vec<&str> = T::KEYS.iter().map(|key| key.name).collect();
        return format!("{reason}; known are {}", known.join(", "));
    }
    reason
}

/// The JSON Schema of a map.
pub(crate) fn schema_of<T: Keyed>() -> Json {
    let mut properties = Map::new();
    for key in T::KEYS {
        let about: String = key.about.concat().trim().to_owned();
        let mut schema = (key.schema)();
        schema["description"] = json!(about);
        properties.insert(key.name.to_owned(), schema.clone());
        for alias in key.aliases {
            schema["description"] = json!(format!("Another name of `{}`. {about}", key.name));
            properties.insert((*alias).to_owned(), schema.clone());
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
