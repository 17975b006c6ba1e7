//! Discovered endpoints kept across restarts of control, so that a restarted control serves them before its sources have answered.

use crate::core::layers::Discovered;

/// Storage of the discovered layer. Nothing depends on it: sources find again what is lost.
pub trait Checkpoint: Send {
    /// Returns the layer that was written last. Returns an empty one if there is none or it cannot be read, which is logged.
    fn read(&mut self) -> Discovered;

    /// Replaces the stored layer.
    ///
    /// # Errors
    /// One line with the place and the reason; the previous content stays.
    fn write(&mut self, discovered: &Discovered) -> Result<(), String>;
}
