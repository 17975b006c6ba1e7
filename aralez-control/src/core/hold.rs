//! The guard against mass removal: a change that removes most hosts, or most of a pool, waits until somebody confirms it.
//!
//! A push is refused with an id. `--force`, `?force`, or `?held=ID` with that id confirm it; sending it again never does, because scripts
//! and HTTP clients send things again by themselves. Files whose content was changed are taken when they stay the same for a while. Files
//! that were deleted, and files without any host left, wait for an operator: that is also what an accident looks like.
//!
//! A hold is bound to the content and to the losses: what was a small loss when it was shown may be a large one on another head.
//! Times and randomness are given.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;

use crate::core::dropped::Dropped;
use crate::core::loss::Loss;

/// How long a changed set of files that has losses must stay the same.
pub const HOLD: Duration = Duration::from_secs(30);
/// How long the id of a refused push confirms it.
pub const REMEMBERED: Duration = Duration::from_mins(10);
/// How many refused pushes are remembered; the oldest is forgotten first.
const PUSHES: usize = 16;
/// How many losses are named in one line.
const NAMED: usize = 5;

/// The id of one hold: 12 hexadecimal digits. Whoever confirms a hold shows that they saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldId([u8; 6]);

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not the id of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("held is the id of a refusal, 12 hexadecimal digits")]
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

/// What is held, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// What confirms it.
    pub id: HoldId,
    /// The losses. Empty where files are held only because others are gone.
    pub losses: Vec<Loss>,
    /// Files that are gone in a way that looks like an accident (unmounted, renamed folder), by document name. Their last content stays.
    pub gone: Vec<String>,
    /// The hosts that go because the pushed set lacks the documents that had them.
    pub dropped: Vec<Dropped>,
    /// Since when.
    pub since: Instant,
    /// Of files, when they are taken if they stay the same; `None`: not by time. Of a push, until when the id is valid.
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

/// What is asked about a set of files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The hash of the set.
    pub content: Digest,
    /// What it takes away.
    pub losses: Vec<Loss>,
    /// Whether time may confirm it: the losses come from edited files, not from deleted or emptied ones.
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

/// What is held now.
#[derive(Clone, Debug)]
pub struct Holds {
    hold: Duration,
    seed: [u8; 16],
    given: u64,
    files: Option<SeenLosses>,
    pushes: Vec<SeenLosses>,
}

impl Holds {
    /// Nothing is held yet; changed files are held for `hold`. Ids are derived from `seed`, which must be random.
    pub const fn new(hold: Duration, seed: [u8; 16]) -> Self {
        Self {
            hold,
            seed,
            given: 0,
            files: None,
            pushes: Vec::new(),
        }
    }

    /// An id that was not given before.
    pub fn next_id(&mut self) -> HoldId {
        self.given += 1;
        let digest = Digest::of_fields(&[&self.seed, &self.given.to_le_bytes()]);
        let mut id = [0; 6];
        id.copy_from_slice(&digest.as_bytes()[..6]);
        HoldId(id)
    }

    /// Whether a set of files has to wait; `None` where it waited long enough, or takes nothing away.
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

    /// Whether a push is refused; `None` where `shown` is the id of this refusal, or it takes nothing away. An id confirms one push.
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
        // An older refusal of this content, on another head.
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

    /// The content of the files that are held.
    pub fn held_files(&self) -> Option<Digest> {
        self.files.as_ref().map(|seen| seen.content)
    }

    /// The files have this content now, or none that is known: a hold of any other content is over.
    pub fn files_are(&mut self, content: Option<Digest>) {
        self.files = self
            .files
            .take()
            .filter(|seen| Some(seen.content) == content);
    }
}

#[cfg(test)]
mod tests;
