//! Which starts fall back, and to which content.

use aralez_proto::content::Content;

use super::*;

const SEGV: Option<ProcessExit> = Some(ProcessExit::Signal(11));
const KILL: Option<ProcessExit> = Some(ProcessExit::Signal(9));

/// Starts a process whose predecessor ended like this.
fn started(folder: &Path, before: Option<ProcessExit>) -> (Cache, Arc<ExitNotes>) {
    let folder = folder.join("proxy");
    let exits = Arc::new(ExitNotes::new(folder.clone()));
    let cache = Cache::with_exits(folder, "test".to_owned(), Arc::clone(&exits), before);
    (cache, exits)
}

/// Boots after such an exit, serves what it finds and then dies. Returns what it found.
fn dies(folder: &Path, before: Option<ProcessExit>) -> CachedState {
    let (mut cache, _) = started(folder, before);
    let found = cache.boot(&Limits::default());
    if let Some(snapshot) = &found.snapshot {
        cache.swap(snapshot.version().authored_root);
        cache.note_marks().unwrap();
    }
    found
}

#[test]
fn a_version_that_crashed_in_two_boots_gives_way_to_the_one_before_and_is_told() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    assert_eq!(revision(&dies(folder.path(), None)), Some(2));
    assert_eq!(revision(&dies(folder.path(), SEGV)), Some(2));
    let found = dies(folder.path(), SEGV);
    assert_eq!(revision(&found), Some(1));
    assert_eq!(found.refused.len(), 1);
    assert_eq!(
        found.refused[0].content,
        Content::Authored(snapshot(2).version().authored_root)
    );
    assert_eq!(found.refused[0].faults[0].code, FaultCode::Suspect);
}

#[test]
fn a_version_gives_way_only_after_four_deaths_that_nobody_can_explain() {
    for before in [None, KILL] {
        let folder = TempDir::new().unwrap();
        filled(folder.path(), &[1, 2]);
        for _ in 0..4 {
            assert_eq!(revision(&dies(folder.path(), before)), Some(2));
        }
        assert_eq!(revision(&dies(folder.path(), before)), Some(1));
    }
}

/// Any exit after a shutdown signal.
#[test]
fn a_process_that_was_told_to_leave_speaks_against_nothing_however_it_ends() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    for _ in 0..10 {
        let (mut cache, exits) = started(folder.path(), SEGV);
        assert_eq!(revision(&cache.boot(&Limits::default())), Some(2));
        cache.swap(snapshot(2).version().authored_root);
        cache.note_marks().unwrap();
        exits.note(Ending::Left).unwrap();
        exits.note(Ending::Panic).unwrap();
        record_exit(&folder.path().join("proxy"), ProcessExit::Signal(11)).unwrap();
    }
}

#[test]
fn what_the_unit_recorded_is_evidence_and_no_process_is_blamed_for_it_twice() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    for _ in 0..2 {
        assert_eq!(revision(&dies(folder.path(), None)), Some(2));
        record_exit(&folder.path().join("proxy"), ProcessExit::Signal(11)).unwrap();
    }
    assert_eq!(revision(&dies(folder.path(), None)), Some(1));
    let (mut cache, _) = started(folder.path(), None);
    assert_eq!(cache.boot(&Limits::default()).refused.len(), 1);
    assert!(!folder.path().join("proxy/last-exit").exists());
}

#[test]
fn where_no_proxy_has_run_there_is_no_exit_to_record() {
    let folder = TempDir::new().unwrap();
    record_exit(folder.path(), ProcessExit::Signal(11)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn power_cuts_speak_against_nothing() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    for number in 0..10 {
        let (mut cache, _) = started(folder.path(), None);
        cache.machine = format!("boot {number}");
        assert_eq!(revision(&cache.boot(&Limits::default())), Some(2));
        cache.swap(snapshot(2).version().authored_root);
        cache.save_marks().unwrap();
    }
}

/// The unsynced file is empty after a power cut.
#[test]
fn a_power_cut_that_empties_the_last_note_loses_neither_suspects_nor_the_cluster() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    for before in [None, SEGV, SEGV] {
        dies(folder.path(), before);
    }
    let noted = folder.path().join("proxy/marks-noted.arz");
    assert!(noted.exists());
    for left in [&b""[..], b"ARALEZM2", &[0; 400]] {
        fs::write(&noted, left).unwrap();
        let (mut cache, _) = started(folder.path(), None);
        // The limit excludes every snapshot that could restore the cluster.
        let found = cache.boot(&Limits {
            max_hosts: Some(0),
            ..Limits::default()
        });
        assert_eq!(found.cluster, CLUSTER);
        let codes = found.refused.iter().map(|refusal| refusal.faults[0].code);
        assert!(codes.clone().any(|code| code == FaultCode::Suspect));
        let damaged = |trouble: &String| trouble.contains("damaged");
        assert!(!found.troubles.iter().any(damaged), "{:?}", found.troubles);
    }
}

#[test]
fn a_suspect_serves_where_nothing_else_can_and_says_so() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    dies(folder.path(), None);
    dies(folder.path(), SEGV);
    let found = dies(folder.path(), SEGV);
    assert_eq!((revision(&found), found.refused.len()), (Some(1), 1));
    assert!(
        found.troubles[0].contains("no other snapshot is available"),
        "{:?}",
        found.troubles
    );
}

#[test]
fn suspects_take_the_place_of_no_snapshot_that_may_serve() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2, 3]);
    for serves in [3, 3, 2, 2, 1] {
        assert_eq!(revision(&dies(folder.path(), SEGV)), Some(serves));
    }
    let (mut cache, _) = started(folder.path(), None);
    cache.boot(&Limits::default());
    cache.keep(&snapshot(4)).unwrap();
    // The newest file is damaged: the one that is left is older than two suspects.
    fs::write(file_of(folder.path(), 4), b"damaged").unwrap();
    assert_eq!(revision(&dies(folder.path(), None)), Some(1));
}

#[test]
fn a_start_falls_back_to_what_proved_good_rather_than_to_what_ran_shortly_before() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let (mut cache, _) = started(folder.path(), None);
    cache.boot(&Limits::default());
    cache.swap(snapshot(1).version().authored_root);
    cache.proved(snapshot(1).version().authored_root);
    for number in [2, 3] {
        cache.swap(snapshot(number).version().authored_root);
        cache.keep(&snapshot(number)).unwrap();
    }
    cache.save_marks().unwrap();
    assert_eq!(revision(&dies(folder.path(), SEGV)), Some(3));
    assert_eq!(revision(&dies(folder.path(), SEGV)), Some(1));
}

#[test]
fn a_suspect_is_tried_from_the_cache_and_a_death_on_that_try_is_fatal() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let root = snapshot(2).version().authored_root;
    dies(folder.path(), None);
    dies(folder.path(), SEGV);
    let (mut cache, _) = started(folder.path(), SEGV);
    assert_eq!(revision(&cache.boot(&Limits::default())), Some(1));
    let tried = cache.suspect(root, &Limits::default()).unwrap();
    assert_eq!(tried.version(), snapshot(2).version());
    cache.swap(root);
    cache.note_marks().unwrap();
    let found = dies(folder.path(), KILL);
    assert_eq!(revision(&found), Some(1));
    assert_eq!(found.refused[0].faults[0].code, FaultCode::Fatal);
    assert!(
        started(folder.path(), None)
            .0
            .suspect(root, &Limits::default())
            .is_err()
    );
}

#[test]
fn a_key_that_cannot_be_read_at_the_start_costs_no_marks_when_it_comes_back() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    for before in [None, SEGV, SEGV] {
        dies(folder.path(), before);
    }
    let key = folder.path().join("proxy/seal.key");
    let elsewhere = folder.path().join("seal.key");
    fs::rename(&key, &elsewhere).unwrap();
    fs::create_dir(&key).unwrap();
    let (mut cache, _) = started(folder.path(), KILL);
    let found = cache.boot(&Limits::default());
    assert!(found.snapshot.is_none() && found.troubles[0].contains("seal.key"));
    cache.swap(snapshot(3).version().authored_root);
    assert!(cache.note_marks().is_err());
    fs::remove_dir(&key).unwrap();
    fs::rename(&elsewhere, &key).unwrap();
    cache.note_marks().unwrap();
    let found = dies(folder.path(), KILL);
    assert_eq!(
        (revision(&found), found.cluster),
        (Some(1), CLUSTER.to_vec())
    );
    assert_eq!(
        found.refused[0].content,
        Content::Authored(snapshot(2).version().authored_root)
    );
}
