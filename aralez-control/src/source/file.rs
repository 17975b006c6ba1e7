//! The file source: watches `upstreams_conf`, the `conf.d/` next to it and the files that these documents name, and reports the set of files.
//!
//! It reads the files when a folder changes, and periodically in case an event was missed. It does **not** parse YAML, nor decide what is
//! committed: the publisher compares hashes, and announces the files that the documents name.

mod folders;
mod look;
mod main_config;
mod openers;
mod save;
mod settle;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use aralez_proto::model::RelativePath;
use parking_lot::Mutex;

use crate::core::source::{Finding, Reports, RunningSource, Source, Wanted};
use crate::core::status::KnownFiles;
use folders::Folders;
use look::FileScanner;
use settle::Decider;
use writers::FileId;

pub use main_config::MainConfigFile;
pub use save::MainDocument;
pub use writers::WriteEvents;

#[cfg(test)]
mod tests;

/// Polling interval while every folder is watched: distant symlink targets and network file systems send no events.
const RECHECK: Duration = Duration::from_secs(2);

/// Polling interval if a folder cannot be watched.
const RECHECK_DEAF: Duration = Duration::from_millis(250);

/// Time that events are gathered before the files are read: one save causes several events.
const GATHER: Duration = Duration::from_millis(20);

/// Time that a process may have a file open for writing before the set is reported without that file.
pub const WRITER_PATIENCE: Duration = Duration::from_secs(60);

/// The source of the files: `upstreams_conf`, and the `conf.d/` next to it.
#[derive(Debug)]
pub struct FileSource {
    looker: FileScanner,
    decider: Decider,
    writers: WriteEvents,
    wanted: WantedFiles,
}

/// The files that the documents name, as the publisher announced them last; clones share them.
type WantedFiles = Arc<Mutex<Arc<BTreeSet<RelativePath>>>>;

/// A running file source. Dropping it stops it.
#[derive(Debug)]
struct FileWatch {
    wakes: mpsc::Sender<Wake>,
    wanted: WantedFiles,
}

enum Wake {
    Changed,
    Stop,
}

impl FileSource {
    /// Creates a source for `main` (`upstreams_conf`) and the `conf.d/` next to it. `known` is the content of the files when they were last
    /// committed; `writers` receives the write events of the files. A file being written for longer than `patience` ([`WRITER_PATIENCE`])
    /// is left out.
    pub fn new(main: &Path, known: KnownFiles, writers: WriteEvents, patience: Duration) -> Self {
        let files = known.documents.files().paths().cloned().collect();
        Self {
            looker: FileScanner::new(main, writers.clone()),
            wanted: Arc::new(Mutex::new(Arc::new(files))),
            decider: Decider::new(known, patience),
            writers,
        }
    }

    /// Withholds `main.yaml` from documents.
    #[must_use]
    pub fn withholding(mut self, main_config: MainConfigFile) -> Self {
        self.looker.withhold(main_config);
        self
    }
}

impl Source for FileSource {
    fn name(&self) -> &'static str {
        "files"
    }

    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn RunningSource>, String> {
        let (wakes, woken) = mpsc::channel();
        let changed = wakes.clone();
        let main = self.looker.main().to_owned();
        let wanted = Arc::clone(&self.wanted);
        let watcher = move || {
            let folders = Folders::new(self.writers, move || {
                // The source may have stopped in the meantime.
                let _ = changed.send(Wake::Changed);
            });
            let state = (self.looker, self.decider, folders);
            run(state, &self.wanted, &woken, &*reports);
        };
        let thread = std::thread::Builder::new().name("file-source".to_owned());
        let spawned = thread.spawn(watcher);
        spawned.map_err(|error| format!("cannot watch {}: {error}", main.display()))?;
        Ok(Box::new(FileWatch { wakes, wanted }))
    }
}

impl RunningSource for FileWatch {
    /// Looks for the files that the documents name. The wanted pools do not matter here.
    fn wants(&mut self, wanted: &Wanted) {
        let before = std::mem::replace(&mut *self.wanted.lock(), Arc::clone(wanted.files()));
        if before != *wanted.files() {
            // The thread may have exited before.
            let _ = self.wakes.send(Wake::Changed);
        }
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        // The thread may have exited before.
        let _ = self.wakes.send(Wake::Stop);
    }
}

fn run(
    (mut looker, mut decider, mut folders): (FileScanner, Decider, Folders),
    wanted: &WantedFiles,
    woken: &mpsc::Receiver<Wake>,
    reports: &dyn Reports,
) {
    let begun = Instant::now();
    loop {
        looker.want(Arc::clone(&wanted.lock()));
        // Watched first, so that changes during the look cause an event.
        folders.follow(&looker);
        let look = looker.scan();
        let next = decider.examine(begun.elapsed(), &look, &mut |files| openers(&looker, files));
        if let Some(reading) = next.reading {
            reports.report(Finding::Files(Arc::new(reading)));
        }
        let recheck = if folders.deaf() {
            RECHECK_DEAF
        } else {
            RECHECK
        };
        let wait = next.again_in.unwrap_or(recheck).min(recheck);
        match woken.recv_timeout(wait) {
            Ok(Wake::Changed) => {
                if !gather(woken) {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Returns the processes that have some of these files open for writing.
fn openers(looker: &FileScanner, files: &BTreeSet<FileId>) -> BTreeMap<FileId, String> {
    let mut names = looker.names();
    names.retain(|file, _| files.contains(file));
    openers::of(&names)
}

/// Waits for the remaining events of one change; `false` if the source should stop.
fn gather(woken: &mpsc::Receiver<Wake>) -> bool {
    let until = Instant::now() + GATHER;
    loop {
        match woken.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Wake::Changed) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}
