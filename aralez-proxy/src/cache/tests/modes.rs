//! File modes left behind by kubelet, `cp -r`, `rsync` and ACL masks.

use super::*;

fn set_modes(folder: &Path, files: u32, folders: u32) {
    let proxy = folder.join("proxy");
    fs::set_permissions(&proxy, fs::Permissions::from_mode(folders)).unwrap();
    for entry in fs::read_dir(&proxy).unwrap() {
        let path = entry.unwrap().path();
        fs::set_permissions(path, fs::Permissions::from_mode(files)).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_cache_serves_whatever_its_modes_which_are_set_back_and_told() {
    // kubelet with fsGroup, a copy under umask 002, everything open.
    for (files, folders) in [(0o660, 0o2770), (0o664, 0o775), (0o666, 0o777)] {
        let folder = TempDir::new().unwrap();
        filled(folder.path(), &[1, 2]);
        set_modes(folder.path(), files, folders);
        let mut cache = cache(folder.path());
        let found = cache.boot(&Limits::default());
        assert_eq!(revision(&found), Some(2), "{files:o}");
        assert_eq!(found.cluster, CLUSTER);
        let told = found.troubles.join("\n");
        for name in ["seal.key", "marks.arz", "content-1-2-"] {
            assert!(told.contains(name), "{name}: {told}");
        }
        while cache.examine().is_some() {}
        let proxy = folder.path().join("proxy");
        assert_eq!(mode(&proxy) & 0o022, 0);
        for entry in fs::read_dir(&proxy).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
        }
    }
}

#[test]
fn marks_with_wrong_modes_are_not_forgotten() {
    let folder = TempDir::new().unwrap();
    filled(folder.path(), &[1, 2]);
    let told = Some(ProcessExit::Signal(6));
    for _ in 0..3 {
        set_modes(folder.path(), 0o660, 0o2770);
        let path = folder.path().join("proxy");
        let exits = Arc::new(ExitNotes::new(path.clone()));
        let mut cache = Cache::with_exits(path, String::new(), exits, told);
        let found = cache.boot(&Limits::default());
        if let Some(snapshot) = found.snapshot {
            cache.swap(snapshot.version().authored_root);
        }
        cache.note_marks().unwrap();
    }
    set_modes(folder.path(), 0o660, 0o2770);
    assert_eq!(
        revision(&cache(folder.path()).boot(&Limits::default())),
        Some(1)
    );
}
