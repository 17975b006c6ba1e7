//! A fleet follows a control that was lost or restored, without any change to a proxy.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use aralez_control::core::store::Store;
use aralez_control::ledger::{self, Ledger};
use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::{run, text};
use aralez_tests::raw;
use rustix::process::Signal;

/// Time until the fleet follows a restored control: proxies reconnect with a backoff.
const FOLLOWED: Duration = Duration::from_secs(20);
/// Seconds by which a generation that only nodes know is ahead of control's clock, as after a clock that was set back.
const YEARS: u64 = 100_000_000;

struct Stage {
    fleet: Fleet,
    origin: Origin,
}

impl Stage {
    async fn new(plan: Plan) -> Self {
        let origin = Origin::start("a").await;
        let document = versioned("a.test", "file", origin.address());
        let fleet = plan.document(&document).start().await;
        fleet.until_current(LIVE).await;
        Self { fleet, origin }
    }

    async fn push(&self, version: &str) {
        let document = versioned("a.test", version, self.origin.address());
        let answer = self.fleet.push(&document).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.serves(version).await;
    }

    async fn serves(&self, version: &str) {
        for proxy in 0..self.fleet.proxies.len() {
            eventually(
                FOLLOWED,
                &format!("proxy {proxy} serves {version}"),
                || async {
                    let answer = self.fleet.get(proxy, "a.test", "/").await?;
                    same(&answer.header("x-version"), &Some(version))
                },
            )
            .await;
        }
        self.fleet.until_current(FOLLOWED).await;
    }

    /// Pushes as an operator does, and expects proof from every node.
    async fn push_proven(&self, version: &str) {
        let path = self.fleet.folder().join("push.yaml");
        std::fs::write(&path, versioned("a.test", version, self.origin.address())).unwrap();
        let path = path.to_str().unwrap();
        let output = self.fleet.ctl(&["push", path, "--wait"]).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert_eq!(
            text(&output).matches("applied").count(),
            2,
            "{}",
            text(&output)
        );
        self.serves(version).await;
    }

    async fn stop_control(&mut self) {
        let mut control = self.fleet.control.take().unwrap();
        control.signal(Signal::TERM);
        control.end(LIVE).await.unwrap();
    }

    fn control_folder(&self) -> PathBuf {
        self.fleet.state().join("control")
    }

    async fn backup(&self, name: &str) -> PathBuf {
        let file = self.fleet.folder().join(name);
        let output = self
            .fleet
            .ctl(&["store", "backup", file.to_str().unwrap()])
            .await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(text(&output).contains("secret"), "{}", text(&output));
        file
    }

    async fn restore(&self, backup: &Path, more: &[&str]) -> Output {
        let state = self.fleet.state();
        let (backup, state) = (backup.to_str().unwrap(), state.to_str().unwrap());
        let mut arguments = vec!["store", "restore", backup, "--state-dir", state];
        arguments.extend(more);
        run(LIVE, "aralez-ctl", &arguments).await
    }

    async fn generation(&self) -> u64 {
        let status = self.fleet.ask("/v1/status").await.unwrap();
        status["generation"].as_u64().unwrap()
    }

    /// Makes all nodes run a generation that control's clock will not reach for years.
    async fn age(&mut self) -> u64 {
        self.stop_control().await;
        let mut ledger = Ledger::open(&self.control_folder()).unwrap();
        let generation = ledger.generation() + YEARS;
        ledger
            .begin_generation(generation, 0, "a clock that was set back")
            .unwrap();
        drop(ledger);
        self.fleet.start_control().await;
        self.fleet.until_current(FOLLOWED).await;
        generation
    }
}

#[tokio::test]
async fn an_older_backup_is_followed_by_the_fleet_as_often_as_it_is_restored() {
    let mut stage = Stage::new(Plan::new(2)).await;
    stage.push("1").await;
    let backup = stage.backup("backup").await;
    for version in ["2", "3"] {
        stage.push(version).await;
    }
    let running = stage.restore(&backup, &["--force"]).await;
    assert_eq!(running.status.code(), Some(1), "{}", text(&running));
    assert!(text(&running).contains("in use by"), "{}", text(&running));
    let mut generation = stage.generation().await;
    let proxies: Vec<u32> = stage
        .fleet
        .proxies
        .iter()
        .flatten()
        .map(|proxy| proxy.pid())
        .collect();
    for round in ["4", "5"] {
        stage.stop_control().await;
        let refused = stage.restore(&backup, &[]).await;
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
        assert!(text(&refused).contains("--force"), "{}", text(&refused));
        let restored = stage.restore(&backup, &["--force", "-o", "json"]).await;
        assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
        let restored: serde_json::Value = serde_json::from_slice(&restored.stdout).unwrap();
        assert!(
            restored["generation"].as_u64() > Some(generation),
            "{restored}"
        );
        generation = restored["generation"].as_u64().unwrap();
        for kept in restored["kept"].as_array().unwrap() {
            assert!(Path::new(kept.as_str().unwrap()).exists(), "{kept}");
        }
        stage.fleet.start_control().await;
        stage.serves("1").await;
        assert_eq!(stage.generation().await, generation);
        stage.push_proven(round).await;
    }
    let now: Vec<u32> = stage
        .fleet
        .proxies
        .iter()
        .flatten()
        .map(|proxy| proxy.pid())
        .collect();
    assert_eq!(now, proxies, "no proxy was restarted");
}

#[tokio::test]
async fn a_restored_control_goes_above_nodes_that_are_ahead_of_the_backup_and_of_the_clock() {
    let mut stage = Stage::new(Plan::new(2)).await;
    stage.push("1").await;
    let backup = stage.backup("backup").await;
    stage.push("2").await;
    let generation = stage.age().await;
    stage.push("3").await;
    // The machine is lost, and only the backup is left.
    stage.stop_control().await;
    std::fs::remove_dir_all(stage.control_folder()).unwrap();
    let restored = stage.restore(&backup, &[]).await;
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
    stage.fleet.start_control().await;
    stage.serves("1").await;
    assert_eq!(stage.generation().await, generation + 1);
    let log = stage.fleet.log("control");
    assert!(log.contains("generation raised"), "{log}");
    stage.push_proven("4").await;
}

#[tokio::test]
async fn a_lost_ledger_is_begun_anew_from_the_files_and_the_fleet_follows_though_the_clock_is_in_the_past()
 {
    let mut stage = Stage::new(Plan::new(2)).await;
    stage.push("1").await;
    let generation = stage.age().await;
    stage.stop_control().await;
    std::fs::remove_file(stage.control_folder().join("ledger.redb")).unwrap();
    stage.fleet.start_control().await;
    stage.serves("file").await;
    assert_eq!(stage.generation().await, generation + 1);
    stage.push_proven("2").await;
    // A raised generation stays raised over a restart.
    stage.fleet.kill_control();
    stage.fleet.start_control().await;
    stage.fleet.until_current(FOLLOWED).await;
    stage.push_proven("3").await;
    assert_eq!(stage.generation().await, generation + 1);
}

#[tokio::test]
async fn once_a_history_is_settled_a_node_that_is_ahead_of_it_is_turned_away_and_keeps_serving() {
    let plan = Plan::new(1).control_arguments(&["--settling-ms", "0"]);
    let mut stage = Stage::new(plan).await;
    stage.push("1").await;
    let settled = || async {
        let log = stage.fleet.log("control");
        same(&log.contains("generation settled"), &true)
    };
    eventually(LIVE, "the generation is settled", settled).await;
    let backup = stage.backup("backup").await;
    stage.age().await;
    stage.push("2").await;
    stage.stop_control().await;
    std::fs::remove_dir_all(stage.control_folder()).unwrap();
    let restored = stage.restore(&backup, &[]).await;
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
    stage.fleet.start_control().await;
    eventually(FOLLOWED, "the node is turned away as ahead", || async {
        let nodes = stage.fleet.ask("/v1/nodes").await?;
        same(&nodes["turned_away"][0]["state"].as_str(), &Some("ahead"))
            .map_err(|_| nodes.to_string())
    })
    .await;
    let answer = stage.fleet.get(0, "a.test", "/").await.unwrap();
    assert_eq!(answer.header("x-version"), Some("2"));
}

#[tokio::test]
async fn a_check_says_the_head_of_a_whole_ledger_and_names_what_is_damaged() {
    let mut stage = Stage::new(Plan::new(1)).await;
    stage.push("1").await;
    let state = stage.fleet.state();
    let arguments = ["store", "check", "--state-dir", state.to_str().unwrap()];
    let running = run(LIVE, "aralez-ctl", &arguments).await;
    assert_eq!(running.status.code(), Some(1), "{}", text(&running));
    assert!(text(&running).contains("in use by"), "{}", text(&running));
    stage.stop_control().await;
    let good = run(LIVE, "aralez-ctl", &arguments).await;
    assert_eq!(good.status.code(), Some(0), "{}", text(&good));
    assert!(
        text(&good).contains("revision 2: 2 revisions are intact"),
        "{}",
        text(&good)
    );
    let path = stage.control_folder().join("ledger.redb");
    let whole = std::fs::read(&path).unwrap();
    // Damage to bytes that matter is detected; damage to unused bytes is not reported.
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(whole.len() / 24) {
        let mut damaged = whole.clone();
        damaged[at..(at + 1024).min(whole.len())].fill(0x5a);
        std::fs::write(&path, &damaged).unwrap();
        let found = run(LIVE, "aralez-ctl", &arguments).await;
        if found.status.code() == Some(1) {
            noticed += 1;
            let named = text(&found);
            assert!(
                named.contains("revision") || named.contains("ledger.redb"),
                "{named}"
            );
        } else {
            assert_eq!(found.status.code(), Some(0), "{}", text(&found));
        }
    }
    assert!(noticed > 0, "some of it is in use");
    std::fs::remove_file(&path).unwrap();
    let gone = run(LIVE, "aralez-ctl", &arguments).await;
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone));
    assert!(
        text(&gone).contains("there is no ledger"),
        "{}",
        text(&gone)
    );
}

#[tokio::test]
async fn a_backup_is_its_owners_alone_and_needs_the_key_even_on_this_machine() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new(Plan::new(1)).await;
    let backup = stage.backup("backup").await;
    let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let open = raw::get(stage.fleet.api(), "127.0.0.1", "/v1/store/backup").await;
    assert_eq!(open.unwrap().status, 401);
    let server = format!("http://{}", stage.fleet.api());
    let target = stage.fleet.folder().join("stolen");
    let arguments = [
        "--server",
        &server,
        "store",
        "backup",
        target.to_str().unwrap(),
    ];
    let refused = run(LIVE, "aralez-ctl", &arguments).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(!target.exists());
}

#[tokio::test]
async fn backups_that_are_taken_while_pushes_come_are_each_whole() {
    let stage = Stage::new(Plan::new(0)).await;
    let api = stage.fleet.api();
    let origin = stage.origin.address();
    let pushing = tokio::spawn(async move {
        for number in 0..200 {
            let text = versioned("a.test", &number.to_string(), origin);
            let key = aralez_tests::fleet::MASTER_KEY;
            let request = raw::Request::new("POST", "control", &format!("/conf?key={key}"));
            let answer = raw::send(api, &request.body(text.as_str())).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    });
    let mut last = 0;
    for number in 0..5 {
        let backup = stage.backup(&format!("backup-{number}")).await;
        let folder = stage.fleet.folder().join(format!("restored-{number}"));
        let restored = ledger::restore(&backup, &folder, false).unwrap();
        assert!(restored.backup_revision >= last, "{restored:?}");
        last = restored.backup_revision;
        let checked = ledger::check(&folder).unwrap();
        assert_eq!(checked.damaged, Vec::<String>::new());
        assert_eq!(checked.whole, last + 1);
    }
    pushing.await.unwrap();
}
