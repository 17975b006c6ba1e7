//! What sessions have made for nodes that refuse the newest view, once for all that need the same.
//!
//! A fleet that refuses a push needs it at every view, for every node at the same moment. Making it takes as long as the views differ, so it is not
//! done on the threads that serve streams, and one at a time: heartbeats and other nodes' updates go on meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, warn};

use crate::core::session::Derivation;

use super::command::Command;

#[cfg(test)]
mod tests;

/// How many are kept for nodes that come to need them later. They share what is the same with what nodes run.
const KEPT: usize = 16;
/// One that nobody asked for since so many views is let go.
const VIEWS: u64 = 8;

/// A stream that waits for an answer.
type Waiting = UnboundedSender<Command>;

#[derive(Debug)]
enum Progress {
    /// Not made yet: each stream that is served waits for one at most.
    Making(Vec<Waiting>),
    Made(Option<SharedSnapshot>),
}

#[derive(Debug)]
struct Place {
    /// The number of the view at which it was last asked for.
    asked: u64,
    progress: Progress,
}

#[derive(Debug, Default)]
struct Places {
    by_key: HashMap<Digest, Place>,
    view: u64,
}

/// What was made and is being made.
#[derive(Debug, Default)]
pub(super) struct Derivations {
    places: Mutex<Places>,
    /// Held while one is made.
    turn: tokio::sync::Mutex<()>,
}

impl Derivations {
    /// Has this made, now or before, and tells the stream what came of it. `note` is told how long it took, where it was made for this.
    pub(super) fn ask(
        self: &Arc<Self>,
        needed: Derivation,
        stream: &Waiting,
        note: impl FnOnce(Duration) + Send + 'static,
    ) {
        if self.join(needed.key(), stream) {
            return;
        }
        let all = Arc::clone(self);
        tokio::spawn(async move { all.make(needed, note).await });
    }

    /// Whether it is there or being made, so that the stream need only wait.
    fn join(&self, key: Digest, stream: &Waiting) -> bool {
        let mut places = self.places();
        let view = places.view;
        let Some(place) = places.by_key.get_mut(&key) else {
            let progress = Progress::Making(vec![stream.clone()]);
            let asked = view;
            places.by_key.insert(key, Place { asked, progress });
            return false;
        };
        place.asked = view;
        match &mut place.progress {
            Progress::Making(waiting) => waiting.push(stream.clone()),
            Progress::Made(made) => tell(stream, key, made),
        }
        true
    }

    async fn make(&self, needed: Derivation, note: impl FnOnce(Duration)) {
        let key = needed.key();
        let turn = self.turn.lock().await;
        if !self.is_wanted(key) {
            return;
        }
        let begun = Instant::now();
        let made = tokio::task::spawn_blocking(move || needed.derive()).await;
        drop(turn);
        let Ok(made) = made else {
            warn!("what a refusing proxy is to be given could not be made");
            return self.failed(key);
        };
        debug!(took = ?begun.elapsed(), something = made.is_some(), "made what refusing proxies are given");
        note(begun.elapsed());
        self.made(key, &made);
    }

    /// Whether a stream that waits is still there. Where none is, it need not be made.
    fn is_wanted(&self, key: Digest) -> bool {
        let mut places = self.places();
        let wanted = places
            .by_key
            .get(&key)
            .is_some_and(|place| match &place.progress {
                Progress::Making(waiting) => waiting.iter().any(|stream| !stream.is_closed()),
                Progress::Made(_) => false,
            });
        if !wanted {
            places.by_key.remove(&key);
        }
        wanted
    }

    fn made(&self, key: Digest, made: &Option<SharedSnapshot>) {
        let mut places = self.places();
        let asked = places.view;
        let progress = Progress::Made(made.clone());
        let before = places.by_key.insert(key, Place { asked, progress });
        places.forget_beyond(KEPT);
        drop(places);
        tell_all(before, key, made);
    }

    /// Nothing came of it: those that wait are told so, and the next that needs it has it made again.
    fn failed(&self, key: Digest) {
        let before = self.places().by_key.remove(&key);
        tell_all(before, key, &None);
    }

    /// There is a newer view.
    pub(super) fn next_view(&self) {
        let mut places = self.places();
        places.view += 1;
        let view = places.view;
        places
            .by_key
            .retain(|_, place| !place.is_made() || place.asked + VIEWS >= view);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Every change is made in one call, so even what a panic left behind is whole.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    const fn is_made(&self) -> bool {
        matches!(self.progress, Progress::Made(_))
    }
}

impl Places {
    /// Lets go of what was asked for longest ago.
    fn forget_beyond(&mut self, most: usize) {
        let made = self.by_key.iter().filter(|(_, place)| place.is_made());
        let mut made: Vec<(u64, Digest)> = made.map(|(key, place)| (place.asked, *key)).collect();
        made.sort_unstable();
        let excess = made.len().saturating_sub(most);
        for (_, key) in made.into_iter().take(excess) {
            self.by_key.remove(&key);
        }
    }
}

fn tell_all(place: Option<Place>, key: Digest, made: &Option<SharedSnapshot>) {
    if let Some(Progress::Making(waiting)) = place.map(|place| place.progress) {
        waiting.iter().for_each(|stream| tell(stream, key, made));
    }
}

/// A stream that has ended need not know.
fn tell(stream: &Waiting, key: Digest, made: &Option<SharedSnapshot>) {
    let made = made.clone();
    let _ = stream.send(Command::Derived { key, made });
}
