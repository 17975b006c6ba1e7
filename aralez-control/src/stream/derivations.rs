//! Derivations for nodes that refuse the newest view, made once for all sessions that need the same.
//!
//! After every new view, all nodes of a fleet that refuses a push need a derivation at the same moment. Its cost grows with the difference
//! between the views, so derivations are computed on a blocking thread, one at a time: heartbeats and updates of other nodes continue in
//! the meantime.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, warn};

use crate::core::session::Derivation;

use super::command::Command;

#[cfg(test)]
mod tests;

/// Maximum number kept for nodes that need them later. They share unchanged parts with the content that nodes run.
const KEPT: usize = 16;
/// A derivation that was not requested for this many views is dropped.
const VIEWS: u64 = 8;

/// The command channel of a stream that waits for a derivation.
type Waiting = UnboundedSender<Command>;

#[derive(Debug)]
enum Progress {
    /// In progress: each served stream waits for at most one.
    Making(Vec<Waiting>),
    Made(Option<SharedSnapshot>),
}

#[derive(Debug)]
struct Place {
    /// Number of the view at which it was last requested.
    asked: u64,
    progress: Progress,
}

#[derive(Debug, Default)]
struct Places {
    by_key: HashMap<Digest, Place>,
    view: u64,
}

/// Derivations that are made or in progress.
#[derive(Debug, Default)]
pub(super) struct Derivations {
    places: Mutex<Places>,
    /// Held while one is made.
    turn: tokio::sync::Mutex<()>,
}

impl Derivations {
    /// Sends the derivation to the stream, now or once it is made. `note` receives the time it took, if it was made for this request.
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

    /// Adds the stream to a known derivation. Returns `false` if the caller must make it.
    fn join(&self, key: Digest, stream: &Waiting) -> bool {
        let mut places = self.places.lock();
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
            warn!("derivation for a refusing proxy failed");
            return self.failed(key);
        };
        debug!(took = ?begun.elapsed(), something = made.is_some(), "made a derivation for refusing proxies");
        note(begun.elapsed());
        self.made(key, &made);
    }

    /// Reports whether a waiting stream is still open. If none is, drops the derivation.
    fn is_wanted(&self, key: Digest) -> bool {
        let mut places = self.places.lock();
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
        let mut places = self.places.lock();
        let asked = places.view;
        let progress = Progress::Made(made.clone());
        let before = places.by_key.insert(key, Place { asked, progress });
        places.forget_beyond(KEPT);
        drop(places);
        tell_all(before, key, made);
    }

    /// Answers the waiting streams with `None`; the next request tries again.
    fn failed(&self, key: Digest) {
        let before = self.places.lock().by_key.remove(&key);
        tell_all(before, key, &None);
    }

    /// Records that there is a newer view.
    pub(super) fn next_view(&self) {
        let mut places = self.places.lock();
        places.view += 1;
        let view = places.view;
        places
            .by_key
            .retain(|_, place| !place.is_made() || place.asked + VIEWS >= view);
    }
}

impl Place {
    const fn is_made(&self) -> bool {
        matches!(self.progress, Progress::Made(_))
    }
}

impl Places {
    /// Drops the derivations whose last request is oldest.
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

/// Ignores a stream that has closed.
fn tell(stream: &Waiting, key: Digest, made: &Option<SharedSnapshot>) {
    let made = made.clone();
    let _ = stream.send(Command::Derived { key, made });
}
