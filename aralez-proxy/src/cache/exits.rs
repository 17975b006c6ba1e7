//! The note of how a process ended: one line of text beside the marks, written by whoever knows, read and removed by the next start.
//!
//! Three write it: the process itself when it is told to leave, fails by its surroundings or ends by a panic; and `--record-exit`, which
//! systemd runs after the process is gone. The first note of a boot holds, so that what kills a process that was told to leave is not held
//! against what it ran. The note names the boot that it speaks of; one about another boot is not believed.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aralez_runtime::supervised::ProcessExit;
use aralez_runtime::{private, random};

use crate::core::sync::snapshot_cache::NotCached;
use crate::core::sync::trial::LastExit;

const FILE: &str = "last-exit";
const MOST_BYTES: u64 = 256;

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It was told to leave.
    Left,
    /// Its surroundings failed it: a port, a lock, the disk.
    Surroundings,
    /// A panic ended it.
    Panic,
    /// Somebody else saw this.
    Seen(ProcessExit),
}

impl Ending {
    /// What it says about the content that ran.
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

/// The notes about this process. Shared by those who may see its end.
#[derive(Debug)]
pub struct ExitNotes {
    folder: PathBuf,
    boot_id: [u8; 16],
    /// Its start is in the marks: before that it ran nothing, and the note on disk speaks of the process before.
    booted: AtomicBool,
    stage: Mutex<Stage>,
}

/// What this process knows of its own end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing.
    Serves,
    /// A successor may take over: the note says that it left, as long as that one has not failed.
    HandsOver,
    /// It ends, and the note says how.
    Ends,
}

impl ExitNotes {
    /// Notes for a process that starts now, in the folder of its cache.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            boot_id: random::bytes(),
            booted: AtomicBool::new(false),
            stage: Mutex::new(Stage::Serves),
        }
    }

    /// Drawn for this start.
    pub(super) const fn boot_id(&self) -> &[u8] {
        &self.boot_id
    }

    /// This start is in the marks.
    pub(super) fn booted(&self) {
        self.booted.store(true, Ordering::Release);
    }

    /// Writes how this process ends, where nothing is written yet.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn note(&self, ending: Ending) -> Result<(), NotCached> {
        if !self.booted.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut stage = self.stage();
        let before = std::mem::replace(&mut *stage, Stage::Ends);
        if before == Stage::HandsOver {
            remove(&self.folder)?;
        }
        write_first(&self.folder, &self.boot_id, ending)
    }

    /// Writes that this process left, for a successor that reads the state now. It holds unless [`Self::stays`] takes it back.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn hands_over(&self) -> Result<(), NotCached> {
        let mut stage = self.stage();
        if *stage != Stage::Serves || !self.booted.load(Ordering::Acquire) {
            return Ok(());
        }
        *stage = Stage::HandsOver;
        write_first(&self.folder, &self.boot_id, Ending::Left)
    }

    /// The successor failed: this process goes on, and how it ends is open again.
    ///
    /// # Errors
    /// Where the note cannot be removed.
    pub fn stays(&self) -> Result<(), NotCached> {
        let mut stage = self.stage();
        if *stage != Stage::HandsOver {
            return Ok(());
        }
        *stage = Stage::Serves;
        if read(&self.folder, &self.boot_id).is_none() {
            return Ok(());
        }
        remove(&self.folder)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // One value, whole whatever panicked.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes how the boot of this id ended, where nothing is known of that yet.
pub(super) fn write_first(folder: &Path, boot_id: &[u8], ending: Ending) -> Result<(), NotCached> {
    if read(folder, boot_id).is_some() {
        return Ok(());
    }
    let path = folder.join(FILE);
    let line = format!("{} {ending}\n", hex(boot_id));
    private::write_atomic(&path, line.as_bytes())
        .map_err(|error| NotCached(format!("{} cannot be written: {error}", path.display())))
}

/// How the boot of this id ended, where that was written.
pub(super) fn read(folder: &Path, boot_id: &[u8]) -> Option<Ending> {
    let content = private::read_bounded(&folder.join(FILE), MOST_BYTES).ok()?;
    let text = String::from_utf8(content).ok()?;
    let (boot, ending) = text.trim_end().split_once(' ')?;
    (boot == hex(boot_id)).then(|| Ending::read(ending))?
}

/// The note was taken into the marks.
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
