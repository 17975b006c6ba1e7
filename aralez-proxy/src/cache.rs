//! The cache on disk: the last accepted contents of this proxy, and how its boots ended (ARCHITECTURE, "The cache").
//!
//! The cache folder holds the authored records of the last three accepted contents and of the newest ones that proved good for a minute and
//! for an hour. The discovered and operational records are stored separately, only the newest, so that falling back to older documents
//! never brings back an old certificate or a dead endpoint. The sealing key and the marks are in the folder too. Files are written
//! atomically and are verified by checksum and seal when read, whatever their modes; a damaged file is renamed to `*.corrupt`. The cache
//! does not decide what runs: the subscription does, and the rule about boots is in [`crate::core::sync::trial`].

mod accept;
mod exits;
mod file;
mod folder;
mod keep;
mod marks;
mod start;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::record::RecordSet;
use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_runtime::private;
use aralez_runtime::supervised::ProcessExit;
use tracing::{info, warn};

use crate::core::sync::snapshot_cache::{CachedState, NotCached, SnapshotCache};
use crate::core::sync::snapshot_parts::OrphanedEndpoint;
use crate::core::sync::trial::{Boot, LastExit, Marks};
pub use accept::{AcceptedCluster, accept_cluster};
pub use exits::{Ending, ExitNotes};
use folder::Folder;

#[cfg(test)]
mod tests;

/// Name of the sealing key's file.
const KEY_FILE: &str = "seal.key";

/// The cache of one proxy, in one folder.
#[derive(Debug)]
pub struct Cache {
    folder: Folder,
    writer: String,
    key: Option<SealKey>,
    marks: Marks,
    marks_changed: bool,
    /// Whether the previous marks were read. That requires the key.
    begun: bool,
    exits: Arc<ExitNotes>,
    /// The exit of the previous process, as reported by its supervisor.
    told: Option<ProcessExit>,
    machine: String,
    /// The limits of this node, as given at boot.
    limits: Limits,
    kept: KeptParts,
}

/// The records last read from or written to disk.
#[derive(Debug, Default)]
struct KeptParts {
    records: RecordSet,
    left: Vec<OrphanedEndpoint>,
}

impl Cache {
    /// Creates the cache of this folder, without accessing it yet. `writer` is this release.
    pub fn new(folder: PathBuf, writer: String) -> Self {
        let exits = Arc::new(ExitNotes::new(folder.clone()));
        Self::with_exits(folder, writer, exits, None)
    }

    /// Like [`Cache::new`]. `exits` records how this process ends; `told` is the supervisor's report on the previous one.
    pub fn with_exits(
        folder: PathBuf,
        writer: String,
        exits: Arc<ExitNotes>,
        told: Option<ProcessExit>,
    ) -> Self {
        Self {
            folder: Folder::new(folder),
            writer,
            key: None,
            marks: Marks::default(),
            marks_changed: false,
            begun: false,
            exits,
            told,
            machine: machine_boot_id(),
            limits: Limits::default(),
            kept: KeptParts::default(),
        }
    }

    /// Returns the sealing key, creating it on first use. After an error the next call tries again. Problems with the folder or the key
    /// file are added to `troubles`.
    fn find_key(&mut self, troubles: &mut Vec<String>) -> Result<SealKey, NotCached> {
        if let Some(key) = &self.key {
            return Ok(key.clone());
        }
        let path = self.folder.path();
        let wide = private::ensure_own_dir(path)
            .map_err(|error| NotCached(format!("{}: {error}", path.display())))?;
        troubles.extend(wide.map(|wide| format!("{}: {wide}", path.display())));
        let found = private::load_or_create_key(&path.join(KEY_FILE))
            .map_err(|error| NotCached(error.to_string()))?;
        troubles.extend(found.trouble);
        self.key = Some(found.key.clone());
        Ok(found.key)
    }

    fn key(&mut self) -> Result<SealKey, NotCached> {
        let mut troubles = Vec::new();
        let key = self.find_key(&mut troubles)?;
        if !self.begun {
            self.begin_late(&key, &mut troubles);
        }
        for trouble in troubles {
            warn!("cache: {trouble}");
        }
        Ok(key)
    }

    /// Enters the exit of the previous process into the marks, and stores them before anything runs. Returns the previous boot id.
    fn begin(&mut self, key: &SealKey, troubles: &mut Vec<String>) -> Vec<u8> {
        let folder = self.folder.path().to_owned();
        self.begun = true;
        self.marks = marks::read(&folder, key, troubles);
        let replaces = self.marks.boot_id.clone();
        let before = exits::read(&folder, &replaces).or_else(|| self.told.take().map(Ending::Seen));
        if let Some(ending) = before {
            info!(%ending, "previous process exit");
        }
        self.marks.boot(Boot {
            boot_id: self.exits.boot_id().to_vec(),
            machine: self.machine.clone(),
            before: before.map_or(LastExit::Unknown, Ending::verdict),
        });
        self.marks_changed = true;
        // A note that could not be removed is harmless: it names an older boot than the one the next start looks for.
        if let Err(NotCached(trouble)) = self.save_marks().and_then(|()| exits::remove(&folder)) {
            warn!("cache: {trouble}");
        }
        replaces
    }

    /// Does the work of [`Cache::begin`] if the key was not available at the start, and merges the marks made since into the previous ones.
    fn begin_late(&mut self, key: &SealKey, troubles: &mut Vec<String>) {
        let since = std::mem::take(&mut self.marks);
        self.begin(key, troubles);
        if !since.cluster.is_empty() {
            self.marks.cluster = since.cluster;
        }
        for good in since.good {
            self.marks.proved(good.root);
        }
        for trial in since.trials.iter().filter(|trial| trial.open) {
            self.marks.swap(trial.root);
        }
        self.marks_changed = true;
    }
}

impl SnapshotCache for Cache {
    fn boot(&mut self, limits: &Limits) -> CachedState {
        self.limits = *limits;
        let mut found = CachedState {
            boot_id: self.exits.boot_id().to_vec(),
            ..CachedState::default()
        };
        self.folder.sweep();
        match self.find_key(&mut found.troubles) {
            Ok(key) => {
                found.replaces_boot_id = self.begin(&key, &mut found.troubles);
                self.choose(&key, limits, &mut found);
            }
            Err(NotCached(trouble)) => {
                found.troubles.push(trouble);
                self.marks_changed = true;
            }
        }
        found.cluster = self.marks.cluster.clone();
        for trouble in &found.troubles {
            warn!("cache: {trouble}");
        }
        found
    }

    fn pin(&mut self, cluster: &[u8]) {
        self.marks.cluster = cluster.to_vec();
        self.marks_changed = true;
    }

    fn swap(&mut self, root: Digest) {
        let before = self.marks.clone();
        self.marks.swap(root);
        self.marks_changed |= before != self.marks;
    }

    fn proved(&mut self, root: Digest) {
        self.marks.proved(root);
        self.marks_changed = true;
    }

    fn served(&mut self, root: Digest, longer: Duration) {
        self.marks.served(root, longer);
        self.marks_changed = true;
    }

    fn clean_exit(&mut self) {
        self.marks.clean_exit();
        self.marks_changed = true;
    }

    fn note_marks(&mut self) -> Result<(), NotCached> {
        if self.marks_changed {
            let key = self.key()?;
            self.marks.written += 1;
            marks::note(self.folder.path(), &self.marks, &key)?;
            self.exits.booted();
        }
        Ok(())
    }

    fn save_marks(&mut self) -> Result<(), NotCached> {
        if self.marks_changed {
            let key = self.key()?;
            self.marks.written += 1;
            marks::write(self.folder.path(), &self.marks, &key)?;
            self.marks_changed = false;
            self.exits.booted();
        }
        Ok(())
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), NotCached> {
        self.keep_parts(snapshot)
    }

    fn suspect(&mut self, root: Digest, limits: &Limits) -> Result<Snapshot, NotCached> {
        self.suspect_snapshot(root, limits)
    }

    fn examine(&mut self) -> Option<Vec<String>> {
        let mut troubles = Vec::new();
        let cluster = &self.marks.cluster;
        let more = self.folder.examine(&self.limits, cluster, &mut troubles);
        for trouble in &troubles {
            warn!("cache: {trouble}");
        }
        more.then_some(troubles)
    }
}

/// Records, for the next start, the exit of the process that last used the cache in this folder. Does nothing if no process has used it.
///
/// # Errors
/// [`NotCached`] if the folder cannot be read or written.
pub fn record_exit(folder: &Path, exit: ProcessExit) -> Result<(), NotCached> {
    let Some(key) = existing_key(folder)? else {
        return Ok(());
    };
    let boot_id = marks::read(folder, &key, &mut Vec::new()).boot_id;
    if boot_id.is_empty() {
        return Ok(());
    }
    exits::write_first(folder, &boot_id, Ending::Seen(exit))
}

/// Returns the sealing key of a folder. `None` if no process has used the folder.
fn existing_key(folder: &Path) -> Result<Option<SealKey>, NotCached> {
    let path = folder.join(KEY_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let found = private::load_or_create_key(&path);
    let found = found.map_err(|error| NotCached(error.to_string()))?;
    Ok(Some(found.key))
}

/// Returns the kernel's boot id of this machine. Empty if it is not available (no `/proc`).
fn machine_boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    text.unwrap_or_default().trim().to_owned()
}
