//! A change that removes most of the hosts, or most of a pool, is held for confirmation; an operator can force it.

use std::time::Duration;

use aralez_tests::document::{many, site};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;
use serde_json::Value;

/// Long enough to inspect a held change, short enough to wait until it expires.
const HOLD: Duration = Duration::from_secs(4);

async fn fleet(document: &str) -> Fleet {
    let hold = HOLD.as_millis().to_string();
    let plan = Plan::new(1).control_arguments(&["--hold-ms", &hold]);
    plan.document(document).start().await
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

async fn post(fleet: &Fleet, target: &str, text: &str) -> Response {
    let request = Request::new("POST", "control", target)
        .header("Authorization", &format!("Bearer {MASTER_KEY}"))
        .body(text);
    raw::send(fleet.api(), &request)
        .await
        .expect("control answers")
}

#[tokio::test]
async fn a_file_that_loses_most_hosts_is_held_shown_and_then_taken() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&many(12, "1", origin.address())).await;
    fleet.until_serving(LIVE, "h11.test", "a").await;
    fleet.save(&many(2, "2", origin.address()));
    let held = eventually(LIVE, "the file is held", || held(&fleet)).await;
    let removes = &held["removes"][0];
    assert_eq!(
        (&removes["of"], &removes["before"], &removes["removed"]),
        (&"hosts".into(), &12.into(), &10.into())
    );
    let status = aralez_tests::process::text(&fleet.ctl(&["status"]).await);
    assert!(status.contains("removes 10 of 12 hosts"), "{status}");
    assert!(status.contains("aralez-ctl sources release"), "{status}");
    assert!(fleet.log("control").contains("held for confirmation"));
    let metrics = fleet_metrics(&fleet).await;
    assert!(metrics.contains("aralez_control_files_held 1"), "{metrics}");
    assert!(
        metrics.contains("aralez_control_holds_total 1"),
        "{metrics}"
    );
    answers(&fleet, "h11.test", 200).await.unwrap();
    eventually(LIVE + HOLD, "the file is taken", || {
        answers(&fleet, "h11.test", 404)
    })
    .await;
    answers(&fleet, "h1.test", 200).await.unwrap();
    assert!(fleet.ask("/v1/status").await.unwrap()["documents"]["held"].is_null());
}

async fn fleet_metrics(fleet: &Fleet) -> String {
    let metrics = raw::get(fleet.api(), "127.0.0.1", "/metrics").await;
    metrics.expect("control has metrics").text()
}

#[tokio::test]
async fn a_file_that_went_back_changes_nothing() {
    let origin = Origin::start("a").await;
    let whole = many(12, "1", origin.address());
    let fleet = fleet(&whole).await;
    let before = fleet.until_current(LIVE).await;
    fleet.save(&many(2, "2", origin.address()));
    eventually(LIVE, "the file is held", || held(&fleet)).await;
    fleet.save(&whole);
    let gone = || async {
        match held(&fleet).await {
            Ok(held) => Err(held.to_string()),
            Err(_) => Ok(()),
        }
    };
    eventually(LIVE, "the hold is over", gone).await;
    stays(HOLD + Duration::from_secs(1), "all hosts serve", || async {
        answers(&fleet, "h11.test", 200).await?;
        same(&fleet.head().await?, &before)
    })
    .await;
}

#[tokio::test]
async fn a_deleted_file_of_conf_d_that_held_most_hosts_is_held_until_an_operator_takes_it() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1).lay_out();
    fleet.save(&site("a.test", &[origin.address()]));
    fleet.save_part("many.yaml", &many(11, "1", origin.address()));
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "h10.test", "a").await;
    let nothing = fleet.ctl(&["sources", "release"]).await;
    assert_eq!(nothing.status.code(), Some(1));
    std::fs::remove_file(fleet.documents().join("conf.d/many.yaml")).unwrap();
    eventually(LIVE, "the files are held", || held(&fleet)).await;
    answers(&fleet, "h10.test", 200).await.unwrap();
    let released = fleet.ctl(&["sources", "release"]).await;
    assert!(released.status.success(), "{released:?}");
    eventually(LIVE, "the host is gone", || {
        answers(&fleet, "h10.test", 404)
    })
    .await;
    answers(&fleet, "a.test", 200).await.unwrap();
}

#[tokio::test]
async fn a_push_that_loses_most_of_a_pool_is_refused_however_often_until_it_is_confirmed() {
    let origin = Origin::start("a").await;
    let mut all = vec![origin.address()];
    let mut others = Vec::new();
    for _ in 0..3 {
        let other = Origin::start("b").await;
        all.push(other.address());
        others.push(other);
    }
    let (four, one) = (site("a.test", &all), site("a.test", &all[..1]));
    let fleet = fleet(&four).await;
    let before = fleet.until_current(LIVE).await;
    let file = fleet.folder().join("one.yaml");
    std::fs::write(&file, &one).unwrap();
    let file = file.to_str().unwrap();

    let mut command = String::new();
    for _ in 0..3 {
        let refused = fleet.ctl(&["push", file, "--wait"]).await;
        let text = aralez_tests::process::text(&refused);
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(
            text.contains("removes 3 of 4 endpoints of pool a.test/"),
            "{text}"
        );
        assert!(text.contains("--force"), "{text}");
        let line = text.lines().find(|line| line.contains("aralez-ctl push"));
        command = line.expect("it says how to confirm").trim().to_owned();
        assert_eq!(fleet.head().await, Ok(before));
    }
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let confirmed = fleet.ctl(&words).await;
    assert!(confirmed.status.success(), "{command}: {confirmed:?}");
    assert_eq!(fleet.head().await, Ok(before + 1));

    assert!(fleet.ctl(&["push", "--force", file]).await.status.success());
    assert_eq!(post(&fleet, "/v1/config", &four).await.status, 200);
    let forced = fleet.ctl(&["push", "--force", "--wait", file]).await;
    assert!(forced.status.success(), "{forced:?}");
    assert_eq!(fleet.head().await, Ok(before + 3));
}

#[tokio::test]
async fn a_held_push_is_409_with_an_id_that_confirms_it_and_nothing_else_does() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&many(12, "1", origin.address())).await;
    let before = fleet.until_current(LIVE).await;
    let small = many(2, "2", origin.address());
    let answer = post(&fleet, "/v1/config", &small).await;
    let problem = answer.json();
    assert_eq!(
        (answer.status, &problem["removes"][0]["removed"]),
        (409, &10.into()),
        "{problem}"
    );
    let id = problem["held"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 12, "{problem}");
    let other = many(3, "2", origin.address());
    let refused = fleet.push(&other).await;
    let text = refused.text();
    assert_eq!(refused.status, 409, "{text}");
    assert!(text.starts_with("Failed to parse config!\n"), "{text}");
    assert!(text.contains("removes 9 of 12 hosts"), "{text}");
    let shown = text.split("?held=").nth(1).unwrap()[..12].to_owned();
    assert_ne!(shown, id, "each content has its own id");
    let with = |path: &str, id: &str| format!("{path}?key={MASTER_KEY}&held={id}");
    let wrong = post(&fleet, &with("/conf", &id), &other).await;
    assert_eq!(wrong.status, 409, "the id is that of another content");
    assert_eq!(
        post(&fleet, &with("/conf", "xyz"), &other).await.status,
        400
    );
    assert_eq!(
        post(&fleet, &with("/v1/config", "xyz"), &other)
            .await
            .status,
        400
    );
    // The head now has more hosts, so the same push is a different loss: the id shown before does not confirm it.
    let more = many(14, "1", origin.address());
    assert_eq!(fleet.push(&more).await.status, 200);
    assert_eq!(
        post(&fleet, &with("/conf", &shown), &other).await.status,
        409
    );
    assert_eq!(fleet.head().await, Ok(before + 1));
    let again = post(&fleet, "/v1/config", &other).await.json();
    let id = again["held"].as_str().unwrap();
    assert_eq!(post(&fleet, &with("/conf", id), &other).await.status, 200);
    assert_eq!(fleet.head().await, Ok(before + 2));
    assert_eq!(
        fleet.push(&many(12, "3", origin.address())).await.status,
        200
    );
    let forced = format!("/conf?key={MASTER_KEY}&force");
    assert_eq!(
        post(&fleet, &forced, &many(1, "4", origin.address()))
            .await
            .status,
        200
    );
}

/// Runs the documented `curl` line with further arguments; returns its output.
async fn curl(fleet: &Fleet, file: &str, arguments: &[&str]) -> String {
    let url = format!("http://{}/conf?key={MASTER_KEY}", fleet.api());
    let output = tokio::process::Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}", "-XPOST", "--data-binary"])
        .arg(format!("@{file}"))
        .args(arguments)
        .arg(&url)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await;
    aralez_tests::process::text(&output.unwrap().unwrap())
}

#[tokio::test]
async fn nothing_that_sends_a_held_push_again_by_itself_confirms_it() {
    let origin = Origin::start("a").await;
    // With a hold this short, a release by time would follow almost immediately.
    let plan = Plan::new(1).control_arguments(&["--hold-ms", "50"]);
    let fleet = plan
        .document(&many(20, "1", origin.address()))
        .start()
        .await;
    let before = fleet.until_current(LIVE).await;
    let file = fleet.folder().join("two.yaml");
    std::fs::write(&file, many(2, "2", origin.address())).unwrap();
    let file = file.to_str().unwrap();
    let retried = curl(&fleet, file, &["--retry", "3", "--retry-delay", "1"]).await;
    assert!(retried.ends_with("409"), "{retried}");
    let all = [
        "--retry",
        "2",
        "--retry-delay",
        "1",
        "--retry-all-errors",
        "--fail-with-body",
    ];
    let retried = curl(&fleet, file, &all).await;
    assert!(retried.contains("409"), "{retried}");
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let again = curl(&fleet, file, &[]).await;
        assert!(again.ends_with("409"), "{again}");
    }
    assert_eq!(fleet.head().await, Ok(before));
    answers(&fleet, "h19.test", 200).await.unwrap();
}

/// F-16: an empty configuration needs an explicit confirmation.
#[tokio::test]
async fn an_emptied_file_takes_nothing_away_until_an_operator_says_so() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet.save("");
    let held = eventually(LIVE, "the file is held", || held(&fleet)).await;
    assert_eq!(held["removes"][0]["removed"], 1, "{held}");
    answers(&fleet, "a.test", 200).await.unwrap();
    assert_eq!(fleet.push("").await.status, 409);
    answers(&fleet, "a.test", 200).await.unwrap();
    let released = fleet.ctl(&["sources", "release"]).await;
    assert!(released.status.success(), "{released:?}");
    eventually(LIVE, "nothing is served", || answers(&fleet, "a.test", 404)).await;
}
