//! Opens files that must lie below a folder, whatever symlinks say, even while somebody replaces them.
//!
//! Symlinks may point anywhere inside the folder, as they do in a mounted Kubernetes ConfigMap, but not out of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aralez_proto::model::RelativePath;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// How often an open is retried that a concurrent rename disturbed.
const TRIES: usize = 16;

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

/// Opens the regular file at `path` below `folder` for reading. Never blocks on a pipe or device.
///
/// # Errors
/// The reason why it cannot be used.
pub fn open(folder: &Path, path: &RelativePath) -> Result<File, Unusable> {
    let opened = match open_beneath(folder, Path::new(path.as_str())) {
        // Without the system call, or where a sandbox forbids it.
        Err(Errno::NOSYS | Errno::PERM) => open_checked(folder, path)?,
        // An absolute symlink, which may still point into the folder.
        Err(Errno::XDEV) => {
            let inside = inside(folder, path)?;
            open_beneath(folder, &inside).map_err(refused)?
        }
        opened => opened.map_err(refused)?,
    };
    regular(opened)
}

/// Reads the regular file at `path` below `folder`, of at most `max` bytes.
///
/// # Errors
/// The reason why it cannot be used.
pub fn read(folder: &Path, path: &RelativePath, max: usize) -> Result<Vec<u8>, Unusable> {
    read_opened(&open(folder, path)?, max)
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
        error => io::Error::from(error).into(),
    }
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

/// Opens a path that the kernel resolves without leaving the folder.
fn open_beneath(folder: &Path, path: &Path) -> Result<File, Errno> {
    let folder_flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, folder_of(folder), folder_flags, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut tries = 0;
    loop {
        match rustix::fs::openat2(&folder, path, flags(), Mode::empty(), resolve) {
            // A rename made it unclear whether the path stays below the folder.
            Err(Errno::AGAIN | Errno::INTR) if tries < TRIES => tries += 1,
            opened => return opened.map(File::from),
        }
    }
}

/// Returns the resolved path of a file relative to the resolved folder.
fn inside(folder: &Path, path: &RelativePath) -> Result<PathBuf, Unusable> {
    let root = std::fs::canonicalize(folder_of(folder))?;
    let real = std::fs::canonicalize(root.join(path.as_str()))?;
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
fn open_checked(folder: &Path, path: &RelativePath) -> Result<File, Unusable> {
    let root = std::fs::canonicalize(folder_of(folder))?;
    let before = root.join(inside(folder, path)?);
    let flags = (flags() | OFlags::NOFOLLOW).bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(&before)?;
    let after = root.join(inside(folder, path)?);
    let (opened, named) = (file.metadata()?, std::fs::symlink_metadata(&after)?);
    let same = (opened.dev(), opened.ino()) == (named.dev(), named.ino());
    match same && before == after {
        true => Ok(file),
        false => Err(Unusable::Outside),
    }
}

fn regular(file: File) -> Result<File, Unusable> {
    let kind = file.metadata()?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(Unusable::NotRegular("a folder")),
        _ => Err(Unusable::NotRegular("a pipe, socket or device")),
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
