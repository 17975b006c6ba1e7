//! Maps with known keys.

use serde_json::{Map, Value as Json, json};

use crate::reading::key::{Key, Scopes};
use crate::reading::reader::{is_invisible, shown};
use crate::reading::{Reader, did_you_mean};
use crate::yaml::{Entry, Node, Value};

/// Result of offering a key to a map.
pub(crate) enum KeyMatch {
    /// Read, or refused with a fault.
    Taken,
    /// Not a key of this map.
    Unknown,
}

/// A map with known keys; [`keys!`] generates the implementation.
pub(crate) trait KeySet: Default {
    /// The scope of the keys, as in "at a path".
    const SCOPE: &'static str;

    /// Returns the keys.
    fn keys() -> Vec<Key>;

    /// Reads the value of a key.
    fn take<'t>(&mut self, key: &str, node: Node<'t>, reader: &mut Reader<'t>) -> KeyMatch;

    /// Returns the map with defaults for unset keys.
    #[must_use]
    fn or_defaults(self) -> Self;

    /// Reads the value of a rule's key, in maps that may have rules.
    fn take_rule<'t>(&mut self, _: &str, _: Node<'t>, _: &mut Reader<'t>) -> KeyMatch {
        KeyMatch::Unknown
    }
}

/// Declares a map: `name => Type`, or `field: "key" | "older name" => Type`, each with its meaning. `= "text"` after the type is the
/// default. `@checked { key => Type }`: keys whose values are only validated. `..rules: TYPE, at SCOPE`: adds the rules of that scope.
macro_rules! keys {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    ($(#[doc = $what:literal])* $name:ident $scope:literal;
        $($(#[doc = $about:literal])* $field:ident $(: $key:literal)? $(| $alias:literal)* => $type:ty $(= $default:literal)?,)*
        $(@checked {
            $($(#[doc = $checked_about:literal])* $checked:ident $(| $checked_alias:literal)* => $checked_type:ty,)*
        })?
        $(..rules: $rules:ty, at $rules_at:expr)?
    ) => {
        $(#[doc = $what])*
        #[derive(Default)]
        pub(crate) struct $name {
            $($(#[doc = $about])* pub(crate) $field: Option<$crate::reading::Spanned<$type>>,)*
            written: $crate::reading::Written,
            $(
                #[doc = concat!("The rules at ", stringify!($rules_at))]
                pub(crate) rules: $rules,
            )?
        }

        impl $crate::reading::KeySet for $name {
            const SCOPE: &'static str = $scope;

            fn keys() -> Vec<$crate::reading::Key> {
                let keys = vec![
                    $($crate::reading::takes_key::<$type>(
                        $crate::reading::keys!(@name $field $($key)?),
                        &[$($alias),*],
                        &[$($about),*],
                        $crate::reading::keys!(@default $($default)?),
                    ),)*
                    $($($crate::reading::takes_key::<$checked_type>(
                        $crate::reading::keys!(@name $checked),
                        &[$($checked_alias),*],
                        &[$($checked_about),*],
                        None,
                    ),)*)?
                ];
                $(let keys = keys.into_iter().chain(<$rules>::keys($rules_at)).collect();)?
                keys
            }

            fn take<'t>(
                &mut self,
                key: &str,
                node: $crate::yaml::Node<'t>,
                reader: &mut $crate::reading::Reader<'t>,
            ) -> $crate::reading::KeyMatch {
                match key {
                    $($crate::reading::keys!(@name $field $($key)?) $(| $alias)* => {
                        if self.written.note($crate::reading::keys!(@name $field $($key)?), node, reader) {
                            self.$field = $crate::reading::read_at(node, reader);
                        }
                    })*
                    $($($crate::reading::keys!(@name $checked) $(| $checked_alias)* => {
                        if self.written.note($crate::reading::keys!(@name $checked), node, reader) {
                            let _: Option<$crate::reading::Spanned<$checked_type>> = $crate::reading::read_at(node, reader);
                        }
                    })*)?
                    _ => return self.take_rule(key, node, reader),
                }
                $crate::reading::KeyMatch::Taken
            }

            $(fn take_rule<'t>(
                &mut self,
                key: &str,
                node: $crate::yaml::Node<'t>,
                reader: &mut $crate::reading::Reader<'t>,
            ) -> $crate::reading::KeyMatch {
                self.rules.take($rules_at, key, node, reader)
            })?

            fn or_defaults(self) -> Self {
                Self {
                    $($($field: self.$field.or_else(|| $crate::reading::default_of($default)),)?)*
                    ..self
                }
            }
        }

        impl $crate::reading::FromYaml for $name {
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

/// Reads a value with its position. Inside a rule, also records the position.
pub(crate) fn read_at<'t, T: crate::reading::FromYaml>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
) -> Option<crate::reading::Spanned<T>> {
    let at = node.at();
    reader.placed(at);
    T::read(node, reader).map(|value| crate::reading::Spanned { value, at })
}

impl<T: crate::reading::FromYaml> crate::reading::FromYaml for crate::reading::Spanned<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SUPPORT: crate::reading::Support = T::SUPPORT;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        read_at(node, reader)
    }

    fn schema() -> Json {
        T::schema()
    }
}

/// Parses a default like a value in a document. `None` if it is invalid, which a test of the map detects.
pub(crate) fn default_of<T: crate::reading::FromYaml>(
    text: &'static str,
) -> Option<crate::reading::Spanned<T>> {
    let tree = crate::yaml::parse(text.as_bytes()).ok()?;
    let root = tree.root()?;
    let value = T::read(root, &mut Reader::new("default"))?;
    let at = root.at();
    Some(crate::reading::Spanned { value, at })
}

/// Reads a map in which every key must be known.
pub(crate) fn read_map<'t, T: KeySet>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<T> {
    let Value::Mapping(entries) = node.value() else {
        return reader.mismatch(node, "a map");
    };
    let mut map = T::default();
    for entry in entries {
        reader.under(entry.key, |reader| {
            if let KeyMatch::Unknown = map.take(entry.key, entry.value, reader) {
                unknown::<T>(entry, reader);
            }
        });
    }
    Some(map)
}

/// Reports an unknown key, with the map that it belongs to or the key that was probably meant.
pub(crate) fn unknown<T: KeySet>(entry: Entry<'_>, reader: &mut Reader<'_>) {
    let scopes = reader.scopes;
    reader.fault_with(entry.at, || unknown_reason::<T>(entry.key, scopes));
}

/// Returns the reason why a key is refused. If the map is one of `scopes`, the key may belong to another of them.
pub(crate) fn unknown_reason<T: KeySet>(key: &str, scopes: Scopes) -> String {
    let keys = T::keys();
    let is_scope = scopes.iter().any(|(scope, _)| *scope == T::SCOPE);
    let belongs: Vec<&str> = scopes
        .iter()
        .filter(|(_, keys)| is_scope && keys().iter().any(|known| known.is(key)))
        .map(|(scope, _)| *scope)
        .collect();
    debug_assert!(!keys.iter().any(|known| known.is(key)));
    if let Some(foreign) = key.chars().find(|char| is_invisible(*char)) {
        return format!(
            "`{}` contains the character U+{:04X}, which looks like a space or is invisible; indent with plain spaces",
            shown(key),
            u32::from(foreign)
        );
    }
    if !belongs.is_empty() {
        return format!("belongs {}, not {}", belongs.join(" or "), T::SCOPE);
    }
    let names = || keys.iter().flat_map(Key::names);
    let hint = did_you_mean(key, names());
    let reason = format!("unknown key `{}` {}{hint}", shown(key), T::SCOPE);
    if hint.is_empty() && keys.len() <= 12 {
        let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
        return format!("{reason}; known keys: {}", known.join(", "));
    }
    reason
}

/// Returns the JSON Schema of a map.
pub(crate) fn schema_of<T: KeySet>() -> Json {
    let mut properties = Map::new();
    for key in T::keys() {
        let about = key.says();
        let mut schema = (key.schema)();
        schema["description"] = json!(about);
        schema["title"] = json!(key.expected);
        if let Some(remark) = key.support.remark() {
            schema["$comment"] = json!(remark);
        }
        properties.insert(key.name.to_owned(), schema.clone());
        for alias in key.aliases {
            schema["description"] = json!(format!("Another name of `{}`. {about}", key.name));
            properties.insert((*alias).to_owned(), schema.clone());
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}
