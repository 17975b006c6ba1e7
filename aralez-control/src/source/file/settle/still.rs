//! Decides whether the files have settled: when a text that differs from the one used last may be used.
//!
//! A file that a process has open for writing is not used, however long that lasts. A file that was moved into place is complete. A file
//! that was written in place and closed is complete as well, unless it looks like a part: shorter than before, new, or the previous text
//! with more appended, as left by a writer that opens, appends and closes repeatedly. Those, and files without events, must be unchanged
//! for half a second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::taken::TakenTexts;
use super::{Found, Scan, SeenFile, Written};
use crate::source::file::openers::Opener;
use crate::source::file::writers::FileId;

/// Time that all files together must be unchanged: files saved together are one change.
const QUIET: Duration = Duration::from_millis(50);
/// A complete file needs no wait of its own.
const WHOLE: Duration = Duration::ZERO;
/// Time that a possibly incomplete file must be unchanged.
const QUIET_PART: Duration = Duration::from_millis(500);
/// Time that a previously non-empty document must stay empty: it is also empty between truncate and write.
const QUIET_EMPTY: Duration = Duration::from_secs(1);
/// Complete files that change continuously are used as they are after this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// Interval at which writers that only [`super::super::openers`] detects are checked again: their close may be the last event.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Finds which of these files are open for writing, and by which process.
pub(in super::super) type Ask<'a> =
    &'a mut dyn FnMut(&BTreeSet<FileId>) -> BTreeMap<FileId, Opener>;

/// A text that is not used yet.
#[derive(Debug)]
struct Pending {
    text: Bytes,
    file: FileId,
    since: Duration,
    quiet: Duration,
}

/// Files that are not read, by name, with their writer if known.
pub(super) type Unread = BTreeMap<String, Option<Opener>>;

/// State of files that have not settled.
#[derive(Debug)]
pub(super) struct Stillness {
    /// Time that a process may write a file before the set is used without it.
    patience: Duration,
    last: Option<Scan>,
    changed_at: Duration,
    unsettled_since: Option<Duration>,
    /// The text found last under each name.
    texts: BTreeMap<String, SeenFile>,
    pending: BTreeMap<String, Pending>,
    busy_since: BTreeMap<String, Duration>,
}

impl Stillness {
    pub(super) const fn new(patience: Duration) -> Self {
        Self {
            patience,
            last: None,
            changed_at: Duration::ZERO,
            unsettled_since: None,
            texts: BTreeMap::new(),
            pending: BTreeMap::new(),
            busy_since: BTreeMap::new(),
        }
    }

    /// Returns the files to leave out because they have been written for longer than the patience; `Err` is the time to wait before another
    /// look.
    pub(super) fn settle(
        &mut self,
        now: Duration,
        look: &Scan,
        taken: &TakenTexts,
        ask: Ask<'_>,
    ) -> Result<Unread, Duration> {
        let mut wait = self.wait_for_quiet(now, look);
        self.last = Some(look.clone());
        let mut unread = Unread::new();
        let mut still = BTreeMap::new();
        for (name, found) in look.files() {
            match self.busy(now, name, found, taken.get(name)) {
                Some(left) => self.wait_for(now, name, left, &mut wait, &mut unread),
                None => self.note_still(name, found, taken.get(name), &mut still),
            }
        }
        let named = |name: &String| look.files().any(|(other, _)| other == name);
        self.busy_since.retain(|name, _| named(name));
        self.pending.retain(|name, _| named(name));
        if wait.is_none() && (!still.is_empty() || !unread.is_empty()) {
            self.ask(now, look, &still, ask, &mut wait, &mut unread);
        }
        if let Some(wait) = wait {
            return Err(wait.max(Duration::from_millis(1)));
        }
        for name in still.into_keys().filter(|name| !unread.contains_key(name)) {
            self.busy_since.remove(&name);
        }
        self.unsettled_since = None;
        Ok(unread)
    }

    /// Returns the time until all files together have been unchanged long enough; `None` if they have.
    fn wait_for_quiet(&mut self, now: Duration, look: &Scan) -> Option<Duration> {
        if self.last.as_ref().is_none_or(|last| !last.is_same(look)) {
            self.changed_at = now;
            self.unsettled_since.get_or_insert(now);
        }
        let since = self.unsettled_since?;
        let left = QUIET.saturating_sub(now.saturating_sub(self.changed_at));
        let patience = PATIENCE.saturating_sub(now.saturating_sub(since));
        let wait = left.min(patience);
        (!wait.is_zero()).then_some(wait)
    }

    /// Returns the minimum time for which a file must not be read; `None` if it may be read now.
    fn busy(
        &mut self,
        now: Duration,
        name: &str,
        found: &Found,
        taken: Option<&Bytes>,
    ) -> Option<Duration> {
        let seen = match found {
            Found::Writing(_) => return Some(self.patience),
            Found::Text(seen) => seen,
            Found::Missing | Found::Trouble(_) => {
                self.pending.remove(name);
                return None;
            }
        };
        let before = self.texts.insert(name.to_owned(), seen.clone());
        if taken == Some(&seen.text) {
            self.pending.remove(name);
            return None;
        }
        let known = self.pending.remove(name);
        let same = |pending: &Pending| pending.text == seen.text && pending.file == seen.file;
        let pending = known.filter(same).unwrap_or_else(|| Pending {
            text: seen.text.clone(),
            file: seen.file,
            since: now,
            quiet: quiet(taken, before.as_ref(), seen),
        });
        let left = pending
            .quiet
            .saturating_sub(now.saturating_sub(pending.since));
        self.pending.insert(name.to_owned(), pending);
        (!left.is_zero()).then_some(left)
    }

    /// Extends the wait for a file, or leaves the file out once the patience is used up.
    fn wait_for(
        &mut self,
        now: Duration,
        name: &str,
        left: Duration,
        wait: &mut Option<Duration>,
        unread: &mut Unread,
    ) {
        let since = *self.busy_since.entry(name.to_owned()).or_insert(now);
        let patience = self.patience.saturating_sub(now.saturating_sub(since));
        if patience.is_zero() {
            unread.insert(name.to_owned(), None);
        } else {
            let left = left.min(patience);
            *wait = Some(wait.map_or(left, |wait| wait.min(left)));
        }
    }

    fn note_still(
        &mut self,
        name: &str,
        found: &Found,
        taken: Option<&Bytes>,
        still: &mut BTreeMap<String, FileId>,
    ) {
        match found {
            Found::Text(seen) if taken != Some(&seen.text) => {
                still.insert(name.to_owned(), seen.file);
            }
            _ => drop(self.busy_since.remove(name)),
        }
    }

    /// Checks for writers of the texts that would be used now, and looks up the writers of files that are left out.
    fn ask(
        &mut self,
        now: Duration,
        look: &Scan,
        still: &BTreeMap<String, FileId>,
        ask: Ask<'_>,
        wait: &mut Option<Duration>,
        unread: &mut Unread,
    ) {
        let left_out = |name: &str| look.file(name).and_then(Found::file);
        let named = unread.keys().filter_map(|name| left_out(name));
        let files: BTreeSet<FileId> = still.values().copied().chain(named).collect();
        let openers = ask(&files);
        for (name, file) in still {
            if openers.contains_key(file) {
                self.wait_for(now, name, ASK_AGAIN, wait, unread);
            }
        }
        for (name, opener) in unread {
            *opener = left_out(name).and_then(|file| openers.get(&file).cloned());
        }
    }
}

/// Returns the time that a newly found text must stay unchanged, in addition to [`QUIET`] for all files together.
fn quiet(taken: Option<&Bytes>, before: Option<&SeenFile>, now: &SeenFile) -> Duration {
    let had = taken.map_or(0, Bytes::len);
    if now.text.is_empty() && had > 0 {
        return QUIET_EMPTY;
    }
    let other = before.is_none_or(|before| before.file != now.file);
    let appended = before.is_some_and(|before| {
        let (before, now) = (&before.text, &now.text);
        before.len() < now.len() && now.starts_with(before)
    });
    match now.written {
        Written::Closed if appended || now.text.len() < had || taken.is_none() => QUIET_PART,
        Written::Closed | Written::Moved => WHOLE,
        // Another file under the same name, without events: it was put there complete, by moving it or a symlink to it.
        Written::LongAgo => match other {
            true => WHOLE,
            false => QUIET_PART,
        },
        Written::Unknown if other && before.is_some() => WHOLE,
        Written::Unknown | Written::Made => QUIET_PART,
    }
}
