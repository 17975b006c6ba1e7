//! Files and folders that belong to this process alone: state and what holds secrets.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

mod key;
pub use key::{KeyError, load_or_create_key};

#[cfg(test)]
mod tests;

/// Makes sure that `folder` exists; what has to be created gets mode 0700.
///
/// # Errors
/// Where it cannot be created, is not a folder, or where anyone may replace its files.
pub fn ensure_dir(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mode = std::fs::metadata(folder)?.mode();
    // With the sticky bit, as on /tmp, others may add files but not replace ours.
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        let reason = format!(
            "anyone may write to it (mode {:04o}), chmod it to 0700",
            mode & 0o7777
        );
        return Err(io::Error::new(ErrorKind::PermissionDenied, reason));
    }
    Ok(())
}

/// Replaces `path` with `content` as one step, mode 0600: after a crash at any point the file has the old content or the new.
/// One writer per path at a time.
///
/// # Errors
/// Where a step fails; the old content stays then and no temporary file is left.
pub fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with_mode(path, content, 0o600)
}

/// As [`write_atomic`], without waiting for the disk: what is written outlives this process, but maybe not the machine, after whose end the file
/// may be empty.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_unsynced(path: &Path, content: &[u8]) -> io::Result<()> {
    let (_, temporary) = places(path)?;
    create(&temporary, content, 0o600)?;
    renamed(&temporary, path)
}

/// As [`write_atomic`], for what only its owner reads and nobody edits: mode 0400.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with_mode(path, content, 0o400)
}

fn write_with_mode(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let (folder, temporary) = places(path)?;
    let written = create(&temporary, content, mode).and_then(|file| file.sync_all());
    written.map_err(|error| given_up(&temporary, error))?;
    renamed(&temporary, path)?;
    File::open(folder)?.sync_all()
}

fn renamed(temporary: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(temporary, path).map_err(|error| given_up(temporary, error))
}

/// The first error is what matters; a leftover is overwritten by the next attempt.
fn given_up(temporary: &Path, error: io::Error) -> io::Error {
    let _ = std::fs::remove_file(temporary);
    error
}

/// The folder of a path, and the one name beside it that its temporary file has: a leftover of a crash is replaced, not piled up.
fn places(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path has no file name"))?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".tmp");
    let temporary = folder.join(hidden);
    Ok((folder, temporary))
}

/// A new file with this content.
fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let written = write_new(path, content, mode);
    written.map_err(|error| given_up(path, error))
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)?;
    // A strict umask may have taken more away than asked.
    file.set_permissions(PermissionsExt::from_mode(mode))?;
    Ok(file)
}

/// Reads a file of at most `max` bytes that nobody else may write.
///
/// # Errors
/// `NotFound` where it is missing; `InvalidData` where it is a link, not a file, writable by group or others, or longer.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = open_own(path)?;
    let meta = file.metadata()?;
    if meta.mode() & 0o022 != 0 {
        return Err(refused(format!(
            "others may write it (mode {:04o})",
            meta.mode() & 0o7777
        )));
    }
    read_at_most(file, meta.len(), max)
}

/// Opens a regular file without following a link and without waiting on a pipe.
fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(refused("a symbolic link".to_owned()));
        }
        other => other?,
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(refused("not a regular file".to_owned()))
    }
}

/// Reads a file that had `len` bytes a moment ago, into memory of that size at once.
fn read_at_most(file: File, len: u64, max: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(len.min(max).saturating_add(1)).unwrap_or_default();
    let mut content = Vec::with_capacity(size);
    file.take(max.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > max {
        return Err(refused(format!("more than {max} bytes")));
    }
    Ok(content)
}

fn refused(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
