//! A damaged cache file is never served, not even in part, and never prevents the previous good file from being served.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aralez_control::core::catalog;
use aralez_control::core::layers::Layers;
use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::cache::Cache;
use aralez_proxy::core::sync::snapshot_cache::SnapshotCache;
use aralez_tests::document::many;
use aralez_tests::ports::random;
use aralez_tests::proof::{Kept, amount};

fn snapshot(revision: u64, hosts: usize) -> Snapshot {
    let text = many(hosts, &format!("v{revision}"), ([127, 0, 0, 1], 9).into());
    let documents = DocumentSet::of_main(text.into());
    let layers = Layers {
        authored: Arc::new(document::read(&documents, &Surroundings::default()).unwrap()),
        ..Layers::default()
    };
    let version = Version {
        generation: 1,
        revision,
        ..Version::default()
    };
    Snapshot::complete(version, catalog::records(&layers, None), &Limits::default()).unwrap()
}

fn cache(folder: &Path) -> Cache {
    Cache::new(folder.to_owned(), "test".to_owned())
}

/// Fills a cache with a good small version 1, and a version 2 with this many hosts. Returns the file of version 2.
fn filled(folder: &Path, hosts: usize) -> PathBuf {
    let mut cache = cache(folder);
    cache.boot(&Limits::default());
    cache.pin(&[5; 16]);
    for snapshot in [snapshot(1, 2), snapshot(2, hosts)] {
        cache.swap(snapshot.version().authored_root);
        cache.keep(&snapshot).unwrap();
    }
    cache.clean_exit();
    cache.save_marks().unwrap();
    let files = std::fs::read_dir(folder).unwrap();
    let mut files = files.map(|entry| entry.unwrap().path());
    let newest = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("content-1-2-")
    };
    files.find(newest).expect("the second version is kept")
}

/// Replaces the newest file with `content`, and asserts that a boot sets it aside and loads version 1.
fn boots_with_the_one_before(newest: &Path, content: &[u8], what: &str) {
    let folder = newest.parent().unwrap();
    std::fs::write(newest, content).unwrap();
    let found = cache(folder).boot(&Limits::default());
    let found = found.snapshot.map(|snapshot| snapshot.version());
    assert_eq!(found, Some(snapshot(1, 2).version()), "{what}");
    assert!(!newest.exists(), "{what}: it is set aside");
    std::fs::remove_file(newest.with_extension("arz.corrupt")).unwrap();
}

/// Truncates the file at each of `cuts`, and flips one bit in each byte of `flips`. Returns the number of damages.
fn damage(newest: &Path, cuts: &[usize], flips: &[usize]) -> usize {
    let whole = std::fs::read(newest).unwrap();
    for length in cuts {
        boots_with_the_one_before(newest, &whole[..*length], &format!("cut at {length}"));
    }
    for position in flips {
        let mut flipped = whole.clone();
        flipped[*position] ^= 1 << (random() % 8);
        boots_with_the_one_before(newest, &flipped, &format!("a bit of byte {position}"));
    }
    // With the original content the file loads again, so it was the damage that the boots rejected.
    aralez_runtime::private::write_atomic(newest, &whole).unwrap();
    let found = cache(newest.parent().unwrap()).boot(&Limits::default());
    assert_eq!(
        found.snapshot.map(|snapshot| snapshot.version().revision),
        Some(2)
    );
    cuts.len() + flips.len()
}

/// F-11: truncated at any length and with any byte flipped, for a small cache and for a large one.
#[test]
fn a_damaged_file_is_never_served_and_the_good_one_before_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let small = filled(&folder.path().join("small"), 3);
    let length = usize::try_from(small.metadata().unwrap().len()).unwrap();
    let all: Vec<usize> = (0..length).collect();
    let every = damage(&small, &all, &all);

    let hosts = usize::try_from(amount(1_000, 10_000)).unwrap();
    let large = filled(&folder.path().join("large"), hosts);
    let bytes = large.metadata().unwrap().len();
    let sample = |count| {
        (0..count)
            .map(|_| usize::try_from(random() % bytes).unwrap())
            .collect::<Vec<_>>()
    };
    let each = amount(50, 2_000);
    let sampled = damage(&large, &sample(each), &sample(each));
    let measured = format!(
        "{every} damaged files of {length} bytes, {sampled} of {bytes} bytes: 0 panics, 0 damaged files served, the previous file \
         served each time"
    );
    let row = Kept {
        what: "cache: truncated at every length and every byte flipped (small file), sampled (large file) (F-11)",
        goal: "no panic; always a complete snapshot",
        measured: &measured,
        met: true,
        test: "cache_damage",
    };
    row.keep("cache-damage");
}
