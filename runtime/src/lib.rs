//! What the daemons and the supervisor need of the machine: private files, keys, locks, logs, time, randomness.
//!
//! Adapters only, each small and blocking. It does **not** contain: sockets, async code, or anything that decides.

pub mod clock;
pub mod lock;
pub mod main_file;
pub mod open_files;
pub mod pid_file;
pub mod private;
pub mod random;
pub mod reread;
pub mod signals;
pub mod state;
pub mod supervised;
pub mod telemetry;
pub mod threads;
