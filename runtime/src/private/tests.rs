use std::os::unix::fs::symlink;

use super::*;

fn mode_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_is_made_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    ensure_dir(&folder).unwrap();
    ensure_dir(&folder).unwrap();
    assert_eq!(mode_of(&folder), 0o700);
    assert_eq!(mode_of(&dir.path().join("a")), 0o700);
}

#[test]
fn a_folder_in_which_anyone_may_replace_files_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o777);
    let error = ensure_dir(dir.path()).unwrap_err();
    assert!(error.to_string().contains("0777"), "{error}");
    set_mode(dir.path(), 0o1777);
    ensure_dir(dir.path()).unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(ensure_dir(&file).is_err());
}

#[test]
fn what_is_written_replaces_the_file_with_mode_0600_and_leaves_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cache");
    std::fs::write(&path, "old").unwrap();
    std::fs::write(dir.path().join(".cache.tmp"), "left by a crash").unwrap();
    write_atomic(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(mode_of(&path), 0o600);
    assert_eq!(names_in(dir.path()), ["cache"]);
}

#[test]
fn what_does_not_wait_for_the_disk_is_written_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("marks");
    std::fs::write(&path, "old").unwrap();
    write_atomic_unsynced(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(mode_of(&path), 0o600);
    assert_eq!(names_in(dir.path()), ["marks"]);
    write_atomic_unsynced(&dir.path().join("missing/file"), b"new").unwrap_err();
}

#[test]
fn a_write_that_fails_leaves_what_was_there_and_no_temporary_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("inside"), "kept").unwrap();
    write_atomic(&path, b"new").unwrap_err();
    assert_eq!(names_in(dir.path()), ["taken"]);
    assert_eq!(std::fs::read(path.join("inside")).unwrap(), b"kept");
    write_atomic(&dir.path().join("missing/file"), b"new").unwrap_err();
    write_atomic(Path::new("/"), b"new").unwrap_err();
}

#[test]
fn reading_takes_only_plain_files_that_nobody_else_may_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    write_atomic(&path, b"12345").unwrap();
    assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
    assert_eq!(read_bounded(&path, u64::MAX).unwrap(), b"12345");
    let refusal = |path: &Path, max| read_bounded(path, max).unwrap_err();
    assert_eq!(refusal(&path, 4).kind(), ErrorKind::InvalidData);
    for mode in [0o602, 0o620] {
        set_mode(&path, mode);
        assert_eq!(refusal(&path, 5).kind(), ErrorKind::InvalidData);
    }
    set_mode(&path, 0o600);
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(refusal(&link, 5).to_string().contains("link"));
    assert_eq!(refusal(dir.path(), 5).kind(), ErrorKind::InvalidData);
    let missing = dir.path().join("missing");
    assert_eq!(refusal(&missing, 5).kind(), ErrorKind::NotFound);
}

#[test]
fn a_key_is_made_once_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    let made = load_or_create_key(&path).unwrap();
    assert_eq!(mode_of(&path), 0o400);
    let sealed = made.seal([1; 24], b"here", b"secret").unwrap();
    let read = load_or_create_key(&path).unwrap();
    assert_eq!(read.open(b"here", &sealed).unwrap(), b"secret");
    assert_eq!(names_in(dir.path()), ["seal.key"]);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    load_or_create_key(&path).unwrap();
    for mode in [0o440, 0o404, 0o600 | 0o020] {
        set_mode(&path, mode);
        let error = load_or_create_key(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { .. }), "{mode:o}");
        assert!(error.to_string().contains(&path.display().to_string()));
    }
}

#[test]
fn a_damaged_key_is_refused_and_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    for length in [0, 31, 33] {
        write_atomic(&path, &vec![7; length]).unwrap();
        let error = load_or_create_key(&path).unwrap_err();
        assert!(matches!(error, KeyError::Length { .. }), "{length}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), length as u64);
    }
}
