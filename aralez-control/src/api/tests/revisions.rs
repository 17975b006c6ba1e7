//! `GET /v1/revisions/…`

use std::collections::BTreeMap;

use aralez_proto::document::{DocumentSet, NamedFiles};
use aralez_proto::hash::Digest;
use serde_json::{Value, json};

use super::start;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::CommitOrigin;
use crate::core::store::{Revision, RevisionInfo};

/// Revision 8 of the scripted publisher.
pub(super) fn revision() -> Revision {
    let path = "pages/404.html".parse().unwrap();
    let files = NamedFiles::collect(&[path].into(), |_| Ok("gone".into()));
    let text = "a.test: {}\n";
    let named = BTreeMap::from([("edge".parse().unwrap(), Digest::from([2; 32]))]);
    Revision {
        info: RevisionInfo {
            generation: 3,
            revision: 8,
            unix_ms: 1_000,
            origin: CommitOrigin::Api,
            message: "a reason".to_owned(),
            content_hash: Digest::from([9; 32]),
            roots: Some(AuthoredRoots {
                default: Digest::from([1; 32]),
                named,
            }),
        },
        documents: DocumentSet::of_main(text.into()).with_files(files),
    }
}

#[tokio::test]
async fn a_revision_with_its_documents_needs_the_key_also_on_this_machine() {
    let api = start(false, Some("right")).await;
    let bearer = "Authorization: Bearer right\r\n";
    let (status, text) = api.ask("GET /v1/revisions/8", bearer, "").await;
    assert_eq!(status, 200, "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "version": 1, "generation": 3, "revision": 8, "unix_ms": 1_000, "origin": "api", "message": "a reason",
        "hash": "09".repeat(32),
        "authored_roots": {"default": "01".repeat(32), "groups": {"edge": "02".repeat(32)}},
        "documents": {"upstreams.yaml": "a.test: {}\n"},
        "files": {"pages/404.html": "Z29uZQ=="},
    });
    assert_eq!(value, expected);
    for (target, headers, expected) in [
        ("8", "", 401),
        ("8", "Authorization: Bearer wrong\r\n", 401),
        ("9", bearer, 404),
        ("head", bearer, 404),
        ("x", bearer, 400),
    ] {
        let line = format!("GET /v1/revisions/{target}");
        let (status, text) = api.ask(&line, headers, "").await;
        assert_eq!(status, expected, "{target}: {text}");
        assert!(!text.contains("a.test"), "{text}");
    }
}
