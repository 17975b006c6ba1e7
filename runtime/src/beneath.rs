//! Opens files that must lie below a folder, whatever symlinks say, even while somebody replaces them.
//!
//! Symlinks may point anywhere inside the folder, as they do in a mounted Kubernetes ConfigMap, but not out of it.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aralez_proto::model::RelativePath;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// How often an open is retried that a concurrent rename disturbed.
const TRIES: usize = 16;

/// How a folder is opened: as a place, which needs no permission to list it.
const AS_FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a file is opened: without waiting for the other end of a pipe.
const TO_READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// What else a path may lead to.
const SPECIAL: &str = "a pipe, socket or device";

/// The reason why a file below a folder cannot be used, as in "files/404.html REASON".
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Nothing has this name.
    #[error("does not exist below the configuration folder")]
    Missing,
    /// A symlink leads out of the folder.
    #[error("leaves the configuration folder through a symlink")]
    Outside,
    /// A folder, pipe, socket or device.
    #[error("is {0}; expected a regular file")]
    NotRegular(&'static str),
    /// More bytes than allowed.
    #[error("is larger than {} KiB", .0 >> 10)]
    TooLarge(u64),
    /// The system refused, for this reason.
    #[error("cannot be read: {}", reason_of(.0))]
    Failed(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            _ => Self::Failed(error),
        }
    }
}

/// What a path below a folder leads to.
#[derive(Debug)]
pub enum FoundEntry {
    /// A regular file, open for reading.
    File(File, Metadata),
    /// A folder.
    Folder,
}

/// A folder below which files are opened. It stays the same folder when another one takes its name.
#[derive(Debug)]
pub struct OpenFolder {
    opened: OwnedFd,
    path: PathBuf,
}

impl OpenFolder {
    /// Opens a folder. Symlinks are followed wherever they lead.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn open(path: &Path) -> Result<Self, Unusable> {
        let path = folder_of(path);
        let opened = rustix::fs::openat(CWD, path, AS_FOLDER, Mode::empty()).map_err(refused)?;
        Ok(Self {
            opened,
            path: path.to_owned(),
        })
    }

    /// Opens a folder below this one.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn folder(&self, path: &Path) -> Result<Self, Unusable> {
        Ok(Self {
            opened: self.resolve(path, AS_FOLDER)?,
            path: self.path.join(path),
        })
    }

    /// Finds the regular file or folder at `path` below this folder. Never blocks on a pipe or device.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn find(&self, path: &Path) -> Result<FoundEntry, Unusable> {
        found(self.resolve(path, TO_READ)?)
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Unusable> {
        let path = folder_of(path);
        match open_beneath(&self.opened, path, flags) {
            // Without the system call, or where a sandbox forbids it.
            Err(Errno::NOSYS | Errno::PERM) => open_checked(&self.path, path, flags),
            // An absolute symlink, which may still point into the folder.
            Err(Errno::XDEV) => {
                let inside = inside(&self.path, path)?;
                open_beneath(&self.opened, folder_of(&inside), flags).map_err(refused)
            }
            opened => opened.map_err(refused),
        }
    }
}

/// Opens the regular file at `path` below `folder` for reading. Never blocks on a pipe or device.
///
/// # Errors
/// The reason why it cannot be used.
pub fn open(folder: &Path, path: &RelativePath) -> Result<File, Unusable> {
    OpenFolder::open(folder)?
        .find(Path::new(path.as_str()))
        .and_then(regular)
}

fn found(opened: OwnedFd) -> Result<FoundEntry, Unusable> {
    let file = File::from(opened);
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(FoundEntry::File(file, metadata)),
        (_, true) => Ok(FoundEntry::Folder),
        _ => Err(Unusable::NotRegular(SPECIAL)),
    }
}

fn regular(found: FoundEntry) -> Result<File, Unusable> {
    match found {
        FoundEntry::File(file, _) => Ok(file),
        FoundEntry::Folder => Err(Unusable::NotRegular("a folder")),
    }
}

/// Reads an opened file of at most `max` bytes.
///
/// # Errors
/// [`Unusable::TooLarge`], or the error of the system.
pub fn read_opened(file: &File, max: usize) -> Result<Vec<u8>, Unusable> {
    let max = max as u64;
    let mut content = Vec::new();
    let length = file.metadata()?.len();
    if length <= max {
        file.take(max + 1).read_to_end(&mut content)?;
    }
    match length.max(content.len() as u64) <= max {
        true => Ok(content),
        false => Err(Unusable::TooLarge(max)),
    }
}

fn refused(error: Errno) -> Unusable {
    match error {
        Errno::XDEV | Errno::LOOP => Unusable::Outside,
        // The reason for a socket.
        Errno::NXIO => Unusable::NotRegular(SPECIAL),
        error => io::Error::from(error).into(),
    }
}

/// Opens a path that the kernel resolves without leaving the folder.
fn open_beneath(folder: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve) {
            // A rename made it unclear whether the path stays below the folder.
            Err(Errno::AGAIN | Errno::INTR) if tries < TRIES => tries += 1,
            opened => return opened,
        }
    }
}

/// Returns the resolved path of a file relative to the resolved folder.
fn inside(folder: &Path, path: &Path) -> Result<PathBuf, Unusable> {
    let root = std::fs::canonicalize(folder)?;
    let real = std::fs::canonicalize(root.join(path))?;
    let inside = real.strip_prefix(&root);
    inside.map(Path::to_owned).map_err(|_| Unusable::Outside)
}

fn folder_of(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

/// Opens a file by its resolved path, and checks afterwards that this is still what the path resolves to.
fn open_checked(folder: &Path, path: &Path, flags: OFlags) -> Result<OwnedFd, Unusable> {
    let root = std::fs::canonicalize(folder)?;
    let before = root.join(inside(folder, path)?);
    let flags = flags | OFlags::NOFOLLOW;
    let file = File::from(rustix::fs::openat(CWD, &before, flags, Mode::empty()).map_err(refused)?);
    let after = root.join(inside(folder, path)?);
    let (opened, named) = (file.metadata()?, std::fs::symlink_metadata(&after)?);
    let same = (opened.dev(), opened.ino()) == (named.dev(), named.ino());
    match same && before == after {
        true => Ok(file.into()),
        false => Err(Unusable::Outside),
    }
}

/// Returns the reason without the number that the standard library appends.
fn reason_of(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((reason, _)) => reason.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
