use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::core::live::{LiveTable, Origin};
use crate::core::readiness::SETTLE;
use crate::core::request::table::Table;

fn shown(origin: Origin) -> Shown {
    let live = Live::new(Instant::now());
    if origin != Origin::None {
        live.publish(LiveTable {
            table: Table::empty(),
            snapshot: Arc::default(),
            origin,
            since: Instant::now().checked_sub(SETTLE).unwrap(),
        });
    }
    Shown {
        node: "edge-1".parse().unwrap(),
        live: Arc::new(live),
        traffic: Arc::default(),
        registry: Registry::default(),
    }
}

async fn get(shown: Shown, path: &str) -> (u16, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(shown).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_node_with_a_table_is_ready() {
    let answer = get(shown(Origin::Cache), "/readyz").await;
    assert_eq!(answer, (200, json!({"ready": true})));
}

#[tokio::test]
async fn a_node_without_one_says_why_it_is_not() {
    let (status, body) = get(shown(Origin::None), "/readyz").await;
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    let reason = body["reason"].as_str().unwrap();
    assert!(reason.contains("neither the cache nor control"), "{reason}");
}

#[tokio::test]
async fn a_draining_node_is_not_ready() {
    let shown = shown(Origin::Stream);
    shown.traffic.start_draining();
    let answer = get(shown, "/readyz").await;
    let expected = json!({"ready": false, "reason": "draining"});
    assert_eq!(answer, (503, expected));
}

#[tokio::test]
async fn the_version_names_all_that_proves_it() {
    let (status, body) = get(shown(Origin::Stream), "/version").await;
    assert_eq!(status, 200);
    assert_eq!(body["node"], "edge-1");
    assert_eq!(body["origin"], "stream");
    assert_eq!(body["root"].as_str().unwrap().len(), 64);
    for number in ["generation", "revision", "sequence", "age_s"] {
        assert_eq!(body[number], 0, "{number}");
    }
}
