//! A disk for one daemon that can be full or read-only: a small tmpfs over one of its folders, in a mount namespace of its own, so that the
//! machine is not affected and nothing is left behind.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{self, Daemon};

/// Mounts a tmpfs of `$2` bytes over `$1`, keeps the files of that folder, remounts it read-only if `$3` is `ro`, and executes the rest.
const MOUNT: &str = r#"
set -e
held=$(mktemp -d); cp -a "$1/." "$held/"
mount -t tmpfs -o size="$2",mode=0700 tmpfs "$1"
cp -a "$held/." "$1/"; rm -rf "$held"
if [ "$3" = ro ]; then mount -o remount,ro "$1"; fi
shift 3
exec "$@"
"#;

/// Reports whether this machine allows unprivileged users to mount in a namespace of their own.
pub fn can_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// A folder of a running daemon, in the daemon's mount namespace.
#[derive(Clone, Debug)]
pub struct Disk {
    pid: u32,
    folder: PathBuf,
}

impl Disk {
    /// Starts a binary of this workspace with a disk of `bytes` over `folder`, which keeps its files.
    ///
    /// # Panics
    /// If the daemon does not start.
    pub fn start(
        name: &str,
        arguments: &[&str],
        log: &Path,
        (folder, bytes, read_only): (&Path, u64, bool),
    ) -> (Daemon, Self) {
        let binary = process::binary(name);
        let bytes = bytes.to_string();
        let mode = if read_only { "ro" } else { "rw" };
        let path = |path: &Path| path.to_str().expect("test paths are UTF-8").to_owned();
        let (folder_text, binary_text) = (path(folder), path(&binary));
        let mut all = vec!["-rm", "sh", "-c", MOUNT, "sh"];
        all.extend([folder_text.as_str(), &bytes, mode, &binary_text]);
        all.extend(arguments);
        let daemon = Daemon::start_program(Path::new("unshare"), &all, log);
        let disk = Self {
            pid: daemon.pid(),
            folder: folder.to_owned(),
        };
        (daemon, disk)
    }

    fn filler(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").expect("an absolute path");
        let root = PathBuf::from(format!("/proc/{}/root", self.pid));
        root.join(inside).join("filler")
    }

    /// Fills the disk to the last byte.
    ///
    /// # Panics
    /// If the disk cannot be reached.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("the disk of the daemon is reached");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// Frees the space that [`Disk::fill`] has taken.
    ///
    /// # Panics
    /// If the disk was not filled.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("the disk was filled");
    }

    /// Mounts an empty read-only disk over the folder: paths below it cannot be written any more. Files that are open stay writable.
    ///
    /// # Panics
    /// If the mount fails.
    pub fn make_read_only(&self) {
        self.inside(&["mount", "-t", "tmpfs", "-o", "ro", "tmpfs"]);
    }

    /// Removes the mount of [`Disk::make_read_only`].
    ///
    /// # Panics
    /// If the unmount fails.
    pub fn make_writable(&self) {
        self.inside(&["umount"]);
    }

    fn inside(&self, command: &[&str]) {
        let pid = self.pid.to_string();
        let done = Command::new("nsenter")
            .args(["-t", &pid, "-U", "--preserve-credentials", "-m"])
            .args(command)
            .arg(&self.folder)
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{command:?}");
    }
}
