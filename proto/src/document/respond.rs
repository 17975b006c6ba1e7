//! `respond`.

use serde_json::Value as Json;

use crate::model::Respond;
use crate::reading::{Between, FromYaml, Reader, keys};
use crate::yaml::Node;

/// `respond`: the response of a route that answers itself.
pub(crate) struct RespondTo(pub(crate) Respond);

keys! {
    /// A response that the proxy generates.
    RespondKeys "in respond";
    /// Its status. Default: 200.
    status => Between<200, 599>,
    /// Its body. Default: none.
    body => String,
    /// The media type of its body. Default: text/plain; charset=utf-8.
    media_type: "type" => String,
}

impl FromYaml for RespondTo {
    const EXPECTED: &'static str = "a map of status, body, type";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let keys = RespondKeys::read(node, reader)?;
        // A key that was refused is already reported.
        let refused = (node.get("status").is_some() && keys.status.is_none())
            || (node.get("body").is_some() && keys.body.is_none())
            || (node.get("type").is_some() && keys.media_type.is_none());
        if refused {
            return None;
        }
        let status = keys.status.map_or(200, |status| status.value.0);
        let status = u32::try_from(status).unwrap_or_default();
        let body = keys.body.map(|body| body.value).unwrap_or_default();
        let media_type = keys.media_type.map(|given| given.value).unwrap_or_default();
        Respond::new(status, body.as_bytes(), &media_type)
            .map_err(|reason| reader.fault(node.at(), reason.to_string()))
            .ok()
            .map(Self)
    }

    fn schema() -> Json {
        RespondKeys::schema()
    }
}
