//! The cache folder: lists, reads, prunes and sets aside files.
//!
//! Listing reads only names and heads. A file is read and verified as a whole when it is needed to serve; the others are examined one by
//! one afterwards, while the proxy already serves.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_proto::hash::Digest;
use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::Limits;
use aralez_runtime::private;
use tracing::warn;

use super::file::{self, CachePart, FileBody, Header, ReadError, Whole};
use crate::core::sync::snapshot_cache::NotCached;
use crate::core::sync::trial::Marks;

/// Prefix of the names of files with authored records.
const CONTENT: &str = "content-";
/// Prefix of the names of files with the other part.
const OTHER: &str = "other-";
/// Number of newest contents to keep, and likewise of newest suspects, in addition to those that proved good.
const KEPT: usize = 3;
/// Number of newest other parts to keep. The older one serves if the newest is damaged.
const KEPT_OTHERS: usize = 2;
/// Number of files set aside that are kept for inspection by operators.
const KEPT_ASIDE: usize = 3;
/// Maximum number of files considered at a start.
const MOST_FILES: usize = 64;
/// Number of bytes that is enough for the head of a file.
const HEAD_BYTES: u64 = 4 * 1024;
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
/// Maximum snapshot size if the node has no `max_snapshot`.
const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// One file of the cache.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) header: Header,
    /// Whether the file was verified as a whole. Before that, its head is only known to match its name.
    examined: bool,
}

/// The folder and its known files.
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

    /// Removes temporary files left behind by a writer that died.
    pub(super) fn sweep(&self) {
        for name in self.names(|name| name.starts_with('.') && name.ends_with(".arz.tmp")) {
            if let Err(error) = fs::remove_file(self.path.join(&name)) {
                warn!(file = name, %error, "cannot remove leftover temporary file");
            }
        }
    }

    /// Lists the files by their names and heads. A file without a valid head is read as a whole, and set aside if it is damaged.
    pub(super) fn list(&mut self, limits: &Limits, troubles: &mut Vec<String>) {
        let mut names = self.names(|name| number_of(name).is_some() && name.ends_with(".arz"));
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
    }

    /// Returns the head of a file if it matches the file's name. `None` for a file that is damaged or was renamed.
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

    /// Reads and verifies a file, and decodes its records. The file must belong to the given cluster, unless that is empty.
    pub(super) fn read(
        &mut self,
        entry: &Entry,
        wanted: (&SealKey, &Limits, &[u8]),
        troubles: &mut Vec<String>,
    ) -> Result<(Header, FileBody), ReadError> {
        let (key, limits, cluster) = wanted;
        let file = of_cluster(self.whole(&entry.name, limits, troubles)?, cluster)?;
        self.examined(&entry.name);
        file.decode(key)
    }

    fn examined(&mut self, name: &str) {
        let entry = self.entries.iter_mut().find(|entry| entry.name == name);
        if let Some(entry) = entry {
            entry.examined = true;
        }
    }

    /// Verifies the newest file that was not read yet, and sets it aside if it is damaged. Returns `false` if there is none left.
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

    /// Sets a file aside. If the error is only a read error, the file may be intact and is merely dropped from the list.
    pub(super) fn deal_with(&mut self, name: &str, error: ReadError, troubles: &mut Vec<String>) {
        match error {
            ReadError::Io(error) if error.kind() != ErrorKind::InvalidData => {
                self.entries.retain(|entry| entry.name != name);
                troubles.push(format!("{name} {}", ReadError::Io(error)));
            }
            error => self.set_aside(name, &error, troubles),
        }
    }

    /// Renames an unusable file instead of removing it, and reports that. Removes the oldest files set aside earlier.
    fn set_aside(&mut self, name: &str, why: &dyn Display, troubles: &mut Vec<String>) {
        self.entries.retain(|entry| entry.name != name);
        let aside = format!("{name}.corrupt");
        match fs::rename(self.path.join(name), self.path.join(&aside)) {
            Ok(()) => troubles.push(format!("{name} {why}; set aside as {aside}")),
            Err(error) => troubles.push(format!("{name} {why}; cannot be set aside: {error}")),
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

    /// Returns the known files, newest first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the files of a part, newest first.
    pub(super) fn of_part(&self, part: CachePart) -> impl Iterator<Item = &Entry> {
        let of_part = move |entry: &&Entry| entry.header.part == part;
        self.entries.iter().filter(of_part)
    }

    /// Reports whether the newest file of a part holds these records and still exists.
    pub(super) fn holds(&self, part: CachePart, root: Digest) -> bool {
        let newest = self.of_part(part).next();
        newest.is_some_and(|newest| {
            newest.header.part_root == root && self.path.join(&newest.name).exists()
        })
    }

    /// Returns a time stamp later than that of every file here, even if the clock went backwards.
    pub(super) fn next_stamp(&self, now: u64) -> u64 {
        let latest = self
            .entries
            .iter()
            .map(|entry| entry.header.written_unix_ms)
            .max();
        latest.map_or(now, |latest| now.max(latest.saturating_add(1)))
    }

    pub(super) fn write(&mut self, header: Header, content: &[u8]) -> Result<(), NotCached> {
        let name = name_of(&header);
        let path = self.path.join(&name);
        private::ensure_dir(&self.path)
            .and_then(|()| private::write_atomic(&path, content))
            .map_err(|error| NotCached(format!("{} cannot be written: {error}", path.display())))?;
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

    /// Removes files that are neither among the newest nor the newest that served for a minute or an hour. Suspects are counted separately:
    /// they serve only if nothing else can, so they must not displace other files. Of two files with equal documents the older is removed.
    pub(super) fn prune(&mut self, marks: &Marks) {
        let root = |entry: &Entry| entry.header.part_root;
        let newest = |wanted: &dyn Fn(Digest) -> bool| {
            let mut contents = self.of_part(CachePart::Authored);
            let found = contents.find(|entry| wanted(root(entry)));
            found.map(|entry| entry.name.clone())
        };
        let good = newest(&|root| marks.is_good(root));
        let lasting = newest(&|root| marks.is_lasting(root));
        let (mut seen, mut plain, mut suspect, mut others) = (HashSet::new(), 0, 0, 0);
        self.entries.retain(|entry| {
            let keep = match entry.header.part {
                CachePart::Other => counted(&mut others) <= KEPT_OTHERS,
                CachePart::Authored if !seen.insert(root(entry)) => false,
                CachePart::Authored => {
                    let of_its_kind = match marks.is_suspect(root(entry)) {
                        true => counted(&mut suspect),
                        false => counted(&mut plain),
                    };
                    let name = Some(&entry.name);
                    of_its_kind <= KEPT || [good.as_ref(), lasting.as_ref()].contains(&name)
                }
            };
            // A file that cannot be removed stays listed, and is considered again at the next start.
            keep || fs::remove_file(self.path.join(&entry.name)).is_err()
        });
    }
}

/// Increments the count and returns it.
const fn counted(count: &mut usize) -> usize {
    *count += 1;
    *count
}

/// Returns the file name for this head.
fn name_of(header: &Header) -> String {
    let (generation, revision, written) = header.age();
    match header.part {
        CachePart::Authored => {
            let root = header.part_root.short();
            format!("{CONTENT}{generation}-{revision}-{root}.arz")
        }
        CachePart::Other => format!("{OTHER}{generation}-{revision}-{written}.arz"),
    }
}

/// Returns the generation and revision in a file name.
fn number_of(name: &str) -> Option<(u64, u64)> {
    let numbers = name.strip_prefix(CONTENT);
    let mut parts = numbers.or_else(|| name.strip_prefix(OTHER))?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn of_cluster(file: Whole, cluster: &[u8]) -> Result<Whole, ReadError> {
    if cluster.is_empty() || file.header().cluster == cluster {
        Ok(file)
    } else {
        Err(ReadError::Cluster)
    }
}
