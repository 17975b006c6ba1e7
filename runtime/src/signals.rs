//! Signals: those that a daemon obeys, and those whose default action ends a process although nobody means a daemon by them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::flag;
use signal_hook::iterator;

/// Signals without a `SIG` constant in `signal-hook` (signal(7), x86 and ARM): a coprocessor's stack, a power failure.
const SIGSTKFLT: i32 = 16;
const SIGPWR: i32 = 30;

/// The real-time signals that the C library leaves to programs. It keeps the first ones for itself and refuses a handler for them: glibc
/// begins at 34, musl at 35 (signal(7)).
fn real_time() -> std::ops::RangeInclusive<i32> {
    libc::SIGRTMIN()..=libc::SIGRTMAX()
}

/// A signal that a daemon obeys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// SIGTERM: finish what runs, and leave.
    Terminate,
    /// SIGINT: the same, from a terminal.
    Interrupt,
    /// SIGQUIT: leave time for a successor, then the same.
    Quit,
    /// SIGHUP: read `main.yaml` again.
    HangUp,
    /// SIGUSR1: open the log again.
    Reopen,
}

impl Told {
    const fn of(signal: i32) -> Option<Self> {
        Some(match signal {
            SIGTERM => Self::Terminate,
            SIGINT => Self::Interrupt,
            SIGQUIT => Self::Quit,
            SIGHUP => Self::HangUp,
            SIGUSR1 => Self::Reopen,
            _ => return None,
        })
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::HangUp => "SIGHUP",
            Self::Reopen => "SIGUSR1",
        }
    }
}

/// The signals that this process obeys. Each is kept from the moment it is taken until somebody obeys it: an async runtime's own listeners
/// lose one that comes while they are made, where another runtime of the process hears it first.
#[derive(Debug)]
pub struct Signals(iterator::Signals);

impl Signals {
    /// Takes HUP and USR1, so that neither ends a daemon that is still starting. TERM, INT and QUIT end it until [`Self::obey`]: nothing
    /// is served that they could cut off.
    ///
    /// Takes others without doing anything: a stray one, or a write beyond a limit of file sizes, must not end requests in progress. Faults
    /// of the process (SEGV, BUS, …) are left alone.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn take() -> io::Result<Self> {
        let stray = Arc::new(AtomicBool::new(false));
        let named = [
            SIGALRM, SIGIO, SIGPIPE, SIGPROF, SIGPWR, SIGSTKFLT, SIGUSR2, SIGVTALRM, SIGXCPU,
            SIGXFSZ,
        ];
        for signal in named.into_iter().chain(real_time()) {
            flag::register(signal, Arc::clone(&stray))?;
        }
        iterator::Signals::new([SIGHUP, SIGUSR1]).map(Self)
    }

    /// Has each signal obeyed, those that came before first, for as long as the process lives. TERM, INT and QUIT end it by nobody else from
    /// here on. To be called before anything is served.
    ///
    /// # Errors
    /// Where the system refuses a handler or a thread.
    pub fn obey(mut self, mut obey: impl FnMut(Told) + Send + 'static) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            self.0.add_signal(signal)?;
        }
        let listener = thread::Builder::new().name("signals".to_owned());
        listener.spawn(move || self.0.forever().filter_map(Told::of).for_each(&mut obey))?;
        Ok(())
    }
}
