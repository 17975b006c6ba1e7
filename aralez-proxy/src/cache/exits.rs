//! The exit note: one line of text next to the marks that records how a process ended. The next start reads and removes it.
//!
//! It is written by the process itself when it is asked to exit, fails because of its environment, or ends by a panic; and by
//! `--record-exit`, which systemd runs after the process is gone. The first note of a boot wins, so that a kill after a shutdown request is
//! not held against the content that ran. The note names its boot; a note about another boot is ignored.

use parking_lot::Mutex;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use aralez_runtime::supervised::ProcessExit;
use aralez_runtime::{private, random};

use crate::core::sync::snapshot_cache::NotCached;
use crate::core::sync::trial::LastExit;

const FILE: &str = "last-exit";
const MOST_BYTES: u64 = 256;

/// The way in which a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It was asked to exit.
    Left,
    /// Its surroundings failed: a port, a lock, the disk.
    Surroundings,
    /// A panic ended it.
    Panic,
    /// An observer outside of the process reported this exit.
    Seen(ProcessExit),
}

impl Ending {
    /// Returns what the exit implies for the content that ran.
    pub const fn verdict(self) -> LastExit {
        match self {
            Self::Left => LastExit::Left,
            Self::Surroundings => LastExit::Surroundings,
            Self::Panic => LastExit::Fault,
            Self::Seen(ProcessExit::Code(code)) => LastExit::of_code(code),
            Self::Seen(ProcessExit::Signal(signal)) => LastExit::of_signal(signal),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "left" => Some(Self::Left),
            "surroundings" => Some(Self::Surroundings),
            "panic" => Some(Self::Panic),
            seen => seen.parse().ok().map(Self::Seen),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => f.write_str("left"),
            Self::Surroundings => f.write_str("surroundings"),
            Self::Panic => f.write_str("panic"),
            Self::Seen(exit) => exit.fmt(f),
        }
    }
}

/// Records how this process ends. Shared by everything that may observe its end.
#[derive(Debug)]
pub struct ExitNotes {
    folder: PathBuf,
    boot_id: [u8; 16],
    /// Whether this start is in the marks. Before that, this process ran nothing, and the note on disk is about the previous process.
    booted: AtomicBool,
    stage: Mutex<Stage>,
}

/// The state of this process's own exit note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// No note.
    Serves,
    /// A successor may take over: the note is `left`, unless the handover fails.
    HandsOver,
    /// The process is ending, and the note is final.
    Ends,
}

impl ExitNotes {
    /// Creates the notes of a process that starts now, in its cache folder.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            boot_id: random::bytes(),
            booted: AtomicBool::new(false),
            stage: Mutex::new(Stage::Serves),
        }
    }

    /// Returns the random id of this start.
    pub(super) const fn boot_id(&self) -> &[u8] {
        &self.boot_id
    }

    /// Marks this start as stored in the marks.
    pub(super) fn booted(&self) {
        self.booted.store(true, Ordering::Release);
    }

    /// Records how this process ends, unless that is already recorded.
    ///
    /// # Errors
    /// [`NotCached`] if the note cannot be written.
    pub fn note(&self, ending: Ending) -> Result<(), NotCached> {
        if !self.booted.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut stage = self.stage.lock();
        let before = std::mem::replace(&mut *stage, Stage::Ends);
        if before == Stage::HandsOver {
            remove(&self.folder)?;
        }
        write_first(&self.folder, &self.boot_id, ending)
    }

    /// Records `left` for a successor that is about to read the state. [`Self::stays`] revokes it.
    ///
    /// # Errors
    /// [`NotCached`] if the note cannot be written.
    pub fn hands_over(&self) -> Result<(), NotCached> {
        let mut stage = self.stage.lock();
        if *stage != Stage::Serves || !self.booted.load(Ordering::Acquire) {
            return Ok(());
        }
        *stage = Stage::HandsOver;
        write_first(&self.folder, &self.boot_id, Ending::Left)
    }

    /// Revokes [`Self::hands_over`] after the successor failed: this process keeps running, and its exit is open again.
    ///
    /// # Errors
    /// [`NotCached`] if the note cannot be removed.
    pub fn stays(&self) -> Result<(), NotCached> {
        let mut stage = self.stage.lock();
        if *stage != Stage::HandsOver {
            return Ok(());
        }
        *stage = Stage::Serves;
        if read(&self.folder, &self.boot_id).is_none() {
            return Ok(());
        }
        remove(&self.folder)
    }
}

/// Records how a boot ended, unless that is already recorded.
pub(super) fn write_first(folder: &Path, boot_id: &[u8], ending: Ending) -> Result<(), NotCached> {
    if read(folder, boot_id).is_some() {
        return Ok(());
    }
    let path = folder.join(FILE);
    let line = format!("{} {ending}\n", hex(boot_id));
    private::write_atomic(&path, line.as_bytes())
        .map_err(|error| NotCached(format!("{} cannot be written: {error}", path.display())))
}

/// Returns how a boot ended. `None` if no valid note is about this boot.
pub(super) fn read(folder: &Path, boot_id: &[u8]) -> Option<Ending> {
    let content = private::read_bounded(&folder.join(FILE), MOST_BYTES).ok()?;
    let text = String::from_utf8(content).ok()?;
    let (boot, ending) = text.trim_end().split_once(' ')?;
    (boot == hex(boot_id)).then(|| Ending::read(ending))?
}

/// Removes the note, once it was entered into the marks.
pub(super) fn remove(folder: &Path) -> Result<(), NotCached> {
    let path = folder.join(FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(NotCached(format!(
            "{} cannot be removed: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &[u8] = &[7; 16];

    #[test]
    fn every_ending_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let endings = [
            Ending::Left,
            Ending::Surroundings,
            Ending::Panic,
            Ending::Seen(ProcessExit::Signal(11)),
            Ending::Seen(ProcessExit::Code(101)),
        ];
        for ending in endings {
            write_first(folder.path(), BOOT, ending).unwrap();
            assert_eq!(read(folder.path(), BOOT), Some(ending));
            assert_eq!(read(folder.path(), &[8; 16]), None, "it is of another boot");
            remove(folder.path()).unwrap();
            assert_eq!(read(folder.path(), BOOT), None);
        }
        remove(folder.path()).unwrap();
    }

    #[test]
    fn the_first_note_of_a_boot_holds() {
        let folder = tempfile::tempdir().unwrap();
        let killed = Ending::Seen(ProcessExit::Signal(11));
        write_first(folder.path(), BOOT, Ending::Left).unwrap();
        write_first(folder.path(), BOOT, killed).unwrap();
        assert_eq!(read(folder.path(), BOOT), Some(Ending::Left));
        write_first(folder.path(), &[8; 16], killed).unwrap();
        assert_eq!(read(folder.path(), &[8; 16]), Some(killed));
    }

    #[test]
    fn a_handover_that_fails_leaves_open_how_the_process_ends() {
        let folder = tempfile::tempdir().unwrap();
        let notes = ExitNotes::new(folder.path().to_owned());
        let noted = || read(folder.path(), notes.boot_id());
        notes.booted();
        notes.hands_over().unwrap();
        assert_eq!(noted(), Some(Ending::Left));
        notes.stays().unwrap();
        assert_eq!(noted(), None);
        notes.hands_over().unwrap();
        notes.note(Ending::Panic).unwrap();
        assert_eq!(
            noted(),
            Some(Ending::Panic),
            "it ended before it was taken over"
        );
        notes.stays().unwrap();
        assert_eq!(noted(), Some(Ending::Panic));
        notes.hands_over().unwrap();
        assert_eq!(noted(), Some(Ending::Panic));
    }

    #[test]
    fn what_is_no_note_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let long = "x".repeat(1000);
        for text in ["", "left", "07 left", &format!("{} gone", hex(BOOT)), &long] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(folder.path(), BOOT), None, "{text}");
        }
        write_first(folder.path(), BOOT, Ending::Left).unwrap();
        assert_eq!(read(folder.path(), BOOT), Some(Ending::Left));
    }

    #[test]
    fn a_process_that_never_started_to_serve_leaves_the_note_about_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        write_first(folder.path(), BOOT, Ending::Panic).unwrap();
        let notes = ExitNotes::new(folder.path().to_owned());
        notes.note(Ending::Surroundings).unwrap();
        assert_eq!(read(folder.path(), BOOT), Some(Ending::Panic));
        notes.booted();
        notes.note(Ending::Left).unwrap();
        assert_eq!(read(folder.path(), notes.boot_id()), Some(Ending::Left));
    }
}
