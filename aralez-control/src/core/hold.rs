//! The guard against mass removal: a change that removes most hosts, or most of a pool, waits until it is confirmed.
//!
//! A push is refused with an id. `--force`, `?force`, or `?held=ID` with that id confirms it; repeating the push never does, because
//! scripts and HTTP clients retry by themselves. Files with edited content are taken once they have been unchanged for a while. Deleted
//! files, and a set of files without any host, wait for an operator, because an accident looks the same.
//!
//! A hold is bound to the content and to the losses: a loss that was small when it was shown may be large on another head. Times and
//! randomness are passed in.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;

use crate::core::dropped::Dropped;
use crate::core::loss::Loss;

/// Time for which an edited set of files with losses must stay the same.
pub const HOLD: Duration = Duration::from_secs(30);
/// Validity of the id of a refused push.
pub const REMEMBERED: Duration = Duration::from_mins(10);
/// Maximum number of remembered refused pushes; the oldest is forgotten first.
const PUSHES: usize = 16;
/// Maximum number of losses named in one line.
const NAMED: usize = 5;

/// The id of one hold: 12 hexadecimal digits. Presenting it shows that the operator has seen the hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldId([u8; 6]);

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not the id of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("held is not the id of a refusal: expected 12 hexadecimal digits")]
pub struct NotAHoldId;

impl FromStr for HoldId {
    type Err = NotAHoldId;

    fn from_str(text: &str) -> Result<Self, NotAHoldId> {
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != 12 || !hex {
            return Err(NotAHoldId);
        }
        let mut id = [0; 6];
        for (index, byte) in id.iter_mut().enumerate() {
            let digits = &text[2 * index..2 * index + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAHoldId)?;
        }
        Ok(Self(id))
    }
}

/// A held change, and the reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The id that confirms it.
    pub id: HoldId,
    /// The losses. Empty if files are held only because others are gone.
    pub losses: Vec<Loss>,
    /// Files, by document name, that are gone in a way that looks like an accident (unmounted or renamed folder). Their last content stays
    /// in use.
    pub gone: Vec<String>,
    /// The hosts that are removed because the pushed set lacks their documents.
    pub dropped: Vec<Dropped>,
    /// Start of the hold.
    pub since: Instant,
    /// For files: when they are taken if they stay the same; `None` if time does not confirm them. For a push: the end of the id's
    /// validity.
    pub until: Option<Instant>,
}

impl fmt::Display for Held {
    /// `removes 9 of 12 hosts, lacks conf.d/a.yaml`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let losses = self.losses.iter().map(Loss::to_string);
        let gone = self.gone.iter().map(|name| format!("lacks {name}"));
        let all: Vec<String> = losses.chain(gone).collect();
        f.write_str(&all[..all.len().min(NAMED)].join(", "))?;
        match all.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// A set of files to be judged.
#[derive(Clone, Debug)]
pub struct Files {
    /// The hash of the set.
    pub content: Digest,
    /// The losses that it causes.
    pub losses: Vec<Loss>,
    /// Set if time may confirm it: the losses come from edited files, not from deleted or emptied ones.
    pub by_time: bool,
}

#[derive(Clone, Debug)]
struct SeenLosses {
    content: Digest,
    held: Held,
}

impl SeenLosses {
    fn is(&self, content: Digest, losses: &[Loss]) -> bool {
        self.content == content && self.held.losses == losses
    }
}

/// The current holds.
#[derive(Clone, Debug)]
pub struct Holds {
    hold: Duration,
    seed: [u8; 16],
    given: u64,
    files: Option<SeenLosses>,
    pushes: Vec<SeenLosses>,
}

impl Holds {
    /// Creates an empty set of holds; edited files are held for `hold`. Ids are derived from `seed`, which must be random.
    pub const fn new(hold: Duration, seed: [u8; 16]) -> Self {
        Self {
            hold,
            seed,
            given: 0,
            files: None,
            pushes: Vec::new(),
        }
    }

    /// Returns an id that was not issued before.
    pub fn next_id(&mut self) -> HoldId {
        self.given += 1;
        let digest = Digest::of_fields(&[&self.seed, &self.given.to_le_bytes()]);
        let mut id = [0; 6];
        id.copy_from_slice(&digest.as_bytes()[..6]);
        HoldId(id)
    }

    /// Judges a set of files. Returns the hold if the set must wait; `None` if it has waited long enough or has no losses.
    pub fn files(&mut self, now: Instant, files: Files) -> Option<Held> {
        let Files {
            content,
            losses,
            by_time,
        } = files;
        if losses.is_empty() {
            self.files = None;
            return None;
        }
        let seen = self.files.take().filter(|seen| seen.is(content, &losses));
        let seen = seen.unwrap_or_else(|| SeenLosses {
            content,
            held: Held {
                id: self.next_id(),
                losses,
                gone: Vec::new(),
                dropped: Vec::new(),
                since: now,
                until: by_time.then(|| now + self.hold),
            },
        });
        let over = seen.held.until.is_some_and(|until| until <= now);
        let waits = (!over).then(|| seen.held.clone());
        self.files = waits.is_some().then_some(seen);
        waits
    }

    /// Judges a push. Returns the hold if it is refused; `None` if `shown` is the id of this refusal or there are no losses. An id confirms
    /// one push.
    pub fn push(
        &mut self,
        now: Instant,
        content: Digest,
        losses: Vec<Loss>,
        shown: Option<HoldId>,
    ) -> Option<Held> {
        self.pushes
            .retain(|seen| seen.held.until.is_some_and(|until| now < until));
        if losses.is_empty() {
            return None;
        }
        let known = self
            .pushes
            .iter()
            .position(|seen| seen.is(content, &losses));
        if let Some(known) = known {
            if shown != Some(self.pushes[known].held.id) {
                return Some(self.pushes[known].held.clone());
            }
            self.pushes.remove(known);
            return None;
        }
        // Drop an older refusal of this content, on another head.
        self.pushes.retain(|seen| seen.content != content);
        if self.pushes.len() == PUSHES {
            self.pushes.remove(0);
        }
        let held = Held {
            id: self.next_id(),
            losses,
            gone: Vec::new(),
            dropped: Vec::new(),
            since: now,
            until: Some(now + REMEMBERED),
        };
        self.pushes.push(SeenLosses {
            content,
            held: held.clone(),
        });
        Some(held)
    }

    /// Returns the content of the held files.
    pub fn held_files(&self) -> Option<Digest> {
        self.files.as_ref().map(|seen| seen.content)
    }

    /// Records the current content of the files (`None` if it is unknown). Cancels a hold of any other content.
    pub fn files_are(&mut self, content: Option<Digest>) {
        self.files = self
            .files
            .take()
            .filter(|seen| Some(seen.content) == content);
    }
}

#[cfg(test)]
mod tests;
