//! Files and folders for this process only: state and secrets.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tracing::warn;

mod key;
mod mode;
pub use key::{Key, KeyError, load_or_create_key};
pub use mode::WideMode;

#[cfg(test)]
mod tests;

/// Creates `folder` and its parents if they are missing, with mode 0700. If every user may replace its files, that access is removed.
///
/// # Errors
/// If it cannot be created, is not a folder, or if every user may replace its files and that cannot be changed.
pub fn ensure_dir(folder: &Path) -> io::Result<()> {
    let opened = created(folder)?;
    let mode = opened.metadata()?.mode() & 0o7777;
    // With the sticky bit, as on /tmp, others may add files but not replace ours.
    if mode & 0o002 == 0 || mode & 0o1000 != 0 {
        return Ok(());
    }
    match WideMode::repair(&opened, mode & !0o002)? {
        Some(wide) if wide.still_gives_others(0o002) => {
            let reason = format!("writable by every user: {wide}");
            Err(io::Error::new(ErrorKind::PermissionDenied, reason))
        }
        Some(wide) => {
            warn!(folder = %folder.display(), "folder was writable by every user: {wide}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Like [`ensure_dir`], for a folder of one daemon: also removes write access of group and others. Returns the mode found if it was too
/// wide.
///
/// # Errors
/// Like [`ensure_dir`].
pub fn ensure_own_dir(folder: &Path) -> io::Result<Option<WideMode>> {
    ensure_dir(folder)?;
    WideMode::repair_writable(&File::open(folder)?)
}

fn created(folder: &Path) -> io::Result<File> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    File::open(folder)
}

/// Replaces `path` with `content` atomically, mode 0600: after a crash at any point the file has the old content or the new. Only one
/// writer per path at a time.
///
/// # Errors
/// If a step fails. No temporary file is left, and the old content remains unless only the final sync of the folder failed.
pub fn write_atomic(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with_mode(path, content, 0o600)
}

/// Like [`write_atomic`], without syncing: the content survives this process, but after a crash of the machine the file may be empty.
///
/// # Errors
/// Like [`write_atomic`].
pub fn write_atomic_unsynced(path: &Path, content: &[u8]) -> io::Result<()> {
    let (_, temporary) = places(path)?;
    create(&temporary, content, 0o600)?;
    renamed(&temporary, path)
}

/// Like [`write_atomic`], for a secret that only its owner reads and that is never edited: mode 0400.
///
/// # Errors
/// Like [`write_atomic`].
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

/// Removes the temporary file and returns the first error. A leftover is overwritten by the next attempt.
fn given_up(temporary: &Path, error: io::Error) -> io::Error {
    let _ = std::fs::remove_file(temporary);
    error
}

/// Returns the folder of a path, and the fixed name of its temporary file: a leftover of a crash is replaced, so leftovers do not
/// accumulate.
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

/// Creates a file with this content, and removes it again on failure.
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
    // A strict umask may have removed requested bits.
    file.set_permissions(PermissionsExt::from_mode(mode))?;
    Ok(file)
}

/// Reads a file of at most `max` bytes whose content is neither sealed nor checksummed. Write access of group and others is removed and
/// logged.
///
/// # Errors
/// `NotFound` if it is missing; `InvalidData` if it is a link, not a regular file, longer, or writable by every user and that cannot be
/// changed.
pub fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = open_own(path)?;
    if let Some(wide) = WideMode::repair_writable(&file)? {
        if wide.still_gives_others(0o002) {
            return Err(refused(format!("writable by every user: {wide}")));
        }
        warn!(file = %path.display(), "file was writable by others: {wide}");
    }
    let len = file.metadata()?.len();
    read_at_most(file, len, max)
}

/// Reads a file of at most `max` bytes whose content is sealed or checksummed, and is therefore trusted whatever its mode. A mode beyond
/// 0600 is reset and returned.
///
/// # Errors
/// `NotFound` if it is missing; `InvalidData` if it is a link, not a regular file, or longer.
pub fn read_sealed(path: &Path, max: u64) -> io::Result<(Vec<u8>, Option<WideMode>)> {
    let file = open_own(path)?;
    let wide = narrow(&file)?;
    let len = file.metadata()?.len();
    Ok((read_at_most(file, len, max)?, wide))
}

/// Resets the mode of an open file to 0600 if it gives others more, and returns the mode found.
///
/// # Errors
/// If the mode cannot be read.
pub fn narrow(file: &File) -> io::Result<Option<WideMode>> {
    WideMode::repair(file, 0o600)
}

/// Reads the first `most` bytes of a file, or all of a shorter one.
///
/// # Errors
/// `NotFound` if it is missing; `InvalidData` if it is a link or not a regular file.
pub fn read_start(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    open_own(path)?.take(most).read_to_end(&mut start)?;
    Ok(start)
}

/// Opens a regular file without following a link and without blocking on a pipe.
fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(refused("is a symbolic link".to_owned()));
        }
        other => other?,
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(refused("is not a regular file".to_owned()))
    }
}

/// Reads a file that had `len` bytes a moment ago, with a single allocation of that size.
fn read_at_most(file: File, len: u64, max: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(len.min(max).saturating_add(1)).unwrap_or_default();
    let mut content = Vec::with_capacity(size);
    file.take(max.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > max {
        return Err(refused(format!("larger than {max} bytes")));
    }
    Ok(content)
}

fn refused(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
