//! Write events of the files, as the kernel reports them: which are being written, which were closed, which were moved into place.
//!
//! Keyed by device and inode, because a file keeps them when it is renamed. inotify reports a close for writing after the last byte; if it
//! reports nothing (network file systems, writes through `mmap`), nothing is known here, and the files are judged by how long they are
//! unchanged.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind};

/// Maximum number of files tracked: beyond it, all state is discarded.
const MOST: usize = 4_096;

/// A file, regardless of its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    /// Returns the identity of the file with these metadata.
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
        }
    }
}

/// The last event of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LastEvent {
    /// Its name appeared: the file is new and nothing was written yet, or the name is a hard link to an existing file.
    Made,
    /// It was written, and its writer has not closed it.
    Written,
    /// Its writer has closed it.
    Closed,
    /// It was moved to its name.
    Moved,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    heard: LastEvent,
}

/// The last events of the files in the watched folders; clones share their state.
#[derive(Clone, Default, Debug)]
pub struct WriteEvents(Arc<Mutex<BTreeMap<FileId, Followed>>>);

impl WriteEvents {
    /// Returns the last event of a file; `None` if there was none.
    pub(super) fn heard(&self, file: FileId) -> Option<LastEvent> {
        self.0.lock().get(&file).map(|followed| followed.heard)
    }

    /// Discards all state, because events may have been lost.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }

    /// Records an event. Returns `false` if it cannot have changed the content of the files.
    pub(super) fn note(&self, event: &Event) -> bool {
        if event.need_rescan() {
            self.forget();
            return true;
        }
        // A rename within a folder is reported with both names; the last is the new one.
        let Some(path) = event.paths.last() else {
            return true;
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => self.closed(path),
            EventKind::Access(_) => return false,
            EventKind::Create(CreateKind::File) => self.set(path, LastEvent::Made),
            EventKind::Modify(ModifyKind::Data(_)) => self.set(path, LastEvent::Written),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => self.moved_to(path),
            EventKind::Remove(_) => self.0.lock().retain(|_, followed| followed.path != *path),
            _ => {}
        }
        true
    }

    fn set(&self, path: &Path, heard: LastEvent) {
        let Some(file) = file_at(path) else {
            return;
        };
        let mut files = self.0.lock();
        if files.len() >= MOST {
            files.clear();
        }
        let path = path.to_owned();
        files.insert(file, Followed { path, heard });
    }

    /// Handles a close. By the time it is reported, the file may have been renamed, and another file may have the reported name: whatever
    /// file is tracked under that name counts as closed, too.
    fn closed(&self, path: &Path) {
        for followed in self.0.lock().values_mut() {
            if followed.path == *path {
                followed.heard = LastEvent::Closed;
            }
        }
        self.set(path, LastEvent::Closed);
    }

    /// A file that is still being written keeps that state under its new name. The file that had the name before is gone.
    fn moved_to(&self, path: &Path) {
        let file = file_at(path);
        let mut files = self.0.lock();
        files.retain(|other, followed| followed.path != *path || Some(*other) == file);
        let writing = file.and_then(|file| files.get_mut(&file));
        match writing.filter(|followed| followed.heard == LastEvent::Written) {
            Some(followed) => path.clone_into(&mut followed.path),
            None => {
                drop(files);
                self.set(path, LastEvent::Moved);
            }
        }
    }
}

/// Returns the regular file under a name; `None` for a symlink.
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
        let (writers, file) = (WriteEvents::default(), file_at(&first).unwrap());
        assert_eq!(writers.heard(file), None);
        writers.note(&event(DATA, &first));
        assert_eq!(writers.heard(file), Some(LastEvent::Written));
        fs::rename(&first, &second).unwrap();
        writers.note(&event(TO, &second));
        assert_eq!(writers.heard(file), Some(LastEvent::Written));
        writers.note(&event(CLOSE, &second));
        assert_eq!(writers.heard(file), Some(LastEvent::Closed));
    }

    #[test]
    fn a_file_that_is_removed_or_replaced_leaves_nothing_to_the_next_with_its_inode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "").unwrap();
        let (writers, file) = (WriteEvents::default(), file_at(&path).unwrap());
        writers.note(&event(DATA, &path));
        writers.note(&event(EventKind::Remove(RemoveKind::File), &path));
        assert_eq!(writers.heard(file), None);
        writers.note(&event(DATA, &path));
        let fresh = dir.path().join("fresh");
        fs::write(&fresh, "").unwrap();
        fs::rename(&fresh, &path).unwrap();
        writers.note(&event(TO, &path));
        assert_eq!(writers.heard(file), None);
        assert_eq!(
            writers.heard(file_at(&path).unwrap()),
            Some(LastEvent::Moved)
        );
    }

    #[test]
    fn what_only_reads_changes_nothing_and_lost_events_make_everything_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "").unwrap();
        let (writers, file) = (WriteEvents::default(), file_at(&path).unwrap());
        writers.note(&event(DATA, &path));
        let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert!(!writers.note(&event(open, &path)));
        assert_eq!(writers.heard(file), Some(LastEvent::Written));
        let lost = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert!(writers.note(&lost));
        assert_eq!(writers.heard(file), None);
    }

    /// The events are read while the writer continues: the close is processed when its name no longer exists.
    #[test]
    fn a_file_that_was_moved_before_its_close_was_heard_is_not_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("a.tmp"), dir.path().join("a.yaml"));
        std::fs::write(&first, "text").unwrap();
        let (writers, file) = (WriteEvents::default(), file_at(&first).unwrap());
        writers.note(&event(DATA, &first));
        std::fs::rename(&first, &second).unwrap();
        writers.note(&event(CLOSE, &first));
        writers.note(&event(TO, &second));
        assert_eq!(writers.heard(file), Some(LastEvent::Moved));
    }
}
