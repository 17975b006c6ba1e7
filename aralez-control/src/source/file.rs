//! The file source: watches the folders of `upstreams_conf` and `conf.d/` and tells what the set of files is.
//!
//! It looks when a folder changes, and every now and then in case it was not told. It does **not** read YAML, nor decide what is
//! committed: the publisher compares hashes.

mod decide;
mod folders;
mod look;
mod openers;
mod save;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::core::status::{KnownFiles, Reading};
use decide::Decider;
use folders::Folders;
use look::Looker;
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

/// A running file source. Ends when it is dropped.
#[derive(Debug)]
pub struct FileSource {
    readings: watch::Receiver<Option<Arc<Reading>>>,
    wakes: mpsc::Sender<Wake>,
}

enum Wake {
    Changed,
    Stop,
}

impl FileSource {
    /// Begins to watch `main` (`upstreams_conf`) and `conf.d/` beside it. `known` is what the files held when they were last taken;
    /// `writers` gets to know who writes them. A file that somebody writes for longer than `patience` ([`WRITER_PATIENCE`]) is left out.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn spawn(
        main: &Path,
        known: KnownFiles,
        writers: Writers,
        patience: Duration,
    ) -> std::io::Result<Self> {
        let (wakes, woken) = mpsc::channel();
        let (tell, readings) = watch::channel(None);
        let changed = wakes.clone();
        let looker = Looker::new(main, writers.clone());
        let watcher = move || {
            let folders = Folders::new(writers, move || {
                // The source may have ended meanwhile.
                let _ = changed.send(Wake::Changed);
            });
            run(
                looker,
                Decider::new(known, patience),
                folders,
                &woken,
                &tell,
            );
        };
        std::thread::Builder::new()
            .name("file-source".to_owned())
            .spawn(watcher)?;
        Ok(Self { readings, wakes })
    }

    /// The newest reading; `None` before the first.
    pub fn readings(&self) -> watch::Receiver<Option<Arc<Reading>>> {
        self.readings.clone()
    }
}

impl Drop for FileSource {
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
    tell: &watch::Sender<Option<Arc<Reading>>>,
) {
    let begun = Instant::now();
    loop {
        // Watched first, so that what changes while looking is heard.
        folders.follow(&looker);
        let look = looker.look();
        let next = decider.look(begun.elapsed(), &look, &mut |files| openers(&looker, files));
        if let Some(reading) = next.reading {
            tell.send_replace(Some(Arc::new(reading)));
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
