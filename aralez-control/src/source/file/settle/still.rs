//! Whether the files stand still: when a text that differs from the one taken last may be taken.
//!
//! A file that somebody has open for writing is not taken, however long that lasts. A file that was moved into place is whole. A file that
//! was written in place and closed is whole as well, unless it looks like a part: shorter than before, new, or the text before with more
//! at its end, as a writer leaves it that opens, appends and closes again and again. Those, and files of which nothing was heard, must
//! be the same for half a second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::{Found, Look, SeenFile, Written};
use crate::source::file::openers::Opener;
use crate::source::file::writers::FileId;

/// How long all files together must be the same: what is saved together is one change.
const QUIET: Duration = Duration::from_millis(50);
/// A file that is whole need not be waited for by itself.
const WHOLE: Duration = Duration::ZERO;
/// How long a file must be the same that may be a part of a file.
const QUIET_PART: Duration = Duration::from_millis(500);
/// How long a document must be empty that was not: it is also empty between truncating and writing.
const QUIET_EMPTY: Duration = Duration::from_secs(1);
/// Files that are whole, but change all the time, are taken as they are after this long.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often to ask again for a writer that only [`super::super::openers`] knows of: its close may be the last thing that is heard.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Who has which of these files open for writing.
pub(in super::super) type Ask<'a> =
    &'a mut dyn FnMut(&BTreeSet<FileId>) -> BTreeMap<FileId, Opener>;

/// A text that was not taken yet.
#[derive(Debug)]
struct Pending {
    text: Bytes,
    file: FileId,
    since: Duration,
    quiet: Duration,
}

/// Files that are not read, by name, with who writes them, where that is known.
pub(super) type Unread = BTreeMap<String, Option<Opener>>;

/// What is remembered of files that do not stand still.
#[derive(Debug)]
pub(super) struct Stillness {
    /// How long somebody may write a file before the set is taken without it.
    patience: Duration,
    last: Option<Look>,
    changed_at: Duration,
    unsettled_since: Option<Duration>,
    /// The text that was found last under each name.
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

    /// The files that must be left out because somebody has been writing them for longer than the patience, or how long to wait.
    pub(super) fn settle(
        &mut self,
        now: Duration,
        look: &Look,
        taken: &BTreeMap<String, Bytes>,
        ask: Ask<'_>,
    ) -> Result<Unread, Duration> {
        let mut wait = self.set_is_quiet(now, look);
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

    /// How long to wait for the files together to stay as they are; `None` where they did.
    fn set_is_quiet(&mut self, now: Duration, look: &Look) -> Option<Duration> {
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

    /// How long a file is at least not to be read; `None` where it may be.
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

    /// Waits for a file, or gives up waiting for it.
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

    /// Looks for writers of what would be taken now, and for the names of writers that are waited for no longer.
    fn ask(
        &mut self,
        now: Duration,
        look: &Look,
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

/// How long a text that was found first must stay as it is, beside [`QUIET`] for all files together.
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
        // Another file under the name, of which nothing was heard: it was put there whole, by moving it or a link to it.
        Written::LongAgo => match other {
            true => WHOLE,
            false => QUIET_PART,
        },
        Written::Unknown if other && before.is_some() => WHOLE,
        Written::Unknown | Written::Made => QUIET_PART,
    }
}
