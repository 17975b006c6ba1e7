use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::FileType;
use tempfile::TempDir;

use super::*;

/// The content of every file that must not be read.
const OUTSIDE: &[u8] = b"outside";

/// A folder `root` with a file, next to a file that is not below it.
fn stage() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("files")).unwrap();
    fs::write(root.join("files/a"), "inside").unwrap();
    fs::write(dir.path().join("secret"), OUTSIDE).unwrap();
    (dir, root)
}

type Opener = fn(&Path, &RelativePath) -> Result<File, Unusable>;

/// The system call and its replacement.
fn both() -> [Opener; 2] {
    [open, |folder, path| {
        let opened = open_checked(folder, Path::new(path.as_str()), TO_READ)?;
        found(opened).and_then(regular)
    }]
}

fn content(opener: Opener, root: &Path, path: &str) -> Result<Vec<u8>, String> {
    let opened = opener(root, &path.parse().unwrap());
    let read = opened.and_then(|file| read_opened(&file, 1_024));
    read.map_err(|reason| reason.to_string())
}

#[test]
fn files_below_the_folder_are_read_also_through_symlinks_that_stay_in_it() {
    let (dir, root) = stage();
    symlink("files/a", root.join("relative")).unwrap();
    symlink("../files/a", root.join("files/up")).unwrap();
    symlink(root.join("files/a"), root.join("absolute")).unwrap();
    symlink("files", root.join("folder")).unwrap();
    symlink(&root, dir.path().join("link")).unwrap();
    for opener in both() {
        for path in ["files/a", "relative", "files/up", "absolute", "folder/a"] {
            assert_eq!(
                content(opener, &root, path).as_deref(),
                Ok(&b"inside"[..]),
                "{path}"
            );
            let linked = dir.path().join("link");
            assert_eq!(
                content(opener, &linked, path).as_deref(),
                Ok(&b"inside"[..]),
                "{path}"
            );
        }
    }
}

#[test]
fn a_symlink_that_leaves_the_folder_is_refused() {
    let (dir, root) = stage();
    symlink("../secret", root.join("relative")).unwrap();
    symlink(dir.path().join("secret"), root.join("absolute")).unwrap();
    symlink("..", root.join("parent")).unwrap();
    symlink("/proc/self/environ", root.join("environ")).unwrap();
    symlink("/proc/self/root", root.join("magic")).unwrap();
    // A folder whose name begins with that of the root is not below it.
    fs::create_dir(dir.path().join("root2")).unwrap();
    fs::write(dir.path().join("root2/a"), OUTSIDE).unwrap();
    symlink(dir.path().join("root2/a"), root.join("sibling")).unwrap();
    let paths = [
        "relative",
        "absolute",
        "parent/secret",
        "environ",
        "magic/etc/passwd",
        "sibling",
    ];
    for opener in both() {
        for path in paths {
            let refused = content(opener, &root, path).unwrap_err();
            assert_eq!(
                refused, "leaves the configuration folder through a symlink",
                "{path}"
            );
        }
    }
}

#[test]
fn only_a_regular_file_is_read_and_a_pipe_blocks_nobody() {
    let (_dir, root) = stage();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, mode, 0).unwrap();
    symlink("/dev/null", root.join("device")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    for opener in both() {
        let refused = |path| content(opener, &root, path).unwrap_err();
        assert_eq!(
            refused("pipe"),
            "is a pipe, socket or device; expected a regular file"
        );
        assert_eq!(refused("files"), "is a folder; expected a regular file");
        assert!(
            refused("device").starts_with("leaves"),
            "{}",
            refused("device")
        );
        assert_eq!(refused("socket"), refused("pipe"));
        assert_eq!(
            refused("missing"),
            "does not exist below the configuration folder"
        );
        assert_eq!(
            refused("files/a/b"),
            "does not exist below the configuration folder"
        );
    }
}

#[test]
fn a_device_in_the_folder_is_refused() {
    // `/dev` itself is the folder: making a device needs privileges that a test may not have.
    for opener in both() {
        let refused = content(opener, Path::new("/dev"), "zero").unwrap_err();
        assert_eq!(
            refused,
            "is a pipe, socket or device; expected a regular file"
        );
    }
}

// Row C-07: files of documents.
#[test]
fn a_file_beyond_the_limit_is_not_read_however_large_it_is() {
    let (_dir, root) = stage();
    for length in [1_025, 4 << 30] {
        File::create(root.join("large"))
            .unwrap()
            .set_len(length)
            .unwrap();
        for opener in both() {
            assert_eq!(
                content(opener, &root, "large").unwrap_err(),
                "is larger than 1 KiB"
            );
        }
    }
    File::create(root.join("large"))
        .unwrap()
        .set_len(1_024)
        .unwrap();
    let file = open(&root, &"large".parse().unwrap()).unwrap();
    assert_eq!(read_opened(&file, 1_024).unwrap().len(), 1_024);
}

// Row C-07: files of documents.
#[test]
fn a_file_that_is_swapped_while_it_is_opened_is_never_read_from_outside() {
    let (dir, root) = stage();
    let (name, spare) = (root.join("swapped"), dir.path().join("spare"));
    symlink("files/a", &name).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut out = false;
            while !stop.load(Ordering::Relaxed) {
                out = !out;
                symlink(if out { "../secret" } else { "files/a" }, &spare).unwrap();
                fs::rename(&spare, &name).unwrap();
            }
        });
        for opener in both() {
            for _ in 0..2_000 {
                if let Ok(content) = content(opener, &root, "swapped") {
                    assert_eq!(content, b"inside");
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_folder_below_another_is_opened_and_keeps_its_files_when_its_name_is_taken() {
    let (dir, root) = stage();
    symlink("..", root.join("out")).unwrap();
    symlink(root.join("files"), root.join("absolute")).unwrap();
    let outer = OpenFolder::open(&root).unwrap();
    for name in ["files", "absolute", ""] {
        assert!(outer.folder(Path::new(name)).is_ok(), "{name}");
    }
    for (name, missing) in [("out", false), ("none", true), ("files/a", true)] {
        let refused = outer.folder(Path::new(name)).unwrap_err();
        let expected = matches!(refused, Unusable::Missing) == missing;
        assert!(expected, "{name}: {refused}");
    }
    let files = outer.folder(Path::new("files")).unwrap();
    fs::rename(root.join("files"), dir.path().join("moved")).unwrap();
    symlink("..", root.join("files")).unwrap();
    assert!(matches!(
        files.find(Path::new("a")),
        Ok(FoundEntry::File(..))
    ));
    assert!(matches!(files.find(Path::new("")), Ok(FoundEntry::Folder)));
    assert!(files.find(Path::new("../secret")).is_err());
}
