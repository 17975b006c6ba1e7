//! The folder of the cache: what lies in it, what goes, what is set aside.
//!
//! Listing reads names and heads alone. A file is read and checked as a whole when it is its turn to serve; the others are examined one by one
//! afterwards, when the proxy serves already.

use std::cmp::Reverse;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_runtime::private;
use tracing::warn;

use super::file::{self, Header, ReadError, Whole};
use crate::core::memory::NotKept;
use crate::core::trial::Marks;

/// How many of the newest are kept, and of the newest suspects, besides those that proved good.
const KEPT: usize = 3;
/// How many files that were set aside are kept for a person to look at.
const KEPT_ASIDE: usize = 3;
/// More files than this are not looked at when starting.
const MOST_FILES: usize = 64;
/// Enough for the head of a file.
const HEAD_BYTES: u64 = 4 * 1024;
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
/// Where the node has no `max_snapshot`.
const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// One file of the cache.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) header: Header,
    /// Its checksum holds; until then its head is only what its name says as well.
    examined: bool,
}

/// The folder, and what is known to lie in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            entries: Vec::new(),
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

    /// The files, newest first, by their names and heads. What does not even have those is set aside.
    pub(super) fn list(&mut self, limits: &Limits, troubles: &mut Vec<String>) -> Vec<Entry> {
        let mut names = self.names(|name| name.starts_with("snap-") && name.ends_with(".arz"));
        names.sort_by_key(|name| Reverse(number_of(name)));
        names.truncate(MOST_FILES);
        self.entries.clear();
        for name in names {
            if let Some(header) = self.head(&name) {
                self.entries.push(Entry {
                    name,
                    header,
                    examined: false,
                });
                continue;
            }
            match self.whole(&name, limits, troubles) {
                Ok(file) => self.entries.push(Entry {
                    name,
                    header: file.header().clone(),
                    examined: true,
                }),
                Err(error) => self.deal_with(&name, error, troubles),
            }
        }
        self.entries
            .sort_by_key(|entry| Reverse(entry.header.age()));
        self.entries.clone()
    }

    /// The head of a file where it fits its name; what was damaged or renamed does not.
    fn head(&self, name: &str) -> Option<Header> {
        let start = private::read_start(&self.path.join(name), HEAD_BYTES).ok()?;
        file::head_of(&start).filter(|header| name_of(header) == name)
    }

    fn whole(
        &self,
        name: &str,
        limits: &Limits,
        troubles: &mut Vec<String>,
    ) -> Result<Whole, ReadError> {
        let max = limits.max_snapshot_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        let max = max.saturating_mul(2).saturating_add(SPARE_BYTES);
        let read = private::read_sealed(&self.path.join(name), max);
        let (content, wide) = read.map_err(ReadError::Io)?;
        troubles.extend(wide.map(|wide| format!("{name}: {wide}")));
        Whole::of(content)
    }

    /// Reads and checks a file of this cluster (any, where that is empty), and the snapshot in it.
    pub(super) fn read(
        &mut self,
        entry: &Entry,
        wanted: (&SealKey, &Limits, &[u8]),
        troubles: &mut Vec<String>,
    ) -> Result<Snapshot, ReadError> {
        let (key, limits, cluster) = wanted;
        let file = of_cluster(self.whole(&entry.name, limits, troubles)?, cluster)?;
        self.examined(&entry.name);
        file.decode(key, limits)
    }

    fn examined(&mut self, name: &str) {
        let entry = self.entries.iter_mut().find(|entry| entry.name == name);
        if let Some(entry) = entry {
            entry.examined = true;
        }
    }

    /// Checks the newest file that nobody has read yet, and sets it aside where it is damaged. `false`: there is none left.
    pub(super) fn examine(
        &mut self,
        limits: &Limits,
        cluster: &[u8],
        troubles: &mut Vec<String>,
    ) -> bool {
        let Some(entry) = self.entries.iter().find(|entry| !entry.examined) else {
            return false;
        };
        let name = entry.name.clone();
        self.examined(&name);
        let file = self.whole(&name, limits, troubles);
        if let Err(error) = file.and_then(|file| of_cluster(file, cluster)) {
            self.deal_with(&name, error, troubles);
        }
        true
    }

    /// Sets a file aside, unless it may well be whole and only cannot be read now.
    pub(super) fn deal_with(&mut self, name: &str, error: ReadError, troubles: &mut Vec<String>) {
        match error {
            ReadError::Io(error) if error.kind() != ErrorKind::InvalidData => {
                self.entries.retain(|entry| entry.name != name);
                troubles.push(format!("{name} {}", ReadError::Io(error)));
            }
            error => self.set_aside(name, &error, troubles),
        }
    }

    /// Takes a file out of use without destroying it, and says so. Old ones of these go.
    fn set_aside(&mut self, name: &str, why: &dyn Display, troubles: &mut Vec<String>) {
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

    /// What lies there, newest first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
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
        let name = name_of(&header);
        let path = self.path.join(&name);
        private::ensure_dir(&self.path)
            .and_then(|()| private::write_atomic(&path, content))
            .map_err(|error| NotKept(format!("{} cannot be written: {error}", path.display())))?;
        self.entries.retain(|entry| entry.name != name);
        self.entries.push(Entry {
            name,
            header,
            examined: true,
        });
        self.entries
            .sort_by_key(|entry| Reverse(entry.header.age()));
        Ok(())
    }

    /// Removes what is neither among the newest nor the newest that served a minute or an hour. Suspects are counted apart: they serve where
    /// nothing else can, so they take the place of nothing else.
    pub(super) fn prune(&mut self, marks: &Marks) {
        let newest = |wanted: &dyn Fn(&Entry) -> bool| self.entries.iter().position(wanted);
        let good = newest(&|entry| marks.is_good(entry.header.version.root));
        let lasting = newest(&|entry| marks.is_lasting(entry.header.version.root));
        let (mut position, mut plain, mut suspect) = (0, 0, 0);
        self.entries.retain(|entry| {
            let of_its_kind = if marks.is_suspect(entry.header.version.root) {
                &mut suspect
            } else {
                &mut plain
            };
            let keep = *of_its_kind < KEPT || [good, lasting].contains(&Some(position));
            *of_its_kind += 1;
            position += 1;
            // What cannot be removed is looked at again at the next start.
            keep || fs::remove_file(self.path.join(&entry.name)).is_err()
        });
    }
}

/// The name that a file with this head has.
fn name_of(header: &Header) -> String {
    let version = header.version;
    format!(
        "snap-{}-{}-{}.arz",
        version.generation,
        version.revision,
        version.root.short()
    )
}

/// The generation and revision in a name.
fn number_of(name: &str) -> Option<(u64, u64)> {
    let mut parts = name.strip_prefix("snap-")?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn of_cluster(file: Whole, cluster: &[u8]) -> Result<Whole, ReadError> {
    if cluster.is_empty() || file.header().cluster == cluster {
        Ok(file)
    } else {
        Err(ReadError::Cluster)
    }
}
