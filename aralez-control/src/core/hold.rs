//! The second look: who takes away in bulk is heard twice before it is done.
//!
//! Files are looked at again after a while. A push is refused once, and taken where the same comes again. Both are the same look only where
//! content and losses are the same: what was small when it was seen first may be large on another head. Times are given.

use std::fmt;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;

use crate::core::loss::Loss;

/// How long a set of files that takes away in bulk must stay as it is.
pub const HOLD: Duration = Duration::from_secs(30);
/// How long a refused push is remembered.
pub const REMEMBERED: Duration = Duration::from_mins(10);
/// How many refused pushes are remembered; the oldest goes first.
const PUSHES: usize = 16;
/// How many losses are said in one line.
const SAID: usize = 5;

/// What is held: why, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// What it would take away; at least one.
    pub losses: Vec<Loss>,
    /// When it was first seen.
    pub since: Instant,
    /// Of files, when they are taken if they stay so; of a push, until when the same again is taken.
    pub until: Instant,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<String> = self.losses.iter().take(SAID).map(Loss::to_string).collect();
        f.write_str(&said.join(", "))?;
        match self.losses.len().saturating_sub(SAID) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[derive(Clone, Debug)]
struct Seen {
    content: Digest,
    held: Held,
}

impl Seen {
    fn is(&self, content: Digest, losses: &[Loss]) -> bool {
        self.content == content && self.held.losses == losses
    }
}

/// What was seen once.
#[derive(Clone, Debug)]
pub struct Holds {
    hold: Duration,
    files: Option<Seen>,
    pushes: Vec<Seen>,
}

impl Holds {
    /// Nothing seen yet; files are held for `hold`.
    pub const fn new(hold: Duration) -> Self {
        Self {
            hold,
            files: None,
            pushes: Vec::new(),
        }
    }

    /// Whether a set of files that takes this away has to wait; `None` where it waited long enough, or takes nothing away.
    pub fn files(&mut self, now: Instant, content: Digest, losses: Vec<Loss>) -> Option<Held> {
        if losses.is_empty() {
            self.files = None;
            return None;
        }
        let hold = self.hold;
        let seen = self.files.take().filter(|seen| seen.is(content, &losses));
        let seen = seen.unwrap_or_else(|| Seen {
            content,
            held: Held {
                losses,
                since: now,
                until: now + hold,
            },
        });
        let waits = (now < seen.held.until).then(|| seen.held.clone());
        self.files = waits.is_some().then_some(seen);
        waits
    }

    /// Whether a push that takes this away is refused for now; `None` where the same was refused lately, or takes nothing away.
    pub fn push(&mut self, now: Instant, content: Digest, losses: Vec<Loss>) -> Option<Held> {
        self.pushes.retain(|seen| now < seen.held.until);
        if losses.is_empty() {
            return None;
        }
        let known = self
            .pushes
            .iter()
            .position(|seen| seen.is(content, &losses));
        if let Some(known) = known {
            self.pushes.remove(known);
            return None;
        }
        // An older look at the same content, on another head.
        self.pushes.retain(|seen| seen.content != content);
        if self.pushes.len() == PUSHES {
            self.pushes.remove(0);
        }
        let held = Held {
            losses,
            since: now,
            until: now + REMEMBERED,
        };
        self.pushes.push(Seen {
            content,
            held: held.clone(),
        });
        Some(held)
    }

    /// The content of the files that are held.
    pub fn held_files(&self) -> Option<Digest> {
        self.files.as_ref().map(|seen| seen.content)
    }

    /// The files hold this now, or nothing that is known: a hold of anything else is over.
    pub fn files_are(&mut self, content: Option<Digest>) {
        self.files = self
            .files
            .take()
            .filter(|seen| Some(seen.content) == content);
    }
}

#[cfg(test)]
mod tests;
