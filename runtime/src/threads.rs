//! Work on two threads at once.

use std::thread::{Builder, scope};

use aralez_proto::parallel::Join;

/// The second piece of work on a thread of its own, or after the first where the system gives none.
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
            // Without a thread nothing ran yet, which is seen below.
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
