//! `host`: the `Host` that endpoints see.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::matcher::normalise_host_and_port;
use crate::reading::{FromYaml, Reader, shown, text};
use crate::rules::Rule;
use crate::yaml::Node;

/// Feature of `host`. A proxy without it would send the client's `Host` to endpoints.
const HOST: u32 = 17;

/// The `Host` of requests to endpoints, normalised, with the written port. `None`: the client's, as received.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostSeen(pub Option<Arc<str>>);

/// The value as written: a name, or `keep`.
pub(crate) struct WrittenHostSeen(Option<Arc<str>>);

impl FromYaml for WrittenHostSeen {
    const EXPECTED: &'static str = "keep, or a name";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        if text == "keep" {
            return Some(Self(None));
        }
        let scheme = text.split_once("://").map(|(_, rest)| rest);
        match (normalise_host_and_port(text), scheme) {
            (Ok(host), _) => Some(Self(Some(host.into()))),
            (Err(_), Some(rest)) => {
                let host = shown(rest.split('/').next().unwrap_or_default());
                let reason = format!("`{}` is a URL (did you mean `{host}`?)", shown(text));
                reader.fault(node.at(), reason);
                None
            }
            (Err(reason), None) => {
                reader.fault(
                    node.at(),
                    format!("`{}` is not a host: {reason}", shown(text)),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        String::schema()
    }
}

impl Rule for HostSeen {
    type Keys = WrittenHostSeen;
    type Wire = String;
    const FEATURES: &'static [u32] = &[HOST];

    fn lower(keys: Self::Keys) -> Self {
        Self(keys.0)
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[HOST])
    }

    fn encode(&self) -> Option<String> {
        self.0.as_deref().map(str::to_owned)
    }

    fn decode(wire: String, wrong: &mut dyn FnMut(String)) -> Self {
        match normalise_host_and_port(&wire) {
            Ok(host) if host == wire => return Self(Some(host.into())),
            Ok(host) => wrong(format!("{wire:?} is not normalised, expected {host}")),
            Err(reason) => wrong(format!("{wire:?} is not a host: {reason}")),
        }
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        let host = HostSeen(Some("a.example:8080".into()));
        let mut wrong = Vec::new();
        let mut decode =
            |text: &str| HostSeen::decode(text.to_owned(), &mut |reason| wrong.push(reason));
        assert_eq!(decode(&host.encode().unwrap()), host);
        for bad in ["A.example", "a.example:", "a b", "", "a/b"] {
            decode(bad);
        }
        assert_eq!(wrong.len(), 5, "{wrong:?}");
    }
}
