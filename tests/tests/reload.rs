//! A change becomes live on every proxy, whether saved, pushed or put into `conf.d`, and the operator can see it.

use std::time::{Duration, Instant};

use aralez_tests::document::{site, versioned};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{LIVE, MASTER_KEY};
use aralez_tests::raw::{self, Request};
use aralez_tests::stage::{BOUND, Stage};

#[tokio::test]
async fn a_saved_file_is_live_on_every_proxy_and_seen_by_the_operator() {
    let stage = Stage::new().await;
    for round in 0..6 {
        let body = if round % 2 == 0 { "b" } else { "a" };
        stage
            .change("save", body, async |text| stage.fleet.save(text))
            .await;
    }
    for proxy in 0..2 {
        let version = stage.fleet.version(proxy).await.unwrap();
        let node = stage.fleet.node(proxy).await.unwrap();
        assert_eq!(version["node"], node.name.as_str());
        assert_eq!(version["origin"], "stream");
        assert!(
            version["root"]
                .as_str()
                .is_some_and(|root| root.len() >= 32),
            "{version}"
        );
        assert!(version["age_s"].as_f64().is_some(), "{version}");
        assert!(
            node.faults.is_empty() && node.troubles.is_empty(),
            "{node:?}"
        );
    }
}

#[tokio::test]
async fn a_push_is_live_on_every_proxy() {
    let stage = Stage::new().await;
    stage
        .change("POST /conf", "b", async |text| {
            let response = stage.fleet.push(text).await;
            let answer = (response.status, response.text());
            assert_eq!(answer, (200, "Config, conf file, updated !\n".to_owned()));
        })
        .await;
    let file = stage.fleet.folder().join("pushed.yaml");
    stage
        .change("aralez-ctl push --wait", "a", async |text| {
            std::fs::write(&file, text).unwrap();
            let output = stage
                .fleet
                .ctl(&["push", file.to_str().unwrap(), "--wait"])
                .await;
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let response = stage.fleet.get(1, "a.test", "/").await.unwrap();
            assert_eq!(
                response.text(),
                "a",
                "a push that waited is live when it returns"
            );
        })
        .await;
}

#[tokio::test]
async fn a_part_in_conf_d_adds_its_hosts_and_takes_them_along() {
    let stage = Stage::new().await;
    let before = stage.fleet.head().await.unwrap();
    let start = Instant::now();
    stage
        .fleet
        .save_part("more.yaml", &site("more.test", &[stage.b.address()]));
    let traffic = stage.fleet.until_serving(LIVE, "more.test", "b").await;
    println!("conf.d: live after {traffic:?}");
    assert!(traffic < BOUND, "{traffic:?}");
    let added = stage.fleet.follows(before).await;
    stage.fleet.until_serving(LIVE, "a.test", "a").await;
    std::fs::remove_file(stage.fleet.documents().join("conf.d/more.yaml")).unwrap();
    eventually(LIVE, "the host is gone", || async {
        same(&stage.fleet.get(1, "more.test", "/").await?.status, &404)
    })
    .await;
    println!("conf.d, all: {:?}", start.elapsed());
    stage.fleet.follows(added).await;
    stage.fleet.until_serving(LIVE, "a.test", "a").await;
}

#[tokio::test]
async fn equal_content_makes_no_revision() {
    let stage = Stage::new().await;
    let head = stage.fleet.head().await.unwrap();
    let text = stage.document("a");
    stage.fleet.save(&text);
    let response = stage.fleet.push(&text).await;
    assert_eq!(response.status, 200);
    stays(Duration::from_secs(1), "the head is the same", || async {
        same(&stage.fleet.head().await?, &head)
    })
    .await;
}

#[tokio::test]
async fn a_push_outlives_control_until_the_files_change() {
    let mut stage = Stage::new().await;
    let text = stage.document("b");
    stage
        .change("push", "b", async |text| drop(stage.fleet.push(text).await))
        .await;
    let head = stage.fleet.head().await.unwrap();
    stage.fleet.kill_control();
    stage.fleet.start_control().await;
    assert_eq!(
        stage.fleet.until_current(LIVE).await,
        head,
        "a restart is no revision"
    );
    stays(Duration::from_millis(500), "the push is live", || async {
        same(
            &stage.fleet.get(0, "a.test", "/").await?.text().as_str(),
            &"b",
        )
    })
    .await;
    stage.fleet.kill_control();
    stage.fleet.save(&format!(
        "# edited while control was down\n{}",
        stage.document("a")
    ));
    stage.fleet.start_control().await;
    stage
        .is_live("a file that changed while control was down", head, "a")
        .await;
    drop(text);
}

#[tokio::test]
async fn a_saved_push_is_in_the_file_and_is_one_revision() {
    let stage = Stage::new().await;
    let text = versioned("a.test", "2.b", stage.b.address());
    let before = stage.fleet.head().await.unwrap();
    let request = Request::new("POST", "control", &format!("/conf?key={MASTER_KEY}&save"))
        .body(text.as_str());
    let response = raw::send(stage.fleet.api(), &request).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    stage.is_live("push with ?save", before, "b").await;
    let file = stage.fleet.documents().join("upstreams.yaml");
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
    stays(
        Duration::from_secs(1),
        "what control wrote is no change",
        || async { same(&stage.fleet.head().await?, &(before + 1)) },
    )
    .await;
}
