//! One process per state folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const FILE: &str = "lock";

/// Reason why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process uses the folder.
    #[error("{} is in use by {holder}; stop it, or set another state_dir", folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// `process PID`, or `another process` if its id is not in the file yet.
        holder: String,
    },
    /// The lock file cannot be opened.
    #[error("cannot lock {}: {cause}", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// The passed lock belongs to another folder.
    #[error("the passed lock is not the lock of {}: the process that passed it uses another folder", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
    },
}

/// The right to be the only process that uses a folder: a `flock` on its file `lock`, which the kernel releases however the process exits.
/// The file contains the process id for people, and is not removed. The lock belongs to the open file, so it can be passed to another
/// process as a descriptor, and is held until both processes have closed it.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct InstanceLock {
    file: File,
}

impl InstanceLock {
    /// Locks `folder`, which must exist.
    ///
    /// # Errors
    /// [`LockError`]: one line with the folder and the holder or cause.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let unusable = |cause| LockError::Unusable {
            folder: folder.to_owned(),
            cause,
        };
        let file = open(folder).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    folder: folder.to_owned(),
                    holder: holder(&file),
                });
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        let lock = Self { file };
        lock.name_holder();
        Ok(lock)
    }

    /// Wraps the lock on `folder` that another process holds and has passed to this one.
    ///
    /// # Errors
    /// [`LockError`], also if it is the lock of another folder.
    pub fn passed(folder: &Path, lock: OwnedFd) -> Result<Self, LockError> {
        let unusable = |cause| LockError::Unusable {
            folder: folder.to_owned(),
            cause,
        };
        let identity = |file: &File| file.metadata().map(|meta| (meta.dev(), meta.ino()));
        let own = open(folder).and_then(|file| identity(&file));
        let file = File::from(lock);
        if identity(&file).map_err(unusable)? != own.map_err(unusable)? {
            return Err(LockError::Foreign {
                folder: folder.to_owned(),
            });
        }
        Ok(Self { file })
    }

    /// Returns a descriptor of the lock, to be passed to another process.
    ///
    /// # Errors
    /// If the descriptor cannot be duplicated.
    pub fn handle(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Writes the id of this process into the file. A lock that was passed still names the previous process.
    pub fn name_holder(&self) {
        let mut file = &self.file;
        // Informational only: the lock is held even on a full or read-only disk, where a proxy must be able to start.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
    }
}

/// Returns the process that the lock file of `folder` names, whether or not it still holds the lock.
pub fn read_holder(folder: &Path) -> Option<u32> {
    read_pid(&File::open(folder.join(FILE)).ok()?)
}

fn read_pid(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Names this process in the lock file of `folder` while the previous process still holds the lock, so that a successor finds this one.
pub fn write_holder(folder: &Path) {
    // Errors are ignored as in `name_holder`: the lock does not depend on the content.
    let _ = std::fs::write(folder.join(FILE), format!("{}\n", std::process::id()));
}

/// Reports whether a process holds the lock on `folder`. If none does, this call takes it for an instant.
pub fn is_held(folder: &Path) -> bool {
    let file = File::open(folder.join(FILE));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Opens the lock file and creates it if it is missing. A file on a read-only file system can be locked, too.
fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(FILE);
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let mut writing = options.clone();
    writing.write(true).create(true).truncate(false).mode(0o600);
    match writing.open(&path) {
        // If the file is missing as well, report that it cannot be created here.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            options.open(&path).map_err(|_| error)
        }
        opened => opened,
    }
}

fn holder(file: &File) -> String {
    // For the error message only: an unreadable id counts as unknown.
    read_pid(file).map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_told_the_folder_and_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = InstanceLock::acquire(dir.path()).unwrap();
        let error = InstanceLock::acquire(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
        drop(held);
        let _again = InstanceLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn who_holds_a_lock_is_known_without_taking_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            (read_holder(dir.path()), is_held(dir.path())),
            (None, false)
        );
        let held = InstanceLock::acquire(dir.path()).unwrap();
        let own = Some(std::process::id());
        assert_eq!((read_holder(dir.path()), is_held(dir.path())), (own, true));
        drop(held);
        assert_eq!((read_holder(dir.path()), is_held(dir.path())), (own, false));
    }

    #[test]
    fn a_pid_left_behind_locks_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("lock"), "99999999\nold\n").unwrap();
        let _held = InstanceLock::acquire(dir.path()).unwrap();
        let text = std::fs::read_to_string(dir.path().join("lock")).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
    }

    #[test]
    fn a_passed_lock_holds_until_both_holders_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let old = InstanceLock::acquire(dir.path()).unwrap();
        let new = InstanceLock::passed(dir.path(), old.handle().unwrap()).unwrap();
        drop(old);
        assert!(InstanceLock::acquire(dir.path()).is_err());
        new.name_holder();
        let text = std::fs::read_to_string(dir.path().join("lock")).unwrap();
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(new);
        let _again = InstanceLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_passed_lock_of_another_folder_is_refused() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let lock = InstanceLock::acquire(one.path()).unwrap();
        let error = InstanceLock::passed(other.path(), lock.handle().unwrap()).unwrap_err();
        let named = error
            .to_string()
            .contains(&other.path().display().to_string());
        assert!(named, "{error}");
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let error = InstanceLock::acquire(Path::new("/nowhere/state")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/state"), "{error}");
    }
}
