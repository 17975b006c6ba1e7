//! Reading of values from YAML. Each key is declared once: its name, its older names, its type and its meaning. The reader and the JSON
//! Schema are derived from the declaration, so that they cannot disagree.
//!
//! `keys!` declares the keys of a map as a struct; a type of values implements `FromYaml`.

mod bounded;
mod key;
mod keys;
mod named_file;
mod named_paths;
mod near;
mod not_yet;
mod reader;
mod shape;
mod values;
mod written;

pub(crate) use bounded::{NonZeroTimeout, SizeBetween, written};
pub(crate) use key::{Key, Scopes, Support};
pub(crate) use keys::{
    KeyMatch, KeySet, default_of, keys, read_at, read_map, schema_of, unknown_reason,
};
pub(crate) use named_file::NamedFile;
pub(crate) use named_paths::NamedPaths;
pub(crate) use near::{did_you_mean, nearest};
pub(crate) use not_yet::NotYet;
pub(crate) use reader::{Reader, Spanned, report, shown};
pub(crate) use shape::{
    FromYaml, choices, choose, parsed, parsed_quoting, scalar_or_map, takes_key, text,
};
pub(crate) use values::{Anything, Between, Cidr, SecretText, WrittenDuration, WrittenSize};
pub use values::{OneOrMany, duration};
pub(crate) use written::Written;
