//! One declaration a key: its name, its older names, its type and what it means. From it come the reading, the JSON Schema and the
//! reference, so that they cannot disagree.
//!
//! `keys!` declares the keys of a map as a struct; a type that may stand as a value implements `Shape`.

use serde_json::{Value, json};

mod bounded;
mod keys;
mod near;
mod not_yet;
mod reader;
mod shape;
mod values;

pub(crate) use bounded::{Deadline, SizeBetween, written};
pub(crate) use keys::{Key, Keyed, Taken, keys, read_entry, read_map, schema_of, unknown_reason};
pub(crate) use near::{did_you_mean, nearest};
pub(crate) use not_yet::NotYet;
pub(crate) use reader::{At, Reader, shown, told};
pub(crate) use shape::{Shape, choices, choose, scalar_or_map, text};
pub use values::duration;
pub(crate) use values::{Anything, Between, Cidr, Life, OneOrMany, Secrecy, Size};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of `main.yaml`.
pub fn main() -> Value {
    described("main.yaml", crate::main_config::schema())
}

/// The JSON Schema of `upstreams.yaml`. Files in `conf.d` hold its hosts only.
pub fn upstreams() -> Value {
    described("upstreams.yaml", crate::document::schema())
}

fn described(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(title);
    schema
}
