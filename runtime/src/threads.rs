//! Runs work on two threads at the same time.

use std::thread::{Builder, scope};

use aralez_proto::parallel::Join;

/// Runs the second piece of work on a new thread, or after the first if no thread can be spawned.
#[derive(Clone, Copy, Debug, Default)]
pub struct TwoThreads;

impl Join for TwoThreads {
    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        let mut done = false;
        let mut piece = || {
            right();
            done = true;
        };
        scope(|scope| {
            // If the spawn fails, the piece has not run; `done` shows that.
            let _ = Builder::new().spawn_scoped(scope, &mut piece);
            left();
        });
        if !done {
            right();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use aralez_proto::parallel::both;

    use super::*;

    #[test]
    fn both_pieces_run_on_threads_of_their_own() {
        let here = thread::current().id();
        let id = || thread::current().id();
        let (left, right) = both(&TwoThreads, id, id);
        assert_eq!(left, here);
        assert_ne!(right, here);
    }
}
