//! Services of the operating system for the daemons and the supervisor: private files, keys, locks, logs, time, randomness;
//! and the signing of tokens, which control and `aralez-ctl` share.
//!
//! Small, blocking adapters only. It does **not** contain sockets, async code, or anything that decides.

pub mod beneath;
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
pub mod token;
pub mod withheld;
