//! The JSON Schemas of the two configuration files.

use serde_json::{Value, json};

use crate::{document, main_config};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Returns the JSON Schema of `main.yaml`.
pub fn main() -> Value {
    described("main.yaml", main_config::schema())
}

/// Returns the JSON Schema of `upstreams.yaml`. Files in `conf.d` use only its hosts.
pub fn upstreams() -> Value {
    described("upstreams.yaml", document::schema())
}

fn described(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(title);
    schema
}
