//! Watches folders. A file may be replaced, deleted, or reached through symlinks; the folder that contains its name receives all of these
//! events.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tracing::warn;

use super::look::{FileScanner, names_in, parent_of};
use super::writers::WriteEvents;

/// Maximum number of symlinks followed for one name, as in the kernel.
const MAX_LINKS: usize = 40;

/// The folders that are watched now.
#[derive(Debug)]
pub(super) struct Folders {
    /// `None` if the system provides no watcher.
    watcher: Option<RecommendedWatcher>,
    /// Each with its device and inode: a recreated folder needs a new watch.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Set if a folder could not be watched.
    deaf: bool,
}

impl Folders {
    /// Creates a watcher without folders. It passes events to `writers`, and calls `wake` when something may have changed.
    pub(super) fn new(writers: WriteEvents, wake: impl Fn() + Send + 'static) -> Self {
        let handler = move |event: notify::Result<Event>| {
            let changed = match event {
                Ok(event) => writers.note(&event),
                Err(_) => {
                    // The error may hide an event.
                    writers.forget();
                    true
                }
            };
            if changed {
                wake();
            }
        };
        let watcher = notify::recommended_watcher(handler);
        let watcher = watcher
            .inspect_err(|error| cannot_watch("the files", error))
            .ok();
        Self {
            deaf: watcher.is_none(),
            watcher,
            watched: BTreeMap::new(),
        }
    }

    /// Reports whether changes may be missed, so that frequent polling is needed.
    pub(super) const fn deaf(&self) -> bool {
        self.deaf
    }

    /// Watches the folders of the looker's current files, and unwatches all others.
    pub(super) fn follow(&mut self, looker: &FileScanner) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let wanted = wanted(looker);
        self.watched.retain(|folder, id| {
            let kept = wanted.get(folder) == Some(id);
            if !kept {
                // A deleted folder has lost its watch already.
                let _ = watcher.unwatch(folder);
            }
            kept
        });
        let was_deaf = std::mem::take(&mut self.deaf);
        for (folder, id) in wanted {
            if self.watched.contains_key(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
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
    warn!("cannot watch {what}, polling the files instead: {error}");
}

/// Returns the existing folders to watch, with device and inode.
fn wanted(looker: &FileScanner) -> BTreeMap<PathBuf, (u64, u64)> {
    let mut folders = vec![
        parent_of(looker.main()).to_owned(),
        looker.conf_d().to_owned(),
    ];
    links_of(looker.main(), &mut folders);
    links_of(looker.conf_d(), &mut folders);
    for name in names_in(looker.conf_d()).unwrap_or_default() {
        links_of(&looker.conf_d().join(name), &mut folders);
    }
    beneath(looker, &mut folders);
    let identified = folders.into_iter().filter_map(|folder| {
        let meta = std::fs::metadata(&folder).ok()?;
        meta.is_dir().then(|| (folder, (meta.dev(), meta.ino())))
    });
    identified.collect()
}

/// Adds the folders of the files that documents name, as far as these lie below the configuration folder.
fn beneath(looker: &FileScanner, folders: &mut Vec<PathBuf>) {
    let Ok(root) = std::fs::canonicalize(looker.configuration_folder()) else {
        return;
    };
    for path in looker.named_paths() {
        // The folder that holds the name, and the one that holds the file.
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let named = real(parent_of(&path));
        let held = real(&path).map(|file| parent_of(&file).to_owned());
        let inside = [named, held].into_iter().flatten();
        folders.extend(inside.filter(|folder| folder.starts_with(&root)));
    }
}

/// Adds the folder of every symlink between `path` and its file.
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
