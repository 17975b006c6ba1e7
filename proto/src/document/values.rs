//! Small values of the documents.

use serde_json::{Value as Json, json};

use crate::model::GroupName;
use crate::reading::{FromYaml, Reader, choices, did_you_mean, shown, text};
use crate::yaml::{Node, Value};

choices! {
    /// `compat`
    Compat, "a release", false:
    /// Answer misses with 502.
    Aralez09 = "aralez-0.9",
}

/// `groups`: the groups that serve a host.
pub(crate) struct Groups(pub(crate) Vec<GroupName>);

impl FromYaml for Groups {
    const EXPECTED: &'static str = "a list of groups";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let mut groups = Vec::<GroupName>::read(node, reader)?;
        if groups.is_empty() {
            reader.fault(
                node.at(),
                "is empty; remove the key to serve the host in all groups",
            );
            return None;
        }
        groups.sort();
        groups.dedup();
        Some(Self(groups))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": GroupName::schema(), "minItems": 1 })
    }
}

/// `provider`: one provider or a list.
pub(crate) struct Providers;

const PROVIDERS: [&str; 3] = ["file", "consul", "kubernetes"];

impl FromYaml for Providers {
    const EXPECTED: &'static str = "file, consul, kubernetes, or a list of them";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Sequence(elements) => {
                for (index, element) in elements.enumerate() {
                    reader.element(index, |reader| check_provider(element, reader));
                }
            }
            _ => check_provider(node, reader),
        }
        Some(Self)
    }

    fn schema() -> Json {
        let one = json!({ "enum": PROVIDERS });
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

fn check_provider<'t>(node: Node<'t>, reader: &mut Reader<'t>) {
    let Some(provider) = text(node, reader, Providers::EXPECTED) else {
        return;
    };
    if !PROVIDERS.contains(&provider) {
        let hint = did_you_mean(provider, PROVIDERS.into_iter());
        let known = PROVIDERS.join(", ");
        let reason = format!(
            "unknown provider `{}`{hint}; known providers: {known}",
            shown(provider)
        );
        reader.fault(node.at(), reason);
    } else if provider != "file" {
        let reason =
            format!("the provider `{provider}` is not supported in this release; remove it");
        reader.fault(node.at(), reason);
    }
}

/// `upstreams`, for the schema only: [`crate::document::hosts`] reads it.
pub(crate) struct HostsSchema;

impl FromYaml for HostsSchema {
    const EXPECTED: &'static str = "a map of hosts";

    fn read<'t>(_: Node<'t>, _: &mut Reader<'t>) -> Option<Self> {
        Some(Self)
    }

    fn schema() -> Json {
        json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/host" } })
    }
}
