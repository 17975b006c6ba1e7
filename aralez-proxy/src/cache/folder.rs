//! The folder of the cache: what lies in it, what goes, what is set aside.

use std::cmp::Reverse;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_runtime::private;
use tracing::warn;

use super::file::{Header, ReadError, Whole};
use super::marks;
use crate::core::memory::NotKept;
use crate::core::trial::Marks;

const MARKS_FILE: &str = "marks.arz";
const MOST_MARKS_BYTES: u64 = 64 * 1024;
/// How many of the newest are kept, besides the newest that proved good.
const KEPT: usize = 3;
/// How many files that were set aside are kept for a person to look at.
const KEPT_ASIDE: usize = 3;
/// More files than this are not looked at when starting.
const MOST_FILES: usize = 64;
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
/// Where the node has no `max_snapshot`.
const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// One file of the cache.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) header: Header,
}

/// The folder, and what is known to lie in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    entries: Vec<Entry>,
    /// The newest file with its name, from listing until reading.
    newest: Option<(String, Whole)>,
}

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            entries: Vec::new(),
            newest: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let Ok(found) = fs::read_dir(&self.path) else {
            return Vec::new();
        };
        let names = found.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| wanted(name)).collect();
        names.sort_unstable();
        names
    }

    /// Removes what a writer that died left behind.
    pub(super) fn sweep(&self) {
        for name in self.names(|name| name.starts_with('.') && name.ends_with(".arz.tmp")) {
            if let Err(error) = fs::remove_file(self.path.join(&name)) {
                warn!(file = name, %error, "cannot remove a left-over file");
            }
        }
    }

    /// The files whose checksum holds, newest first. Others are set aside.
    pub(super) fn list(
        &mut self,
        limits: &Limits,
        cluster: &[u8],
        troubles: &mut Vec<String>,
    ) -> Vec<Entry> {
        let mut names = self.names(|name| name.starts_with("snap-") && name.ends_with(".arz"));
        // By (generation, revision) as numbers would need them parsed; only an absurd number of files is cut.
        names.truncate(MOST_FILES);
        self.entries.clear();
        self.newest = None;
        for name in names {
            match self.whole(&name, limits) {
                Ok(file) if !cluster.is_empty() && file.header().cluster != cluster => {
                    self.set_aside(&name, &ReadError::Cluster, troubles);
                }
                Ok(file) => self.add(name, file),
                Err(ReadError::Io(error)) if error.kind() != ErrorKind::InvalidData => {
                    troubles.push(format!("{name} {}", ReadError::Io(error)));
                }
                Err(error) => self.set_aside(&name, &error, troubles),
            }
        }
        self.entries
            .sort_by_key(|entry| Reverse(entry.header.age()));
        self.entries.clone()
    }

    fn whole(&self, name: &str, limits: &Limits) -> Result<Whole, ReadError> {
        let max = limits.max_snapshot_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        let max = max.saturating_mul(2).saturating_add(SPARE_BYTES);
        let content = private::read_bounded(&self.path.join(name), max).map_err(ReadError::Io)?;
        Whole::of(content)
    }

    /// Lists a file. The newest, which is read next, is held, so that it is read and checked once.
    fn add(&mut self, name: String, file: Whole) {
        let older = |(_, newest): &(String, Whole)| newest.header().age() < file.header().age();
        let header = file.header().clone();
        if self.newest.as_ref().is_none_or(older) {
            self.newest = Some((name.clone(), file));
        }
        self.entries.push(Entry { name, header });
    }

    pub(super) fn read(
        &mut self,
        entry: &Entry,
        key: &SealKey,
        limits: &Limits,
    ) -> Result<Snapshot, ReadError> {
        let file = match self.newest.take() {
            Some((newest, file)) if newest == entry.name => file,
            _ => self.whole(&entry.name, limits)?,
        };
        file.decode(key, limits)
    }

    /// Takes a file out of use without destroying it, and says so. Old ones of these go.
    pub(super) fn set_aside(&mut self, name: &str, why: &dyn Display, troubles: &mut Vec<String>) {
        self.entries.retain(|entry| entry.name != name);
        let aside = format!("{name}.corrupt");
        match fs::rename(self.path.join(name), self.path.join(&aside)) {
            Ok(()) => troubles.push(format!("{name} {why}; it was set aside as {aside}")),
            Err(error) => troubles.push(format!("{name} {why}; it cannot be set aside: {error}")),
        }
        let asides = self.names(|name| name.ends_with(".arz.corrupt"));
        for old in asides
            .iter()
            .filter(|old| **old != aside)
            .rev()
            .skip(KEPT_ASIDE - 1)
        {
            let _ = fs::remove_file(self.path.join(old));
        }
    }

    /// A stamp that is later than that of every file here, whatever the clock says.
    pub(super) fn next_stamp(&self, now: u64) -> u64 {
        let latest = self
            .entries
            .iter()
            .map(|entry| entry.header.written_unix_ms)
            .max();
        latest.map_or(now, |latest| now.max(latest.saturating_add(1)))
    }

    pub(super) fn write(&mut self, header: Header, content: &[u8]) -> Result<(), NotKept> {
        let version = header.version;
        let name = format!(
            "snap-{}-{}-{}.arz",
            version.generation,
            version.revision,
            version.root.short()
        );
        self.write_file(&name, content)?;
        self.entries.retain(|entry| entry.name != name);
        self.entries.push(Entry { name, header });
        self.entries
            .sort_by_key(|entry| Reverse(entry.header.age()));
        Ok(())
    }

    fn write_file(&self, name: &str, content: &[u8]) -> Result<(), NotKept> {
        self.write_by(private::write_atomic, name, content)
    }

    fn write_by(
        &self,
        write: fn(&Path, &[u8]) -> std::io::Result<()>,
        name: &str,
        content: &[u8],
    ) -> Result<(), NotKept> {
        let path = self.path.join(name);
        private::ensure_dir(&self.path)
            .and_then(|()| write(&path, content))
            .map_err(|error| NotKept(format!("{} cannot be written: {error}", path.display())))
    }

    /// Removes what is neither among the newest nor the newest that proved good.
    pub(super) fn prune(&mut self, marks: &Marks) {
        let good = self
            .entries
            .iter()
            .position(|entry| marks.is_good(entry.header.version.root));
        let mut position = 0;
        self.entries.retain(|entry| {
            let keep = position < KEPT || Some(position) == good;
            position += 1;
            // What cannot be removed is looked at again at the next start.
            keep || fs::remove_file(self.path.join(&entry.name)).is_err()
        });
    }

    /// The marks; none where there are none yet.
    pub(super) fn read_marks(&self) -> Result<Marks, String> {
        let path = self.path.join(MARKS_FILE);
        match private::read_bounded(&path, MOST_MARKS_BYTES) {
            Ok(content) => marks::decode(&content)
                .ok_or_else(|| format!("{MARKS_FILE} is damaged; the boots before are forgotten")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Marks::default()),
            Err(error) => Err(format!("{MARKS_FILE} cannot be read: {error}")),
        }
    }

    /// Writes the marks so that they outlive this process; an end of the machine may lose them.
    pub(super) fn note_marks(&self, marks: &Marks) -> Result<(), NotKept> {
        let content = marks::encode(marks);
        self.write_by(private::write_atomic_unsynced, MARKS_FILE, &content)
    }

    pub(super) fn write_marks(&self, marks: &Marks) -> Result<(), NotKept> {
        self.write_file(MARKS_FILE, &marks::encode(marks))
    }
}
