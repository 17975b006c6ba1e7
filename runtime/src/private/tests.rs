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
fn a_folder_in_which_anyone_may_replace_files_is_narrowed() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o2777);
    ensure_dir(dir.path()).unwrap();
    assert_eq!(mode_of(dir.path()), 0o2775);
    set_mode(dir.path(), 0o1777);
    ensure_dir(dir.path()).unwrap();
    assert_eq!(mode_of(dir.path()), 0o1777);
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(ensure_dir(&file).is_err());
}

/// kubelet sets g+rws on the folders of a volume with `fsGroup`.
#[test]
fn the_folder_of_a_daemon_is_written_by_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o2770);
    let wide = ensure_own_dir(dir.path()).unwrap().unwrap();
    assert!(wide.to_string().contains("2770"), "{wide}");
    assert_eq!(mode_of(dir.path()), 0o2750);
    assert!(ensure_own_dir(dir.path()).unwrap().is_none());
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
fn reading_takes_only_plain_files_and_ends_write_access_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    write_atomic(&path, b"12345").unwrap();
    assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
    assert_eq!(read_bounded(&path, u64::MAX).unwrap(), b"12345");
    let refusal = |path: &Path, max| read_bounded(path, max).unwrap_err();
    assert_eq!(refusal(&path, 4).kind(), ErrorKind::InvalidData);
    for (wide, narrow) in [(0o602, 0o600), (0o664, 0o644), (0o460, 0o440)] {
        set_mode(&path, wide);
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        assert_eq!(mode_of(&path), narrow);
    }
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(refusal(&link, 5).to_string().contains("link"));
    assert_eq!(refusal(dir.path(), 5).kind(), ErrorKind::InvalidData);
    let missing = dir.path().join("missing");
    assert_eq!(refusal(&missing, 5).kind(), ErrorKind::NotFound);
    assert_eq!(read_start(&path, 3).unwrap(), b"123");
    assert_eq!(read_start(&path, 9).unwrap(), b"12345");
    assert!(read_start(&link, 3).is_err());
}

#[test]
fn what_is_sealed_is_read_whatever_its_mode_which_is_set_back_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot");
    write_atomic(&path, b"sealed").unwrap();
    let (content, wide) = read_sealed(&path, 9).unwrap();
    assert!(content == b"sealed" && wide.is_none());
    for mode in [0o660, 0o640, 0o666, 0o777] {
        set_mode(&path, mode);
        let (content, wide) = read_sealed(&path, 9).unwrap();
        assert_eq!(content, b"sealed");
        let told = wide.unwrap().to_string();
        assert!(told.contains(&format!("{mode:04o} was reset")), "{told}");
        assert_eq!(mode_of(&path), 0o600);
    }
}

#[test]
fn a_key_is_made_once_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    let made = load_or_create_key(&path).unwrap().key;
    assert_eq!(mode_of(&path), 0o400);
    let sealed = made.seal([1; 24], b"here", b"secret").unwrap();
    let read = load_or_create_key(&path).unwrap();
    assert_eq!(read.key.open(b"here", &sealed).unwrap(), b"secret");
    assert!(read.trouble.is_none());
    assert_eq!(names_in(dir.path()), ["seal.key"]);
}

#[test]
fn a_key_that_others_could_read_is_closed_to_them_and_told_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seal.key");
    let made = load_or_create_key(&path).unwrap().key;
    let sealed = made.seal([1; 24], b"here", b"secret").unwrap();
    for (mode, said) in [
        (0o460, "the group"),
        (0o440, "the group"),
        (0o404, "every user"),
        (0o644, "every user"),
    ] {
        set_mode(&path, mode);
        let Key { key, trouble } = load_or_create_key(&path).unwrap();
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"secret");
        let trouble = trouble.unwrap();
        assert!(trouble.contains(said), "{trouble}");
        assert!(trouble.contains(&path.display().to_string()));
        assert_eq!(mode_of(&path), 0o400);
    }
    assert!(load_or_create_key(&path).unwrap().trouble.is_none());
}

/// Even root cannot change the modes of files in /proc.
#[test]
fn a_mode_that_cannot_be_changed_keeps_nobody_from_what_is_sealed_but_from_an_open_key() {
    let path = Path::new("/proc/sys/kernel/ostype");
    let (content, wide) = read_sealed(path, 64).unwrap();
    assert_eq!(content, b"Linux\n");
    let told = wide.unwrap().to_string();
    assert!(told.contains("cannot be changed"), "{told}");
    let error = load_or_create_key(path).unwrap_err();
    assert!(matches!(error, KeyError::Exposed { .. }), "{error}");
    assert!(error.to_string().contains("/proc/sys/kernel/ostype"));
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
