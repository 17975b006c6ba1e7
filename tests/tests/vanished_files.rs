//! A vanished folder of documents removes nothing, and after every push an operator can return to the files.

use std::time::Duration;

use aralez_tests::document::{many, site};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use serde_json::Value;

/// Longer than control waits for a deleted file to reappear.
const LONG: Duration = Duration::from_secs(4);

/// Starts a fleet with six hosts in the main document, and five in two files of `conf.d`.
async fn fleet(origin: &Origin) -> Fleet {
    let mut fleet = Plan::new(1)
        .control_arguments(&["--hold-ms", "200"])
        .lay_out();
    fleet.save(&many(6, "1", origin.address()));
    let host = |name: &str| site(name, &[origin.address()]);
    fleet.save_part(
        "a.yaml",
        &[host("c0.test"), host("c1.test"), host("c2.test")].concat(),
    );
    fleet.save_part("b.yaml", &[host("c3.test"), host("c4.test")].concat());
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "c4.test", "a").await;
    fleet
}

async fn held(fleet: &Fleet) -> Result<Value, String> {
    let held = fleet.ask("/v1/status").await?["documents"]["held"].clone();
    (!held.is_null())
        .then_some(held)
        .ok_or_else(|| "nothing is held".to_owned())
}

async fn answers(fleet: &Fleet, host: &str, status: u16) -> Result<(), String> {
    same(&fleet.get(0, host, "/").await?.status, &status)
}

async fn all_hosts_stay(fleet: &Fleet) {
    stays(LONG, "all hosts are served", || async {
        answers(fleet, "c0.test", 200).await?;
        answers(fleet, "c4.test", 200).await
    })
    .await;
}

#[tokio::test]
async fn a_conf_d_that_is_moved_away_or_empty_takes_nothing_away_until_it_is_released() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&origin).await;
    let (folder, away) = (
        fleet.documents().join("conf.d"),
        fleet.documents().join("away"),
    );
    let before = fleet.head().await.unwrap();
    std::fs::rename(&folder, &away).unwrap();
    all_hosts_stay(&fleet).await;
    let hold = eventually(LIVE, "the files are held", || held(&fleet)).await;
    assert_eq!(
        hold["gone"],
        serde_json::json!(["conf.d/a.yaml", "conf.d/b.yaml"])
    );
    assert!(hold["taken_in_ms"].is_null(), "{hold}");
    // An empty mount point replaces the folder.
    std::fs::create_dir(&folder).unwrap();
    all_hosts_stay(&fleet).await;
    let status = text(&fleet.ctl(&["status"]).await);
    assert!(status.contains("conf.d/a.yaml is gone"), "{status}");
    // A restart does not release the hold.
    fleet.kill_control();
    fleet.start_control().await;
    all_hosts_stay(&fleet).await;
    eventually(LIVE, "they are held again", || held(&fleet)).await;
    // Other files that are saved are read meanwhile.
    fleet.save(&many(7, "2", origin.address()));
    fleet.until_serving(LIVE, "h6.test", "a").await;
    assert_eq!(fleet.head().await, Ok(before + 1));
    // The files reappear: the hold is over, and nothing has changed.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    eventually(LIVE, "the hold is over", || async {
        same(
            &fleet.ask("/v1/status").await?["documents"]["held"],
            &Value::Null,
        )
    })
    .await;
    assert_eq!(fleet.head().await, Ok(before + 1));
    // The files vanish for good, because an operator releases the hold.
    std::fs::remove_dir_all(&folder).unwrap();
    let hold = eventually(LIVE, "the files are held", || held(&fleet)).await;
    let id = hold["id"].as_str().unwrap();
    let wrong = fleet.ctl(&["sources", "release", "000000000000"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let released = fleet.ctl(&["sources", "release", id]).await;
    assert!(released.status.success(), "{released:?}");
    eventually(LIVE, "the hosts are gone", || {
        answers(&fleet, "c0.test", 404)
    })
    .await;
    fleet.save(&many(8, "3", origin.address()));
    fleet.until_serving(LIVE, "h7.test", "a").await;
    answers(&fleet, "c0.test", 404).await.unwrap();
}

#[tokio::test]
async fn one_deleted_file_of_conf_d_is_still_a_decision() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin).await;
    std::fs::remove_file(fleet.documents().join("conf.d/b.yaml")).unwrap();
    eventually(LIVE, "its hosts are gone", || {
        answers(&fleet, "c4.test", 404)
    })
    .await;
    answers(&fleet, "c0.test", 200).await.unwrap();
}

#[tokio::test]
async fn a_push_of_a_folder_keeps_conf_d_and_a_push_of_a_file_says_what_it_drops() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin).await;
    let folder = fleet.documents();
    let file = folder.join("upstreams.yaml");
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let whole = fleet.ctl(&["push", folder, "--wait"]).await;
    assert!(whole.status.success(), "{whole:?}");
    answers(&fleet, "c0.test", 200).await.unwrap();

    let pushed = fleet.ctl(&["push", file, "--wait"]).await;
    let words = text(&pushed);
    assert!(pushed.status.success(), "{words}");
    assert!(
        words.contains("drops 3 hosts defined in conf.d/a.yaml: c0.test, c1.test, c2.test"),
        "{words}"
    );
    assert!(
        words.contains("drops 2 hosts defined in conf.d/b.yaml"),
        "{words}"
    );
    answers(&fleet, "c0.test", 404).await.unwrap();

    // Back to the files as the source.
    let taken = fleet
        .ctl(&["-o", "json", "sources", "take", "--wait"])
        .await;
    assert!(taken.status.success(), "{taken:?}");
    let json: Value = serde_json::from_slice(&taken.stdout).unwrap();
    assert_eq!(
        (&json["changed"], &json["outcome"]),
        (&true.into(), &"proven".into())
    );
    answers(&fleet, "c0.test", 200).await.unwrap();
    assert_eq!(
        fleet.ask("/v1/status").await.unwrap()["documents"]["source"],
        "file"
    );
    fleet.save_part("b.yaml", &site("c9.test", &[origin.address()]));
    fleet.until_serving(LIVE, "c9.test", "a").await;
}

#[tokio::test]
async fn the_documented_push_says_in_a_header_and_in_the_log_what_it_drops() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin).await;
    let main = std::fs::read_to_string(fleet.documents().join("upstreams.yaml")).unwrap();
    let pushed = fleet.push(&main).await;
    assert_eq!(
        (pushed.status, pushed.text()),
        (200, "Config, conf file, updated !\n".to_owned())
    );
    let header = pushed.header("x-aralez-drops").unwrap_or_default();
    assert!(
        header.contains("drops 3 hosts defined in conf.d/a.yaml"),
        "{header}"
    );
    assert!(
        fleet
            .log("control")
            .contains("drops 2 hosts defined in conf.d/b.yaml")
    );
    // A push that drops most of the hosts in this way is held, and the answer names them too.
    let taken = fleet.ctl(&["sources", "take"]).await;
    assert!(taken.status.success(), "{taken:?}");
    let held = fleet.push(&site("h0.test", &[origin.address()])).await;
    assert_eq!(held.status, 409, "{}", held.text());
    assert!(
        held.text()
            .contains("drops 3 hosts defined in conf.d/a.yaml"),
        "{}",
        held.text()
    );
}
