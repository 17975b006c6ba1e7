//! A full disk and a read-only folder do no harm: serving continues, the condition is reported, and it clears without intervention.

use std::path::PathBuf;
use std::time::Duration;

use aralez_tests::disk::{Disk, can_mount};
use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::proof::Kept;
use aralez_tests::raw::{self, Request};
use rustix::process::Signal;

/// Longest time between a failed write and the next attempt, with a margin.
const RETRIED: Duration = Duration::from_secs(20);

fn skipped() -> bool {
    let skipped = !can_mount();
    if skipped {
        println!("SKIPPED: this machine does not allow unprivileged mounts (unshare -rm)");
    }
    skipped
}

fn keep(name: &str, what: &str, measured: &str) {
    let row = Kept {
        what,
        goal: "serving continues, the fault is reported, and recovery is automatic",
        measured,
        met: true,
        test: "full_disk",
    };
    row.keep(name);
}

fn start_proxy(fleet: &mut Fleet, read_only: bool) -> Disk {
    let folder = fleet.state().join("proxy-proxy-0");
    std::fs::create_dir_all(&folder).unwrap();
    let config = fleet.folder().join("proxy-0.yaml");
    let log = fleet.folder().join("proxy-0.log");
    let arguments = ["-c", config.to_str().unwrap()];
    let place = (folder.as_path(), 512 << 10, read_only);
    let (daemon, disk) = Disk::start("aralez-proxy", &arguments, &log, place);
    fleet.proxies[0] = Some(daemon);
    disk
}

async fn answers(fleet: &Fleet, version: &str) {
    eventually(LIVE, "the proxy serves", || async {
        let answer = fleet.get(0, "a.test", "/").await?;
        same(&answer.header("x-version"), &Some(version))
    })
    .await;
}

async fn persists(fleet: &Fleet, revision: u64) {
    eventually(
        RETRIED,
        "the version is safe on disk and no trouble is left",
        || async {
            let node = fleet.node(0).await?;
            same(&node.all["persisted"]["revision"].as_u64(), &Some(revision))?;
            same(&node.troubles.len(), &0)
        },
    )
    .await;
}

async fn troubled(fleet: &Fleet, reason: &str) {
    eventually(
        RETRIED,
        "control tells what is wrong with the node",
        || async {
            let troubles = fleet.node(0).await?.troubles;
            // Of the two files of a snapshot, whichever is written first.
            let a_file =
                |trouble: &str| ["/content-", "/other-"].map(|name| trouble.contains(name));
            let named =
                |trouble: &String| a_file(trouble).contains(&true) && trouble.contains(reason);
            same(&troubles.iter().any(named), &true).map_err(|_| troubles.join("; "))
        },
    )
    .await;
    let log = fleet.log("proxy-0");
    assert!(log.contains("; serving continues"), "{log}");
}

/// F-10: the disk of a running proxy fills up or becomes read-only.
#[tokio::test]
async fn a_proxy_whose_disk_is_full_or_read_only_serves_what_is_new_and_says_so() {
    if skipped() {
        return;
    }
    let origin = Origin::start("a").await;
    let document = |version: &str| versioned("a.test", version, origin.address());
    let mut fleet = Plan::new(1).document(&document("1")).lay_out();
    fleet.start_control().await;
    let disk = start_proxy(&mut fleet, false);
    answers(&fleet, "1").await;
    let first = fleet.until_current(LIVE).await;
    persists(&fleet, first).await;

    disk.fill();
    let second = fleet.apply(&document("2")).await;
    answers(&fleet, "2").await;
    troubled(&fleet, "o space left").await;
    disk.free();
    persists(&fleet, second).await;

    disk.make_read_only();
    let third = fleet.apply(&document("3")).await;
    answers(&fleet, "3").await;
    troubled(&fleet, "ead-only file system").await;
    disk.make_writable();
    persists(&fleet, third).await;
    let measured = "new revisions served under ENOSPC and EROFS, both reported in nodes and log, written afterwards";
    keep(
        "full-disk-proxy",
        "a proxy's disk full, then read-only (F-10)",
        measured,
    );
}

/// F-10: a proxy that starts on a full or read-only disk serves from its cache.
#[tokio::test]
async fn a_proxy_that_starts_on_a_full_or_read_only_disk_serves_from_its_cache() {
    if skipped() {
        return;
    }
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&versioned("a.test", "1", origin.address()))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    persists(&fleet, head).await;
    fleet.kill_control();
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    let folder = fleet.state().join("proxy-proxy-0");
    let held: u64 = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .metadata()
                .unwrap()
                .len()
                .next_multiple_of(4096)
        })
        .sum();
    for read_only in [true, false] {
        let config = fleet.folder().join("proxy-0.yaml");
        let log = fleet.folder().join("proxy-0.log");
        let arguments = ["-c", config.to_str().unwrap()];
        // Exactly as large as its contents: full from the start.
        let place = (folder.as_path(), held, read_only);
        let (daemon, _) = Disk::start("aralez-proxy", &arguments, &log, place);
        fleet.proxies[0] = Some(daemon);
        answers(&fleet, "1").await;
        assert_eq!(fleet.version(0).await.unwrap()["origin"], "cache");
        fleet.kill_proxy(0);
        let log = fleet.log("proxy-0");
        let reason = if read_only {
            "ead-only file system"
        } else {
            "o space left"
        };
        assert!(log.contains(reason), "{log}");
    }
    let measured = "serves from its cache on both, and logs both";
    keep(
        "full-disk-start",
        "a proxy started on a read-only and on a full disk (F-10)",
        measured,
    );
}

fn start_control(fleet: &mut Fleet, read_only: bool) -> Disk {
    let folder: PathBuf = fleet.state().join("control");
    std::fs::create_dir_all(&folder).unwrap();
    let config = fleet.folder().join("control.yaml");
    let log = fleet.folder().join("control.log");
    let arguments = ["-c", config.to_str().unwrap()];
    let place = (folder.as_path(), 16 << 20, read_only);
    let (daemon, disk) = Disk::start("aralez-control", &arguments, &log, place);
    fleet.control = Some(daemon);
    disk
}

/// F-10, in control: an update that cannot be committed is refused with the reason, and accepted once there is space.
#[tokio::test]
async fn control_on_a_full_disk_refuses_what_it_cannot_keep_and_goes_on_when_there_is_room() {
    if skipped() {
        return;
    }
    let origin = Origin::start("a").await;
    let document = |version: &str| versioned("a.test", version, origin.address());
    let mut fleet = Plan::new(1).document(&document("1")).lay_out();
    let disk = start_control(&mut fleet, false);
    fleet.start_proxy(0).await;
    answers(&fleet, "1").await;
    let first = fleet.until_current(LIVE).await;
    disk.fill();
    let refused = eventually(LIVE, "a push does not fit", || async {
        let number = fleet.head().await?;
        let answer = fleet.push(&document(&format!("f{number}"))).await;
        (answer.status == 500)
            .then(|| answer.text())
            .ok_or_else(|| format!("{}", answer.status))
    })
    .await;
    assert!(refused.contains("ledger.redb"), "{refused}");
    let head = fleet.until_current(LIVE).await;
    fleet.save(&document("2"));
    eventually(
        LIVE,
        "the status says why the file does not serve",
        || async {
            let faults = fleet.document_faults().await?.join("\n");
            same(&faults.contains("ledger.redb"), &true).map_err(|_| faults)
        },
    )
    .await;
    assert_eq!(fleet.get(0, "a.test", "/").await.unwrap().status, 200);
    assert_eq!(fleet.head().await, Ok(head));
    disk.free();
    eventually(RETRIED, "the file is taken by itself", || async {
        let answer = fleet.get(0, "a.test", "/").await?;
        same(&answer.header("x-version"), &Some("2"))
    })
    .await;
    assert_eq!(fleet.head().await, Ok(head + 1));
    assert_eq!(fleet.push(&document("3")).await.status, 200);
    answers(&fleet, "3").await;
    assert!(head >= first);
    let measured = "pushes refused (500) with file and reason, status reports the file, serving continues; the file is committed \
        within 20 s of space becoming available";
    keep("full-disk-control", "control's disk full (F-10)", measured);
}

#[tokio::test]
async fn control_does_not_start_on_a_read_only_folder_and_names_it() {
    if skipped() {
        return;
    }
    let mut fleet = Plan::new(0).lay_out();
    start_control(&mut fleet, true);
    let mut control = fleet.control.take().unwrap();
    let (status, _) = control.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let folder = fleet.state().join("control");
    let log = fleet.log("control");
    assert!(log.contains(folder.to_str().unwrap()), "{log}");
    assert!(log.contains("ead-only file system"), "{log}");
}

/// A save that is refused is never applied later, whatever happens to the disk.
#[tokio::test]
async fn a_save_that_was_refused_for_a_full_disk_leaves_the_file_as_it_is_and_is_not_served_later()
{
    if skipped() {
        return;
    }
    let origin = Origin::start("a").await;
    let document = |version: &str| versioned("a.test", version, origin.address());
    let mut fleet = Plan::new(1).document(&document("1")).lay_out();
    let disk = start_control(&mut fleet, false);
    fleet.start_proxy(0).await;
    answers(&fleet, "1").await;
    fleet.until_current(LIVE).await;
    let file = fleet.documents().join("upstreams.yaml");
    disk.fill();
    let target = format!("/conf?save&key={MASTER_KEY}");
    let save = |text: String| {
        let request = Request::new("POST", "control", &target).body(text);
        let api = fleet.api();
        async move { raw::send(api, &request).await.unwrap() }
    };
    eventually(LIVE, "a save does not fit", || async {
        let answer = save(document(&format!("f{}", fleet.head().await?))).await;
        same(&answer.status, &500)
    })
    .await;
    let head = fleet.until_current(LIVE).await;
    let before = std::fs::read_to_string(&file).unwrap();
    let served = fleet.get(0, "a.test", "/").await.unwrap();
    let served = served.header("x-version").unwrap().to_owned();
    let refused = save(document("refused")).await;
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    disk.free();
    // A refused save that was still pending would be committed before the push: the push must be the very next revision.
    eventually(RETRIED, "the ledger takes revisions again", || async {
        same(&fleet.push(&document("2")).await.status, &200)
    })
    .await;
    answers(&fleet, "2").await;
    assert_eq!(fleet.head().await, Ok(head + 1), "{served}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}

#[tokio::test]
async fn a_push_whose_file_cannot_be_written_is_served_and_its_answer_says_so() {
    let origin = Origin::start("a").await;
    let document = |version: &str| versioned("a.test", version, origin.address());
    let mut fleet = Plan::new(1).document(&document("1")).start().await;
    let head = fleet.until_current(LIVE).await;
    // A rename over a folder fails.
    let file = fleet.documents().join("upstreams.yaml");
    std::fs::create_dir_all(fleet.documents().join(".upstreams.yaml.saving/x")).unwrap();
    let target = format!("/conf?save&key={MASTER_KEY}");
    let request = Request::new("POST", "control", &target).body(document("2"));
    let answer = raw::send(fleet.api(), &request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.text();
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("Config, conf file, updated !"));
    let warning = lines.next().unwrap_or_default();
    assert!(
        warning.contains("was not written") && warning.contains("upstreams.yaml"),
        "{said}"
    );
    answers(&fleet, "2").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), document("1"));
    // The file that could not be replaced does not override the push.
    fleet.kill_control();
    fleet.start_control().await;
    assert_eq!(fleet.until_current(LIVE).await, head + 1);
    answers(&fleet, "2").await;
    std::fs::remove_dir_all(fleet.documents().join(".upstreams.yaml.saving")).unwrap();
    let answer = raw::send(fleet.api(), &request).await.unwrap();
    assert_eq!(answer.text(), "Config, conf file, updated !\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), document("2"));
}
