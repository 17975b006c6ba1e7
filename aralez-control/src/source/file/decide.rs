//! What a look at the files means: the set to take, or to wait, or what to warn of. Pure: looks and times are given.
//!
//! A text is taken once two looks a little apart found the same, so that a file that is being written is not taken half. What cannot be
//! read, or is gone that should not be, leaves the text that was taken last.

use std::collections::BTreeMap;
use std::time::Duration;

use aralez_proto::document::{DocumentFault, DocumentSet, MAX_BYTES, Place};
use bytes::Bytes;

use crate::core::status::{KnownFiles, Reading};

/// How long the files must be the same.
const QUIET: Duration = Duration::from_millis(50);

/// How long a main document must be empty that was not: between truncating and writing it is, too.
const QUIET_EMPTY: Duration = Duration::from_secs(1);

/// Files that change all the time are taken as they are after this long.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a file is gone before that counts: editors delete and make anew.
const GONE: Duration = Duration::from_secs(2);

/// What was found under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    Text(Bytes),
    Missing,
    /// There is something that cannot be read, and why.
    Trouble(String),
}

/// All that was found at one time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) main: Found,
    /// By the name of the document: `conf.d/NAME.yaml`.
    pub(super) conf_d: BTreeMap<String, Found>,
    /// Why the folder `conf.d/` itself cannot be read.
    pub(super) conf_d_trouble: Option<String>,
}

/// What comes of a look.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Next {
    /// Something to tell.
    pub(super) reading: Option<Reading>,
    /// After how long another look is needed even if nothing is heard.
    pub(super) again_in: Option<Duration>,
}

/// What is remembered between looks.
#[derive(Debug)]
pub(super) struct Decider {
    before: KnownFiles,
    /// The texts that were taken last.
    taken: BTreeMap<String, Bytes>,
    last: Option<Look>,
    changed_at: Duration,
    unsettled_since: Option<Duration>,
    missing_since: BTreeMap<String, Duration>,
    /// In this run a set without a main document was a set of its own.
    without_main: bool,
    told: Option<Reading>,
}

impl Decider {
    pub(super) fn new(before: KnownFiles) -> Self {
        Self {
            taken: before.documents.documents().clone(),
            before,
            last: None,
            changed_at: Duration::ZERO,
            unsettled_since: None,
            missing_since: BTreeMap::new(),
            without_main: false,
            told: None,
        }
    }

    /// Takes a look made at `now`, a time since any fixed moment.
    pub(super) fn look(&mut self, now: Duration, look: Look) -> Next {
        if let Some(again_in) = self.settle(now, &look) {
            self.last = Some(look);
            return Next {
                reading: None,
                again_in: Some(again_in),
            };
        }
        let mut set = Collected::default();
        self.main(now, &look.main, &mut set);
        self.conf_d(now, &look, &mut set);
        self.main_may_miss(&mut set);
        set.check_size();
        self.last = Some(look);
        let again_in = set.again_in;
        let reading = set.into_reading();
        if let Some(documents) = &reading.documents {
            self.taken.clone_from(documents.documents());
        }
        if self.told.as_ref() == Some(&reading) {
            return Next {
                reading: None,
                again_in,
            };
        }
        self.told = Some(reading.clone());
        Next {
            reading: Some(reading),
            again_in,
        }
    }

    /// How long to wait for the files to stay as they are; `None` where they did.
    fn settle(&mut self, now: Duration, look: &Look) -> Option<Duration> {
        if self.last.as_ref() != Some(look) {
            self.changed_at = now;
            self.unsettled_since.get_or_insert(now);
        }
        let since = self.unsettled_since?;
        let empty = |text: &Bytes| text.is_empty();
        let emptied = matches!(&look.main, Found::Text(text) if empty(text))
            && self
                .taken
                .get(DocumentSet::MAIN)
                .is_some_and(|text| !empty(text));
        let quiet = if emptied { QUIET_EMPTY } else { QUIET };
        let left = quiet.saturating_sub(now.saturating_sub(self.changed_at));
        let patience = PATIENCE.saturating_sub(now.saturating_sub(since));
        let wait = left.min(patience);
        if wait.is_zero() {
            self.unsettled_since = None;
            return None;
        }
        Some(wait)
    }

    fn main(&mut self, now: Duration, found: &Found, set: &mut Collected) {
        let name = DocumentSet::MAIN;
        let taken = self.taken.get(name).cloned();
        if matches!(found, Found::Text(_) | Found::Trouble(_)) {
            self.missing_since.remove(name);
        }
        match (found, taken) {
            (Found::Text(text), _) => set.put(name, text.clone()),
            (Found::Trouble(reason), taken) => set.trouble(name, reason, taken),
            (Found::Missing, Some(text)) => {
                set.put(name, text);
                let left = self.gone_in(now, name);
                set.look_again(left);
                if left.is_none() {
                    set.warn(name, "was deleted; what it said stays until it is back");
                }
            }
            (Found::Missing, None) => {}
        }
    }

    /// Without a main document, now and before, the set is that of `conf.d/` alone, unless that would take away what came another way.
    fn main_may_miss(&mut self, set: &mut Collected) {
        if set.texts.contains_key(DocumentSet::MAIN) || !set.faults.is_empty() {
            return;
        }
        let same_as_before = || Some(set.documents().content_hash()) == self.before.hash;
        self.without_main = self.without_main || !self.before.has_head || same_as_before();
        if self.without_main {
            set.warn(DocumentSet::MAIN, "is missing; it is read when it appears");
        } else {
            let reason = "is missing; what serves stays until it appears";
            set.faults.push(fault(DocumentSet::MAIN, reason));
        }
    }

    fn conf_d(&mut self, now: Duration, look: &Look, set: &mut Collected) {
        for (name, found) in &look.conf_d {
            match found {
                Found::Text(text) => set.put(name, text.clone()),
                Found::Trouble(reason) => {
                    set.trouble(name, reason, self.taken.get(name).cloned());
                }
                Found::Missing => continue,
            }
            self.missing_since.remove(name);
        }
        let unseen = |name: &String| {
            let seen = look.conf_d.get(name);
            *name != DocumentSet::MAIN && seen.is_none_or(|found| *found == Found::Missing)
        };
        let taken = self.taken.clone();
        // A whole folder that is gone, unmounted for one, is no decision about the files in it.
        let all_gone = look.main == Found::Missing && taken.contains_key(DocumentSet::MAIN);
        for (name, text) in taken.into_iter().filter(|(name, _)| unseen(name)) {
            if look.conf_d_trouble.is_some() {
                set.put(&name, text);
                continue;
            }
            if all_gone {
                set.put(&name, text);
                if self.gone_in(now, DocumentSet::MAIN).is_none() {
                    set.warn(
                        &name,
                        "is gone together with upstreams.yaml; what it said stays until that is back",
                    );
                }
                continue;
            }
            let left = self.gone_in(now, &name);
            if left.is_some() {
                set.put(&name, text);
                set.look_again(left);
            } else {
                self.missing_since.remove(&name);
            }
        }
        match &look.conf_d_trouble {
            // What its files said before is not known, so nor is the set.
            Some(reason) if self.taken.is_empty() => {
                let reason = format!("cannot be read: {reason}");
                set.faults.push(fault("conf.d", &reason));
            }
            Some(reason) => set.warn(
                "conf.d",
                &format!("cannot be read, what its files said stays: {reason}"),
            ),
            None => {}
        }
    }

    /// How long until a missing file counts as gone; `None` where it does.
    fn gone_in(&mut self, now: Duration, name: &str) -> Option<Duration> {
        let since = *self.missing_since.entry(name.to_owned()).or_insert(now);
        let left = GONE.saturating_sub(now.saturating_sub(since));
        (!left.is_zero()).then_some(left)
    }
}

/// A set that is being put together.
#[derive(Debug, Default)]
struct Collected {
    texts: BTreeMap<String, Bytes>,
    faults: Vec<DocumentFault>,
    warnings: Vec<DocumentFault>,
    again_in: Option<Duration>,
}

impl Collected {
    fn put(&mut self, name: &str, text: Bytes) {
        self.texts.insert(name.to_owned(), text);
    }

    /// What cannot be read keeps the text that was taken from it; where there is none, the set cannot be known.
    fn trouble(&mut self, name: &str, reason: &str, taken: Option<Bytes>) {
        match taken {
            Some(text) => {
                self.put(name, text);
                self.warn(
                    name,
                    &format!("cannot be read, what it said stays: {reason}"),
                );
            }
            None => self
                .faults
                .push(fault(name, &format!("cannot be read: {reason}"))),
        }
    }

    fn warn(&mut self, name: &str, reason: &str) {
        self.warnings.push(fault(name, reason));
    }

    fn look_again(&mut self, left: Option<Duration>) {
        self.again_in = [self.again_in, left].into_iter().flatten().min();
    }

    fn check_size(&mut self) {
        let bytes: usize = self.texts.values().map(Bytes::len).sum();
        if bytes > MAX_BYTES {
            let reason = format!(
                "has {bytes} bytes together with the files of conf.d, at most {MAX_BYTES} are read"
            );
            self.faults.push(fault(DocumentSet::MAIN, &reason));
        }
    }

    fn documents(&self) -> DocumentSet {
        self.texts.clone().into_iter().collect()
    }

    fn into_reading(self) -> Reading {
        Reading {
            documents: self.faults.is_empty().then(|| self.documents()),
            faults: self.faults,
            warnings: self.warnings,
            ..Reading::default()
        }
    }
}

pub(super) fn fault(name: &str, reason: &str) -> DocumentFault {
    DocumentFault {
        place: Place {
            file: name.to_owned(),
            line: 0,
            column: 0,
        },
        path: String::new(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
