//! Two independent pieces of work. The caller provides the threads, as it does time and randomness: this crate creates none.

/// Runs two pieces of work, each once, and returns when both are done.
pub trait Join: Sync {
    /// Runs both, in any order or at the same time.
    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send));
}

/// Runs one piece after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct InTurn;

impl Join for InTurn {
    fn join(&self, left: &mut (dyn FnMut() + Send), right: &mut (dyn FnMut() + Send)) {
        left();
        right();
    }
}

/// Runs two pieces of work and returns both results.
pub fn both<A: Send, B: Send>(
    join: &dyn Join,
    left: impl FnOnce() -> A + Send,
    right: impl FnOnce() -> B + Send,
) -> (A, B) {
    let (mut left, mut right) = (Some(left), Some(right));
    let (mut a, mut b) = (None, None);
    join.join(&mut || a = left.take().map(|work| work()), &mut || {
        b = right.take().map(|work| work());
    });
    (
        a.expect("a Join runs the left piece"),
        b.expect("a Join runs the right piece"),
    )
}
