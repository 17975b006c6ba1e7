//! The file source: watches the folders of `upstreams_conf` and `conf.d/` and tells what the set of files is.
//!
//! It looks when a folder changes, and every now and then in case it was not told. It does **not** read YAML, nor decide what is
//! committed: the publisher compares hashes.

mod folders;
mod look;
mod openers;
mod save;
mod settle;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::core::source::{Finding, Looking, Reports, Source, Wanted};
use crate::core::status::KnownFiles;
use folders::Folders;
use look::Looker;
use settle::Decider;
use writers::FileId;

pub use save::MainDocument;
pub use writers::Writers;

#[cfg(test)]
mod tests;

/// How often to look where every folder is watched: links far away and network file systems tell nothing.
const RECHECK: Duration = Duration::from_secs(2);

/// How often to look where a folder cannot be watched.
const RECHECK_DEAF: Duration = Duration::from_millis(250);

/// How long events are gathered before a look: a save is several of them.
const GATHER: Duration = Duration::from_millis(20);

/// How long somebody may have a file open for writing before the set is taken without it.
pub const WRITER_PATIENCE: Duration = Duration::from_secs(60);

/// The source of the files: `upstreams_conf`, and `conf.d/` beside it.
#[derive(Debug)]
pub struct FileSource {
    looker: Looker,
    decider: Decider,
    writers: Writers,
}

/// A file source that looks. Ends when it is dropped.
#[derive(Debug)]
struct FileWatch {
    wakes: mpsc::Sender<Wake>,
}

enum Wake {
    Changed,
    Stop,
}

impl FileSource {
    /// A source that will look at `main` (`upstreams_conf`) and at `conf.d/` beside it. `known` is what the files held when they were last
    /// taken; `writers` gets to know who writes them. A file that somebody writes for longer than `patience` ([`WRITER_PATIENCE`]) is left
    /// out.
    pub fn new(main: &Path, known: KnownFiles, writers: Writers, patience: Duration) -> Self {
        Self {
            looker: Looker::new(main, writers.clone()),
            decider: Decider::new(known, patience),
            writers,
        }
    }
}

impl Source for FileSource {
    fn name(&self) -> &'static str {
        "files"
    }

    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn Looking>, String> {
        let (wakes, woken) = mpsc::channel();
        let changed = wakes.clone();
        let main = self.looker.main().to_owned();
        let watcher = move || {
            let folders = Folders::new(self.writers, move || {
                // The source may have ended meanwhile.
                let _ = changed.send(Wake::Changed);
            });
            run(self.looker, self.decider, folders, &woken, &*reports);
        };
        let thread = std::thread::Builder::new().name("file-source".to_owned());
        let spawned = thread.spawn(watcher);
        spawned.map_err(|error| format!("cannot watch {}: {error}", main.display()))?;
        Ok(Box::new(FileWatch { wakes }))
    }
}

impl Looking for FileWatch {
    /// Files are looked for in one place, whatever they say.
    fn wants(&mut self, _: &Wanted) {}
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        // The thread may have ended before.
        let _ = self.wakes.send(Wake::Stop);
    }
}

fn run(
    mut looker: Looker,
    mut decider: Decider,
    mut folders: Folders,
    woken: &mpsc::Receiver<Wake>,
    reports: &dyn Reports,
) {
    let begun = Instant::now();
    loop {
        // Watched first, so that what changes while looking is heard.
        folders.follow(&looker);
        let look = looker.look();
        let next = decider.look(begun.elapsed(), &look, &mut |files| openers(&looker, files));
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

/// The processes that have some of these files open for writing.
fn openers(looker: &Looker, files: &BTreeSet<FileId>) -> BTreeMap<FileId, String> {
    let mut names = looker.names();
    names.retain(|file, _| files.contains(file));
    openers::of(&names)
}

/// Lets the events that belong to one change arrive; `false`: it is time to end.
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
