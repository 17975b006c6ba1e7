//! Watching folders. A file is replaced, deleted, or reached through links, and the folder that holds its name hears of all of it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify_debouncer_full::notify::{self, EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tracing::warn;

use super::look::{Looker, names_in, parent_of};

/// How long events are gathered. The debouncer wakes in each tick, so a shorter one costs an idle control its rest.
const GATHER: Duration = Duration::from_millis(40);
const TICK: Duration = Duration::from_millis(20);

/// How many links one name is followed through, as the kernel does.
const MAX_LINKS: usize = 40;

/// The folders that are watched now.
#[derive(Debug)]
pub(super) struct Folders {
    /// `None` where the system gives no watcher.
    debouncer: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
    /// Each with its device and inode: a folder made anew needs a new watch.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Not every folder could be watched.
    deaf: bool,
}

impl Folders {
    /// Begins without any folder; `wake` is called when something changed in one.
    pub(super) fn new(wake: impl Fn() + Send + 'static) -> Self {
        let handler = move |events: DebounceEventResult| {
            let changed = |events: &Vec<notify_debouncer_full::DebouncedEvent>| {
                events
                    .iter()
                    .any(|event| !matches!(event.kind, EventKind::Access(_)))
            };
            // An error may hide an event: an overflown queue, for one.
            if events.as_ref().is_ok_and(changed) || events.is_err() {
                wake();
            }
        };
        let debouncer = new_debouncer(GATHER, Some(TICK), handler);
        let debouncer = debouncer
            .inspect_err(|error| cannot_watch("the files", error))
            .ok();
        Self {
            deaf: debouncer.is_none(),
            debouncer,
            watched: BTreeMap::new(),
        }
    }

    /// Whether changes may be missed, so that looking often is the only way.
    pub(super) const fn deaf(&self) -> bool {
        self.deaf
    }

    /// Watches what the looker looks at now, and no longer what it does not.
    pub(super) fn follow(&mut self, looker: &Looker) {
        let Some(debouncer) = &mut self.debouncer else {
            return;
        };
        let wanted = wanted(looker);
        self.watched.retain(|folder, id| {
            let kept = wanted.get(folder) == Some(id);
            if !kept {
                // A folder that is gone took its watch along.
                let _ = debouncer.unwatch(folder);
            }
            kept
        });
        let was_deaf = std::mem::take(&mut self.deaf);
        for (folder, id) in wanted {
            if self.watched.contains_key(&folder) {
                continue;
            }
            match debouncer.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder, id)),
                Err(error) => {
                    self.deaf = true;
                    if !was_deaf {
                        cannot_watch(&folder.display().to_string(), &error);
                    }
                }
            }
        }
    }
}

fn cannot_watch(what: &str, error: &notify::Error) {
    warn!("cannot watch {what}, looking at the files often instead: {error}");
}

/// The folders that exist, with their identity.
fn wanted(looker: &Looker) -> BTreeMap<PathBuf, (u64, u64)> {
    let mut folders = vec![
        parent_of(looker.main()).to_owned(),
        looker.conf_d().to_owned(),
    ];
    links_of(looker.main(), &mut folders);
    links_of(looker.conf_d(), &mut folders);
    for name in names_in(looker.conf_d()).unwrap_or_default() {
        links_of(&looker.conf_d().join(name), &mut folders);
    }
    let identified = folders.into_iter().filter_map(|folder| {
        let meta = std::fs::metadata(&folder).ok()?;
        meta.is_dir().then(|| (folder, (meta.dev(), meta.ino())))
    });
    identified.collect()
}

/// Adds the folder of every link that leads from `path` to a file.
fn links_of(path: &Path, folders: &mut Vec<PathBuf>) {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = std::fs::read_link(&path) else {
            return;
        };
        path = parent_of(&path).join(target);
        folders.push(parent_of(&path).to_owned());
    }
}
