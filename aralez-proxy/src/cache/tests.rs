use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use aralez_proto::convert::{host_record, pool_record};
use aralez_proto::fault::FaultCode;
use aralez_proto::model::{Action, Pool, Route, VirtualHost};
use aralez_proto::record::RecordSet;
use aralez_proto::rules::Rules;
use aralez_proto::version::Version;
use tempfile::TempDir;

use super::*;

mod accept;
mod boots;
mod damage;
mod format;
mod modes;

const CLUSTER: [u8; 16] = [5; 16];

/// Returns a snapshot with one host, named after the revision.
pub(super) fn snapshot(revision: u64) -> Snapshot {
    let pool = "app/".parse().unwrap();
    let host = VirtualHost {
        pattern: format!("r{revision}.example.com").parse().unwrap(),
        rules: Rules::default(),
        routes: vec![Route {
            path: "/".into(),
            matches: None,
            rules: Rules::default(),
            action: Action::Pool("app/".parse().unwrap()),
        }],
    };
    let records: RecordSet = [host_record(&host), pool_record(&pool, &Pool::default())]
        .into_iter()
        .collect();
    let version = Version {
        generation: 1,
        revision,
        ..Version::default()
    };
    Snapshot::complete(version, records, &Limits::default()).unwrap()
}

pub(super) fn cache(folder: &Path) -> Cache {
    Cache::new(folder.join("proxy"), "test".to_owned())
}

pub(super) fn revision(found: &CachedState) -> Option<u64> {
    let snapshot = found.snapshot.as_ref()?;
    Some(snapshot.version().revision)
}

/// Boots, serves these revisions and exits regularly.
pub(super) fn filled(folder: &Path, revisions: &[u64]) {
    let mut cache = cache(folder);
    cache.boot(&Limits::default());
    cache.pin(&CLUSTER);
    for number in revisions {
        let snapshot = snapshot(*number);
        cache.swap(snapshot.version().authored_root);
        cache.keep(&snapshot).unwrap();
    }
    cache.clean_exit();
    cache.save_marks().unwrap();
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder.join("proxy")).unwrap();
    let mut names: Vec<String> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("content-"))
        .collect();
    names.sort();
    names
}

pub(super) fn file_of(folder: &Path, revision: u64) -> PathBuf {
    let start = format!("content-1-{revision}-");
    let names = names(folder);
    let name = names.iter().find(|name| name.starts_with(&start)).unwrap();
    folder.join("proxy").join(name)
}

#[test]
fn what_was_kept_serves_after_a_restart() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let found = cache(folder.path()).boot(&Limits::default());
    assert_eq!(found.snapshot.unwrap().version(), snapshot(2).version());
    assert_eq!(found.cluster, CLUSTER);
    assert_eq!(found.troubles, Vec::<String>::new());
    assert_eq!(
        (found.boot_id.len(), found.replaces_boot_id.len()),
        (16, 16)
    );
    assert_ne!(found.boot_id, found.replaces_boot_id);
}

/// F-15: modes of cache and key.
#[test]
fn nothing_is_readable_by_others() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    for entry in fs::read_dir(folder.path().join("proxy")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let expected = if entry.file_name() == "seal.key" {
            0o400
        } else {
            0o600
        };
        assert_eq!(mode, expected, "{:?}", entry.file_name());
    }
}

#[test]
fn the_last_three_and_the_newest_that_served_a_minute_and_an_hour_are_kept() {
    let folder = TempDir::new().unwrap();
    let mut cache = cache(folder.path());
    cache.boot(&Limits::default());
    cache.pin(&CLUSTER);
    for number in 1..=9 {
        cache.keep(&snapshot(number)).unwrap();
        let root = snapshot(number).version().authored_root;
        if number == 2 || number == 4 {
            cache.proved(root);
        }
        if number == 2 {
            cache.served(root, Duration::from_secs(3600));
        }
    }
    let kept = |number: &u64| {
        let start = format!("content-1-{number}-");
        let names = names(folder.path());
        names.iter().any(|name| name.starts_with(&start))
    };
    let kept: Vec<u64> = (1..=9).filter(kept).collect();
    assert_eq!(kept, [2, 4, 7, 8, 9]);
}

#[test]
fn what_this_node_no_longer_takes_is_not_served_and_not_set_aside() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let limits = Limits {
        max_hosts: Some(0),
        ..Limits::default()
    };
    let found = cache(folder.path()).boot(&limits);
    assert_eq!(revision(&found), None);
    assert_eq!(found.refused[0].faults[0].field, "max_hosts");
    assert_eq!(
        revision(&cache(folder.path()).boot(&Limits::default())),
        Some(1)
    );
}

/// F-14: the clock goes backwards.
#[test]
fn a_newer_file_of_the_same_version_wins_whatever_the_clock_says() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let other = snapshot(2).renamed(snapshot(1).version());
    let mut cache_now = cache(folder.path());
    cache_now.boot(&Limits::default());
    cache_now.keep(&other).unwrap();
    let found = cache(folder.path()).boot(&Limits::default());
    assert_eq!(found.snapshot.unwrap().version().root, other.version().root);
}

/// F-10: a folder that is not writable.
#[test]
fn a_folder_that_cannot_be_written_is_named_and_works_again_when_it_can() {
    let folder = TempDir::new().unwrap();
    let blocked = folder.path().join("proxy");
    fs::write(&blocked, "in the way").unwrap();
    let mut cache = cache(folder.path());
    let found = cache.boot(&Limits::default());
    assert!(found.snapshot.is_none() && !found.troubles.is_empty());
    assert!(cache.keep(&snapshot(1)).is_err());
    assert!(cache.save_marks().is_err());
    fs::remove_file(&blocked).unwrap();
    cache.keep(&snapshot(1)).unwrap();
    cache.save_marks().unwrap();
    assert_eq!(names(folder.path()).len(), 1);
}
