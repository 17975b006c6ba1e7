//! Signals whose default action ends the process, although nobody means a daemon by them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGIO, SIGPIPE, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::flag;

/// Signals without a `SIG` constant in `signal-hook` (signal(7), x86 and ARM): a coprocessor's stack, a power failure.
const SIGSTKFLT: i32 = 16;
const SIGPWR: i32 = 30;

/// The real-time signals that the C library leaves to programs. It keeps the first ones for itself and refuses a handler for them: glibc
/// begins at 34, musl at 35 (signal(7)).
fn real_time() -> std::ops::RangeInclusive<i32> {
    libc::SIGRTMIN()..=libc::SIGRTMAX()
}

/// Whether HUP and USR1 came since the process began.
#[derive(Debug)]
pub struct Early {
    hang_up: Arc<AtomicBool>,
    reopen: Arc<AtomicBool>,
}

impl Early {
    /// HUP came.
    pub fn hang_up(&self) -> bool {
        self.hang_up.load(Ordering::Acquire)
    }

    /// USR1 came.
    pub fn reopen(&self) -> bool {
        self.reopen.load(Ordering::Acquire)
    }
}

/// Takes these signals without doing anything: a stray one, or a write beyond a limit of file sizes, must not end requests in progress.
/// HUP and USR1 are taken as well, so that neither ends a daemon that is still starting: whoever listens for them later learns that they came. The signals to leave (TERM, INT, QUIT) and faults of the process (SEGV, BUS, …) are left alone.
///
/// # Errors
/// Where the system refuses a handler.
pub fn survive_strays() -> io::Result<Early> {
    let taken = Arc::new(AtomicBool::new(false));
    let named = [
        SIGALRM, SIGIO, SIGPIPE, SIGPROF, SIGPWR, SIGSTKFLT, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
    ];
    for signal in named.into_iter().chain(real_time()) {
        flag::register(signal, Arc::clone(&taken))?;
    }
    let early = Early {
        hang_up: Arc::default(),
        reopen: Arc::default(),
    };
    flag::register(SIGHUP, Arc::clone(&early.hang_up))?;
    flag::register(SIGUSR1, Arc::clone(&early.reopen))?;
    Ok(early)
}
