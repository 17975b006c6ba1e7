//! The body of a push: one document, or a set of documents as JSON.

use std::collections::BTreeMap;
use std::fmt;

use aralez_proto::document::{DocumentSet, MAX_BYTES};
use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::body;
use super::problem::Problem;

/// Content type of a set: `{"documents": {"upstreams.yaml": "TEXT", "conf.d/NAME.yaml": "TEXT"}}`. A body of any other type is
/// `upstreams.yaml` itself, because a document may be written as JSON, too.
const SET: &str = "application/vnd.aralez.documents+json";
/// Maximum size of a set: escapes make the JSON larger than the texts in it.
const MAX_SET: usize = 2 * MAX_BYTES;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetJson {
    documents: Documents,
}

/// Documents by name. Duplicate names are rejected.
struct Documents(BTreeMap<String, Bytes>);

impl<'de> Deserialize<'de> for Documents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByName)
    }
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Documents;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of document names to their texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Documents, A::Error> {
        let mut documents = BTreeMap::new();
        while let Some((name, text)) = map.next_entry::<String, String>()? {
            if !is_document(&name) {
                let reason = "is not a document name: expected upstreams.yaml or conf.d/NAME.yaml";
                return Err(Error::custom(format!("`{name}` {reason}")));
            }
            if documents.insert(name.clone(), text.into()).is_some() {
                return Err(Error::custom(format!("duplicate document `{name}`")));
            }
        }
        Ok(Documents(documents))
    }
}

/// Accepts `upstreams.yaml`, `conf.d/NAME.yaml` and `conf.d/NAME.yml`, the same names that the file source reads.
fn is_document(name: &str) -> bool {
    let fragment = name.strip_prefix("conf.d/").is_some_and(|name| {
        let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        yaml && !name.starts_with('.') && !name.contains(['/', '\0'])
    });
    name == DocumentSet::MAIN || fragment
}

/// Reads the documents of a push.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<DocumentSet, Problem> {
    if !is_set(headers) {
        return Ok(DocumentSet::of_main(body::read(headers, body).await?));
    }
    let json = body::read_up_to(MAX_SET, headers, body).await?;
    parse(&json).map_err(|(status, detail)| Problem::new(status, "invalid document set", &detail))
}

fn is_set(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SET))
}

fn parse(json: &[u8]) -> Result<DocumentSet, (StatusCode, String)> {
    let set: SetJson = serde_json::from_slice(json)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let Documents(documents) = set.documents;
    if !documents.contains_key(DocumentSet::MAIN) {
        let reason =
            "upstreams.yaml is missing; send its current text to keep it, or an empty text";
        return Err((StatusCode::BAD_REQUEST, reason.to_owned()));
    }
    if documents.values().map(Bytes::len).sum::<usize>() > MAX_BYTES {
        let reason = format!("the documents exceed {} MiB", MAX_BYTES >> 20);
        return Err((StatusCode::PAYLOAD_TOO_LARGE, reason));
    }
    Ok(documents.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        parse(json.as_bytes()).unwrap_err().1
    }

    #[test]
    fn a_set_holds_its_documents_by_name() {
        let json =
            r#"{"documents": {"upstreams.yaml": "a\n", "conf.d/x.yaml": "b", "conf.d/y.yml": ""}}"#;
        let set = parse(json.as_bytes()).unwrap();
        let texts: Vec<(&str, &[u8])> = set
            .documents()
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_ref()))
            .collect();
        let wanted: [(&str, &[u8]); 3] = [
            ("conf.d/x.yaml", b"b"),
            ("conf.d/y.yml", b""),
            ("upstreams.yaml", b"a\n"),
        ];
        assert_eq!(texts, wanted);
    }

    #[test]
    fn names_that_the_files_could_not_have_are_refused() {
        for name in [
            "conf.d/../x.yaml",
            "conf.d/.x.yaml",
            "x.yaml",
            "conf.d/x.txt",
            "conf.d/a/b.yaml",
            "",
        ] {
            let json = format!(r#"{{"documents": {{"upstreams.yaml": "", "{name}": ""}}}}"#);
            assert!(refused(&json).contains("is not a document name"), "{name}");
        }
    }

    #[test]
    fn a_name_twice_a_missing_main_document_and_other_keys_are_refused() {
        let twice = r#"{"documents": {"upstreams.yaml": "a", "upstreams.yaml": "b"}}"#;
        assert!(refused(twice).contains("duplicate document"));
        assert!(refused(r#"{"documents": {}}"#).contains("upstreams.yaml is missing"));
        assert!(
            refused(r#"{"documents": {"upstreams.yaml": ""}, "x": 1}"#).contains("unknown field")
        );
    }
}
