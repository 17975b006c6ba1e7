//! Damaged, foreign and hostile files: no panic, no partial content, and the previous file serves.

use super::*;

fn boot(folder: &Path) -> CachedState {
    cache(folder).boot(&Limits::default())
}

/// Replaces the newest file with `content` and boots: the previous file must serve, and the newest be set aside and named.
fn serves_the_previous(folder: &Path, content: &[u8], what: &str) {
    let path = file_of(folder, 2);
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, content).unwrap();
    let found = boot(folder);
    assert_eq!(revision(&found), Some(1), "{what}");
    assert!(
        found
            .troubles
            .iter()
            .any(|trouble| trouble.starts_with(&name)),
        "{what}"
    );
    assert!(!path.exists(), "{what}");
    fs::remove_file(path.with_extension("arz.corrupt")).unwrap();
    aralez_runtime::private::write_atomic(&path, &whole).unwrap();
}

/// F-11: truncated at every length including zero, and every byte flipped.
#[test]
fn a_file_cut_at_any_length_or_with_any_byte_flipped_gives_way_to_the_previous() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let whole = fs::read(file_of(folder.path(), 2)).unwrap();
    for length in 0..whole.len() {
        serves_the_previous(folder.path(), &whole[..length], &format!("cut at {length}"));
    }
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x10;
        serves_the_previous(folder.path(), &flipped, &format!("byte {position}"));
    }
    assert_eq!(revision(&boot(folder.path())), Some(2));
}

#[test]
fn a_file_sealed_with_another_key_is_set_aside() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let other = TempDir::new().unwrap();
    filled(other.path(), &[2]);
    let foreign = fs::read(file_of(other.path(), 2)).unwrap();
    serves_the_previous(folder.path(), &foreign, "another key");
}

#[test]
fn a_file_of_another_cluster_is_set_aside() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let mut moved = cache(folder.path());
    moved.boot(&Limits::default());
    moved.pin(&[6; 16]);
    moved.keep(&snapshot(2)).unwrap();
    let found = boot(folder.path());
    assert_eq!(revision(&found), Some(1));
    assert!(
        found.troubles[0].contains("another cluster"),
        "{:?}",
        found.troubles
    );
}

/// F-11: a symlink, a directory.
#[test]
fn links_and_folders_are_not_read() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2, 3]);
    let third = file_of(folder.path(), 3);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&third, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &third).unwrap();
    fs::create_dir(folder.path().join("proxy/content-9-9-00000000.arz")).unwrap();
    let found = boot(folder.path());
    assert_eq!(revision(&found), Some(2));
    assert_eq!(found.troubles.len(), 2, "{:?}", found.troubles);
    assert!(elsewhere.exists());
}

/// F-11: a file of 10 GiB.
#[test]
fn a_file_larger_than_this_node_takes_is_not_read() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let huge = fs::OpenOptions::new()
        .write(true)
        .open(file_of(folder.path(), 2))
        .unwrap();
    huge.set_len(10 << 30).unwrap();
    let limits = Limits {
        max_snapshot_bytes: Some(1 << 20),
        ..Limits::default()
    };
    assert_eq!(revision(&cache(folder.path()).boot(&limits)), Some(1));
}

#[test]
fn few_damaged_files_are_kept() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    for number in 0..9 {
        fs::write(
            folder
                .path()
                .join(format!("proxy/content-2-{number}-00000000.arz")),
            "x",
        )
        .unwrap();
    }
    assert_eq!(revision(&boot(folder.path())), Some(1));
    let aside = |name: &&String| name.ends_with(".corrupt");
    assert_eq!(names(folder.path()).iter().filter(aside).count(), 3);
}

/// F-11: damaged marks.
#[test]
fn damaged_marks_are_forgotten_and_named_and_the_cluster_stays_pinned() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let marks = folder.path().join("proxy/marks.arz");
    let whole = fs::read(&marks).unwrap();
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 1;
        fs::write(&marks, &flipped).unwrap();
        let found = boot(folder.path());
        assert_eq!(revision(&found), Some(1));
        assert_eq!(found.cluster, CLUSTER);
        assert_eq!(found.troubles.len(), 1, "byte {position}");
    }
}

/// A start reads and verifies only the file that serves.
#[test]
fn the_newest_serves_before_the_others_are_looked_at_and_then_they_are() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2, 3]);
    let second = file_of(folder.path(), 2);
    let mut bytes = fs::read(&second).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&second, bytes).unwrap();
    let mut cache = cache(folder.path());
    let found = cache.boot(&Limits::default());
    assert_eq!(revision(&found), Some(3));
    assert_eq!(found.troubles, Vec::<String>::new());
    assert!(second.exists());
    let examined: Vec<Vec<String>> = std::iter::from_fn(|| cache.examine()).collect();
    assert_eq!(
        examined.len(),
        2,
        "all but the one that serves: {examined:?}"
    );
    assert!(examined[0][0].contains("checksum"), "{examined:?}");
    assert_eq!(examined[1], Vec::<String>::new());
    assert!(!second.exists());
    assert_eq!(revision(&boot(folder.path())), Some(3));
}

#[test]
fn the_newest_is_found_among_more_files_than_are_looked_at() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[100]);
    for number in 1..=90 {
        let left = format!("proxy/content-1-{number}-00000000.arz");
        fs::write(folder.path().join(left), "left behind").unwrap();
    }
    assert_eq!(revision(&boot(folder.path())), Some(100));
}

/// F-09: leftovers of a killed writer.
#[test]
fn what_a_dead_writer_left_behind_goes() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1]);
    let left = folder.path().join("proxy/.content-1-2-00000000.arz.tmp");
    fs::write(&left, "half").unwrap();
    boot(folder.path());
    assert!(!left.exists());
}
