//! What the kernel says about who writes the files: which are being written, which were closed, which were moved into place.
//!
//! Kept by device and inode, because a file keeps them when it is renamed. inotify reports a close for writing after the last byte; where
//! it reports nothing (network file systems, writes through `mmap`), nothing is known here, and the files are judged by their quiet.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind};

/// More files than this are not followed: then nothing is known of any.
const MOST: usize = 4_096;

/// A file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    /// The identity of the file that has these metadata.
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
        }
    }
}

/// What was heard of a file last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// It was made under its name; nothing was written yet, or the name is a link to it.
    Made,
    /// It was written, and whoever did has not closed it.
    Written,
    /// Whoever wrote it has closed it.
    Closed,
    /// It was moved to its name.
    Moved,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    heard: Heard,
}

/// What was heard of the files in the watched folders; copies are the same.
#[derive(Clone, Default, Debug)]
pub struct Writers(Arc<Mutex<BTreeMap<FileId, Followed>>>);

impl Writers {
    /// What was heard of a file last; `None` where nothing was.
    pub(super) fn heard(&self, file: FileId) -> Option<Heard> {
        self.files().get(&file).map(|followed| followed.heard)
    }

    /// Events may have been lost: nothing is known any more.
    pub(super) fn forget(&self) {
        self.files().clear();
    }

    /// Notes an event. `false` where it cannot have changed what the files hold.
    pub(super) fn note(&self, event: &Event) -> bool {
        if event.need_rescan() {
            self.forget();
            return true;
        }
        // What is renamed within a folder is reported by both of its names; the last is the new one.
        let Some(path) = event.paths.last() else {
            return true;
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => self.closed(path),
            EventKind::Access(_) => return false,
            EventKind::Create(CreateKind::File) => self.set(path, Heard::Made),
            EventKind::Modify(ModifyKind::Data(_)) => self.set(path, Heard::Written),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => self.moved_to(path),
            EventKind::Remove(_) => self.files().retain(|_, followed| followed.path != *path),
            _ => {}
        }
        true
    }

    fn set(&self, path: &Path, heard: Heard) {
        let Some(file) = file_at(path) else {
            return;
        };
        let mut files = self.files();
        if files.len() >= MOST {
            files.clear();
        }
        let path = path.to_owned();
        files.insert(file, Followed { path, heard });
    }

    /// When a close is heard of, the file may have another name, and its name may be another file's: what was heard under the name is closed.
    fn closed(&self, path: &Path) {
        for followed in self.files().values_mut() {
            if followed.path == *path {
                followed.heard = Heard::Closed;
            }
        }
        self.set(path, Heard::Closed);
    }

    /// A file that is still being written keeps that, under its new name. The file that had the name is gone.
    fn moved_to(&self, path: &Path) {
        let file = file_at(path);
        let mut files = self.files();
        files.retain(|other, followed| followed.path != *path || Some(*other) == file);
        let writing = file.and_then(|file| files.get_mut(&file));
        match writing.filter(|followed| followed.heard == Heard::Written) {
            Some(followed) => path.clone_into(&mut followed.path),
            None => {
                drop(files);
                self.set(path, Heard::Moved);
            }
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<FileId, Followed>> {
        // Every change leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The regular file under a name, which is no link.
fn file_at(path: &Path) -> Option<FileId> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    meta.is_file().then(|| FileId::of(&meta))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use notify::event::{DataChange, RemoveKind};

    use super::*;

    const DATA: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSE: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const TO: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));

    fn event(kind: EventKind, path: &Path) -> Event {
        Event::new(kind).add_path(path.to_owned())
    }

    #[test]
    fn a_file_is_being_written_from_its_first_write_until_it_is_closed_also_when_it_is_renamed_meanwhile()
     {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&first, "").unwrap();
        let (writers, file) = (Writers::default(), file_at(&first).unwrap());
        assert_eq!(writers.heard(file), None);
        writers.note(&event(DATA, &first));
        assert_eq!(writers.heard(file), Some(Heard::Written));
        fs::rename(&first, &second).unwrap();
        writers.note(&event(TO, &second));
        assert_eq!(writers.heard(file), Some(Heard::Written));
        writers.note(&event(CLOSE, &second));
        assert_eq!(writers.heard(file), Some(Heard::Closed));
    }

    #[test]
    fn a_file_that_is_removed_or_replaced_leaves_nothing_to_the_next_with_its_inode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "").unwrap();
        let (writers, file) = (Writers::default(), file_at(&path).unwrap());
        writers.note(&event(DATA, &path));
        writers.note(&event(EventKind::Remove(RemoveKind::File), &path));
        assert_eq!(writers.heard(file), None);
        writers.note(&event(DATA, &path));
        let fresh = dir.path().join("fresh");
        fs::write(&fresh, "").unwrap();
        fs::rename(&fresh, &path).unwrap();
        writers.note(&event(TO, &path));
        assert_eq!(writers.heard(file), None);
        assert_eq!(writers.heard(file_at(&path).unwrap()), Some(Heard::Moved));
    }

    #[test]
    fn what_only_reads_changes_nothing_and_lost_events_make_everything_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "").unwrap();
        let (writers, file) = (Writers::default(), file_at(&path).unwrap());
        writers.note(&event(DATA, &path));
        let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert!(!writers.note(&event(open, &path)));
        assert_eq!(writers.heard(file), Some(Heard::Written));
        let lost = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert!(writers.note(&lost));
        assert_eq!(writers.heard(file), None);
    }

    /// The events are read while the writer goes on: the close finds nothing under its name any more.
    #[test]
    fn a_file_that_was_moved_before_its_close_was_heard_is_not_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a.tmp"), dir.path().join("a.yaml"));
        std::fs::write(&first, "text").unwrap();
        let (writers, file) = (Writers::default(), file_at(&first).unwrap());
        writers.note(&event(DATA, &first));
        std::fs::rename(&first, &second).unwrap();
        writers.note(&event(CLOSE, &first));
        writers.note(&event(TO, &second));
        assert_eq!(writers.heard(file), Some(Heard::Moved));
    }
}
