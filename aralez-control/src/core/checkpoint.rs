//! What sources found, kept over a restart of control, so that nobody has to wait for a source to be served as before.

use crate::core::layers::Discovered;

/// Where the discovered layer is kept. What is lost there is found again, so nothing depends on it.
pub trait Checkpoint: Send {
    /// What was kept last; nothing where there is none, or where it does not read, which is logged.
    fn read(&mut self) -> Discovered;

    /// Keeps this in the place of what was kept before.
    ///
    /// # Errors
    /// One line with the place and the reason; what was kept before stays.
    fn write(&mut self, discovered: &Discovered) -> Result<(), String>;
}
