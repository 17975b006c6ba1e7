//! Reads the current files, but only those that may have changed.

mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aralez_proto::document::MAX_BYTES;
use aralez_proto::model::RelativePath;
use bytes::Bytes;

use super::main_config::MainConfigFile;
use super::settle::{Folder, Found, Scan, SeenFile, Written};
use super::writers::{FileId, LastEvent, WriteEvents};

/// Two writes within one tick of the file system's clock leave the same times, so a file younger than this is read again at every look.
const STABLE: Duration = Duration::from_secs(2);

/// Age of the last change from which a file counts as [`Written::LongAgo`].
const LONG_AGO: Duration = Duration::from_millis(500);

/// Reads one set of files repeatedly.
#[derive(Debug)]
pub(super) struct FileScanner {
    writers: WriteEvents,
    main: PathBuf,
    conf_d: PathBuf,
    main_config: MainConfigFile,
    /// The files that the documents name.
    wanted: Arc<BTreeSet<RelativePath>>,
    cache: BTreeMap<PathBuf, Cached>,
}

#[derive(Clone, Debug)]
struct Cached {
    stamp: Stamp,
    text: Bytes,
    settled: bool,
}

impl Cached {
    /// Returns the entry of a file that was never read.
    const fn empty(file: FileId) -> Self {
        Self {
            stamp: Stamp {
                file,
                len: 0,
                modified: (0, 0),
                changed: (0, 0),
            },
            text: Bytes::new(),
            settled: false,
        }
    }
}

/// Metadata that changes when a file does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    file: FileId,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            file: FileId::of(meta),
            len: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// Reports whether the last change is long past. Uses `ctime`, which cannot be set.
    fn settled(&self) -> bool {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.unwrap_or_default().as_secs().cast_signed();
        now.saturating_sub(self.changed.0) > STABLE.as_secs().cast_signed()
    }

    /// Reports whether the last change is older than [`LONG_AGO`], by the clock of this machine.
    fn changed_long_ago(&self) -> bool {
        let (Ok(seconds), Ok(nanos)) =
            (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let changed = UNIX_EPOCH + Duration::new(seconds, nanos);
        let since = SystemTime::now().duration_since(changed);
        since.is_ok_and(|since| since >= LONG_AGO)
    }
}

impl FileScanner {
    /// Creates a looker for `main` and the `conf.d/` next to it; `writers` supplies their write events.
    pub(super) fn new(main: &Path, writers: WriteEvents) -> Self {
        Self {
            writers,
            conf_d: parent_of(main).join("conf.d"),
            main: main.to_owned(),
            main_config: MainConfigFile::default(),
            wanted: Arc::default(),
            cache: BTreeMap::new(),
        }
    }

    /// Withholds `main.yaml` from documents.
    pub(super) fn withhold(&mut self, main_config: MainConfigFile) {
        self.main_config = main_config;
    }

    /// Sets the files that the documents name.
    pub(super) fn want(&mut self, files: Arc<BTreeSet<RelativePath>>) {
        self.wanted = files;
    }

    pub(super) fn main(&self) -> &Path {
        &self.main
    }

    pub(super) fn conf_d(&self) -> &Path {
        &self.conf_d
    }

    pub(super) fn scan(&mut self) -> Scan {
        let (names, conf_d_trouble) = match names_in(&self.conf_d) {
            Ok(names) => (names, None),
            Err(error) => (Vec::new(), Some(reason_of(&error))),
        };
        let mut seen = BTreeMap::new();
        let main = self.main.clone();
        let main = self.file(main, &mut seen);
        let conf_d = names.into_iter().map(|name| {
            let found = match name.to_str() {
                Some(name) => self.file(self.conf_d.join(name), &mut seen),
                None => Found::Trouble("its name is not UTF-8".to_owned()),
            };
            (format!("conf.d/{}", name.to_string_lossy()), found)
        });
        let look = Scan {
            main,
            conf_d: conf_d.collect(),
            named: self.named(&mut seen),
            folder: self.folder(),
            conf_d_trouble,
        };
        self.cache = seen;
        look
    }

    fn folder(&self) -> Option<Folder> {
        let meta = std::fs::metadata(&self.conf_d).ok()?;
        let real = std::fs::canonicalize(&self.conf_d).ok()?;
        meta.is_dir().then(|| Folder {
            id: FileId::of(&meta),
            real,
        })
    }

    /// Returns the files found last, with their real names.
    pub(super) fn names(&self) -> BTreeMap<FileId, OsString> {
        let names = self.cache.iter().filter_map(|(path, cached)| {
            let real = std::fs::canonicalize(path).ok()?;
            Some((cached.stamp.file, real.file_name()?.to_owned()))
        });
        names.collect()
    }

    fn file(&self, path: PathBuf, seen: &mut BTreeMap<PathBuf, Cached>) -> Found {
        self.read_with(path, seen, |path, cached| {
            read(path, cached).map_err(|error| match error.kind() {
                ErrorKind::NotFound => Found::Missing,
                _ => Found::Trouble(reason_of(&error)),
            })
        })
    }

    /// Reads a file with `read`, unless it is being written, and keeps it in `seen`.
    fn read_with(
        &self,
        path: PathBuf,
        seen: &mut BTreeMap<PathBuf, Cached>,
        read: impl FnOnce(&Path, Option<&Cached>) -> Result<Cached, Found>,
    ) -> Found {
        let cached = self.cache.get(&path);
        if let Some((file, found)) = self.being_written(&path) {
            // Keep the file in the cache even if it is unread: `names` lists the files of the cache.
            let empty = || Cached::empty(file);
            seen.insert(path, cached.cloned().unwrap_or_else(empty));
            return found;
        }
        match read(&path, cached) {
            Ok(cached) => {
                let found = Found::Text(SeenFile {
                    text: cached.text.clone(),
                    file: cached.stamp.file,
                    written: self.written(&cached.stamp),
                });
                seen.insert(path, cached);
                found
            }
            Err(found) => found,
        }
    }

    /// A file that is being written is not read at all.
    fn being_written(&self, path: &Path) -> Option<(FileId, Found)> {
        let file = FileId::of(&std::fs::metadata(path).ok()?);
        let writing = self.writers.heard(file) == Some(LastEvent::Written);
        writing.then_some((file, Found::Writing(file)))
    }

    fn written(&self, stamp: &Stamp) -> Written {
        match self.writers.heard(stamp.file) {
            Some(LastEvent::Moved) => Written::Moved,
            Some(LastEvent::Closed) => Written::Closed,
            // A write began since the file was read: the next look does not read it.
            Some(LastEvent::Made | LastEvent::Written) => Written::Made,
            None if stamp.changed_long_ago() => Written::LongAgo,
            None => Written::Unknown,
        }
    }
}

/// Returns the folder of a file.
pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns the names of the non-hidden YAML files in `conf.d/`; empty if there is no such folder.
pub(super) fn names_in(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let shown = name.to_string_lossy();
        let counts = shown.ends_with(".yaml") || shown.ends_with(".yml");
        if counts && !shown.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(path: &Path, cached: Option<&Cached>) -> io::Result<Cached> {
    if let Some(cached) = cached.filter(|cached| cached.settled)
        && Stamp::of(&std::fs::metadata(path)?) == cached.stamp
    {
        return Ok(cached.clone());
    }
    let file = open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let text = read_bounded(&file, stamp.len)?;
    read_as(&file, stamp, text, cached)
}

/// Returns the entry of a file that had this stamp before its text was read.
fn read_as(
    file: &File,
    stamp: Stamp,
    text: Vec<u8>,
    cached: Option<&Cached>,
) -> io::Result<Cached> {
    // An identical text shares the memory of the previous one.
    let text = match cached.filter(|cached| *cached.text == *text) {
        Some(cached) => cached.text.clone(),
        None => Bytes::from(text),
    };
    Ok(Cached {
        settled: stamp.settled() && Stamp::of(&file.metadata()?) == stamp,
        stamp,
        text,
    })
}

/// Reads a file of previously `len` bytes, up to the size limit of documents.
fn read_bounded(file: &File, len: u64) -> io::Result<Vec<u8>> {
    let max = MAX_BYTES as u64;
    let mut text = Vec::new();
    if len <= max {
        file.take(max + 1).read_to_end(&mut text)?;
    }
    if len > max || text.len() > MAX_BYTES {
        let reason = format!("it is larger than {MAX_BYTES} bytes");
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

/// Opens a regular file, through symlinks, without blocking on a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let what = if kind.is_dir() {
        "a folder"
    } else {
        "not a regular file"
    };
    Err(io::Error::new(
        ErrorKind::InvalidData,
        format!("it is {what}"),
    ))
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
