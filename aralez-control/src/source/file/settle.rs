//! Interprets a look at the files: which set to report, whether to wait, and what to warn of. Pure: looks and times are arguments.
//!
//! A text is used once its file has settled ([`still`]). If a file cannot be read, or is missing unexpectedly, the text used last stays.
//! One deleted file of several is intended; if a whole folder or all of its files disappear together, that is an accident until an operator
//! confirms it.

mod collected;
mod named;
mod still;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aralez_proto::document::DocumentSet;
use aralez_proto::model::RelativePath;
use bytes::Bytes;

use super::writers::FileId;
use crate::core::status::{FilesReading, KnownFiles};
use collected::Collected;
use still::{Stillness, Unread};
use taken::TakenTexts;

pub(super) use collected::fault;
pub(super) use still::Ask;

/// Time that a file must be missing before it counts as deleted: editors delete and recreate files.
const GONE: Duration = Duration::from_secs(2);

/// The last event about the writing of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// The file was moved into place.
    Moved,
    /// The writer closed the file after writing it in place.
    Closed,
    /// The file was created in place, with no event since.
    Made,
    /// No event, and the file has not changed for a while.
    LongAgo,
    /// No event, and the file changed just now.
    Unknown,
}

/// A text that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SeenFile {
    pub(super) text: Bytes,
    pub(super) file: FileId,
    pub(super) written: Written,
}

/// Result of reading one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    Text(SeenFile),
    /// A process is writing this file.
    Writing(FileId),
    Missing,
    /// The name exists but cannot be read, with the reason.
    Trouble(String),
}

impl Found {
    fn file(&self) -> Option<FileId> {
        match self {
            Self::Text(seen) => Some(seen.file),
            Self::Writing(file) => Some(*file),
            Self::Missing | Self::Trouble(_) => None,
        }
    }

    /// Reports whether both have the same content, regardless of events.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => {
                one.file == other.file && one.text == other.text
            }
            (one, other) => one == other,
        }
    }
}

/// The folder `conf.d/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Folder {
    /// Its device and inode.
    pub(super) id: FileId,
    /// Its resolved path: symlinks to it may be changed on purpose.
    pub(super) real: PathBuf,
}

/// Everything found in one look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Scan {
    pub(super) main: Found,
    /// By the name of the document: `conf.d/NAME.yaml`.
    pub(super) conf_d: BTreeMap<String, Found>,
    /// The files that the documents name.
    pub(super) named: BTreeMap<RelativePath, Found>,
    /// The folder; `None` if there is none.
    pub(super) folder: Option<Folder>,
    /// Reason why the folder `conf.d/` itself cannot be read.
    pub(super) conf_d_trouble: Option<String>,
}

impl Scan {
    fn file(&self, name: &str) -> Option<&Found> {
        match name == DocumentSet::MAIN {
            true => Some(&self.main),
            false => self.conf_d.get(name).or_else(|| self.named.get(name)),
        }
    }

    fn files(&self) -> impl Iterator<Item = (&str, &Found)> {
        let conf_d = self
            .conf_d
            .iter()
            .map(|(name, found)| (name.as_str(), found));
        let named = self.named.iter();
        let named = named.map(|(path, found)| (path.as_str(), found));
        std::iter::once((DocumentSet::MAIN, &self.main))
            .chain(conf_d)
            .chain(named)
    }

    /// Reports whether both looks found the same content, regardless of events.
    fn is_same(&self, other: &Self) -> bool {
        self.conf_d.len() == other.conf_d.len()
            && self.named.len() == other.named.len()
            && self.folder == other.folder
            && self.conf_d_trouble == other.conf_d_trouble
            && self
                .files()
                .all(|(name, found)| other.file(name).is_some_and(|other| found.is_same(other)))
    }
}

/// The result of a look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct ScanOutcome {
    /// A reading to report.
    pub(super) reading: Option<FilesReading>,
    /// Time until another look is needed even without an event.
    pub(super) again_in: Option<Duration>,
}

/// State kept between looks.
#[derive(Debug)]
pub(super) struct Decider {
    before: KnownFiles,
    /// The texts used last.
    taken: TakenTexts,
    still: Stillness,
    missing_since: BTreeMap<String, Duration>,
    /// The files of `conf.d/` whose disappearance looks like an accident.
    gone: BTreeSet<String>,
    /// The folder at the time when it contained all files in use.
    folder: Option<Folder>,
    /// Set once a look has produced a reading.
    begun: bool,
    /// Set if a set without a main document was accepted in this run.
    without_main: bool,
    told: Option<FilesReading>,
}

impl Decider {
    /// Starts from the files committed before the start. A file being written for longer than `patience` is left out.
    pub(super) fn new(before: KnownFiles, patience: Duration) -> Self {
        Self {
            taken: TakenTexts::of(&before.documents),
            before,
            still: Stillness::new(patience),
            missing_since: BTreeMap::new(),
            gone: BTreeSet::new(),
            folder: None,
            begun: false,
            without_main: false,
            told: None,
        }
    }

    /// Processes a look made at `now`, a time since any fixed moment. `ask` finds the writers of files that would be used.
    pub(super) fn examine(&mut self, now: Duration, look: &Scan, ask: Ask<'_>) -> ScanOutcome {
        let unread = match self.still.settle(now, look, &self.taken, ask) {
            Ok(unread) => unread,
            Err(again_in) => {
                return ScanOutcome {
                    reading: None,
                    again_in: Some(again_in),
                };
            }
        };
        let mut set = Collected::default();
        self.main(now, look, &unread, &mut set);
        self.conf_d(now, look, &unread, &mut set);
        self.named(now, look, &unread, &mut set);
        self.main_may_miss(&mut set);
        set.check_size();
        self.begun = true;
        let again_in = set.again_in;
        let reading = set.into_reading();
        if let Some(documents) = &reading.documents {
            self.taken = TakenTexts::of(documents);
        }
        if self.told.as_ref() == Some(&reading) {
            return ScanOutcome {
                reading: None,
                again_in,
            };
        }
        self.told = Some(reading.clone());
        ScanOutcome {
            reading: Some(reading),
            again_in,
        }
    }

    fn main(&mut self, now: Duration, look: &Scan, unread: &Unread, set: &mut Collected) {
        let name = DocumentSet::MAIN;
        if look.main != Found::Missing {
            self.missing_since.remove(name);
            self.found(name, &look.main, unread, set);
            return;
        }
        let Some(text) = self.taken.get(name).cloned() else {
            return;
        };
        set.put(name, text);
        let left = self.gone_in(now, name);
        set.look_again(left);
        if left.is_none() {
            set.warn(
                name,
                "was deleted; its previous content stays in use until the file is back",
            );
        }
    }

    /// Adds the result for a name to the set.
    fn found(&self, name: &str, found: &Found, unread: &Unread, set: &mut Collected) {
        let taken = || self.taken.get(name).cloned();
        match found {
            _ if unread.contains_key(name) => {
                let opener = unread.get(name).and_then(Option::as_deref);
                set.writing(name, opener, taken());
            }
            Found::Text(seen) => set.put(name, seen.text.clone()),
            Found::Trouble(reason) => set.trouble(name, reason, taken()),
            // Normally in `unread` already, or still waited for.
            Found::Writing(_) => set.writing(name, None, taken()),
            Found::Missing => {}
        }
    }

    /// Accepts a set without a main document only if control has no head, the set equals the one read before the start, or this run
    /// accepted one before. Otherwise it is a fault: the set would replace a configuration that did not come from it.
    fn main_may_miss(&mut self, set: &mut Collected) {
        if set.texts.contains_key(DocumentSet::MAIN) || !set.faults.is_empty() {
            return;
        }
        let same_as_before = || Some(set.documents().content_hash()) == self.before.hash;
        self.without_main = self.without_main || !self.before.has_head || same_as_before();
        if self.without_main {
            set.warn(DocumentSet::MAIN, "is missing; it is read when it appears");
        } else {
            let reason = "is missing; the current configuration stays in use until it appears";
            set.faults.push(fault(DocumentSet::MAIN, reason));
        }
    }

    fn conf_d(&mut self, now: Duration, look: &Scan, unread: &Unread, set: &mut Collected) {
        for (name, found) in &look.conf_d {
            if *found != Found::Missing {
                self.found(name, found, unread, set);
                self.missing_since.remove(name);
                self.gone.remove(name);
            }
        }
        let there = |name: &str| {
            look.file(name)
                .is_some_and(|found| *found != Found::Missing)
        };
        let missing = self.taken.documents.iter();
        let missing = missing.filter(|(name, _)| *name != DocumentSet::MAIN && !there(name));
        let missing: Vec<(String, Bytes)> = missing
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        if missing.is_empty() && look.folder.is_some() {
            self.folder.clone_from(&look.folder);
        }
        // If a whole folder is gone, for example unmounted, that is no decision about the files in it.
        let all_gone =
            look.main == Found::Missing && self.taken.documents.contains_key(DocumentSet::MAIN);
        let accident = self.is_accident(look, missing.len());
        for (name, text) in missing {
            if look.conf_d_trouble.is_some() {
                set.put(&name, text);
            } else if all_gone {
                self.all_gone(now, &name, text, set);
            } else {
                self.missing(now, &name, text, accident, set);
            }
        }
        match &look.conf_d_trouble {
            // The previous texts of its files are unknown, and therefore the set is, too.
            Some(reason) if self.taken.documents.is_empty() => {
                let reason = format!("cannot be read: {reason}");
                set.faults.push(fault("conf.d", &reason));
            }
            Some(reason) => set.warn(
                "conf.d",
                &format!("cannot be read: {reason}; previous content of its files stays in use"),
            ),
            None => {}
        }
    }

    /// Reports whether missing files of `conf.d/` look like an accident: the folder is gone or replaced by another one, all of several
    /// files are gone at the same time, or all files from before the start are gone.
    fn is_accident(&self, look: &Scan, missing: usize) -> bool {
        let Some(folder) = &look.folder else {
            return true;
        };
        let another = self
            .folder
            .as_ref()
            .is_some_and(|before| before.real == folder.real && before.id != folder.id);
        let none_left = look.conf_d.values().all(|found| *found == Found::Missing);
        another || (none_left && (missing >= 2 || !self.begun))
    }

    fn all_gone(&mut self, now: Duration, name: &str, text: Bytes, set: &mut Collected) {
        set.put(name, text);
        if self.gone_in(now, DocumentSet::MAIN).is_none() {
            set.warn(
                name,
                "is missing together with upstreams.yaml; its previous content stays in use until upstreams.yaml is back",
            );
        }
    }

    /// Keeps the text of a missing file for [`GONE`], and for as long as its loss looks like an accident.
    fn missing(
        &mut self,
        now: Duration,
        name: &str,
        text: Bytes,
        accident: bool,
        set: &mut Collected,
    ) {
        let left = self.gone_in(now, name);
        let held = self.gone.contains(name);
        if left.is_some() || accident || held {
            set.put(name, text);
            set.look_again(left);
        } else {
            self.missing_since.remove(name);
        }
        if accident && (left.is_none() || !self.begun) {
            self.gone.insert(name.to_owned());
        }
        if left.is_none() && (accident || held) {
            set.gone.push(name.to_owned());
        }
    }

    /// Returns the time until a missing file counts as gone; `None` if it does already.
    fn gone_in(&mut self, now: Duration, name: &str) -> Option<Duration> {
        let since = *self.missing_since.entry(name.to_owned()).or_insert(now);
        let left = GONE.saturating_sub(now.saturating_sub(since));
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests;
