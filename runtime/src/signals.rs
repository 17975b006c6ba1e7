//! Signals: handles those meant for a daemon, and ignores others whose default action would terminate the process.

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

/// Signals without a `SIG` constant in `signal-hook` (signal(7), x86 and ARM): coprocessor stack fault, power failure.
const SIGSTKFLT: i32 = 16;
const SIGPWR: i32 = 30;

/// Returns the real-time signals that the C library leaves to programs. It reserves the first ones and refuses a handler for them: glibc
/// begins at 34, musl at 35 (signal(7)).
fn real_time() -> std::ops::RangeInclusive<i32> {
    libc::SIGRTMIN()..=libc::SIGRTMAX()
}

/// A signal that a daemon handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DaemonSignal {
    /// SIGTERM: drain and exit.
    Terminate,
    /// SIGINT: like SIGTERM, from a terminal.
    Interrupt,
    /// SIGQUIT: wait for a successor, then drain and exit.
    Quit,
    /// SIGHUP: read `main.yaml` again.
    HangUp,
    /// SIGUSR1: open the log again.
    Reopen,
}

impl DaemonSignal {
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

    /// Returns the signal's usual name.
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

/// The signals that this process handles. A signal is kept from registration until it is handled. The handlers of an
/// async runtime cannot do that: if a process has several runtimes, a signal that arrives while a handler is created can be lost.
#[derive(Debug)]
pub struct Signals(iterator::Signals);

impl Signals {
    /// Registers HUP and USR1, so that neither terminates a daemon that is still starting. TERM, INT and QUIT terminate it until
    /// [`Self::handle`] is called: nothing is served yet that they could cut off.
    ///
    /// Others are registered and ignored: a stray signal, or a write beyond the file size limit, must not abort requests in progress.
    /// Faults of the process (SEGV, BUS, …) keep their default action.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn register() -> io::Result<Self> {
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

    /// Calls `obey` for each signal, on a separate thread and for the life of the process, beginning with those already received. From now
    /// on TERM, INT and QUIT terminate the process only through `obey`. Call it before anything is served.
    ///
    /// # Errors
    /// If the system refuses a handler or a thread.
    pub fn handle(mut self, mut obey: impl FnMut(DaemonSignal) + Send + 'static) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            self.0.add_signal(signal)?;
        }
        let listener = thread::Builder::new().name("signals".to_owned());
        listener.spawn(move || {
            self.0
                .forever()
                .filter_map(DaemonSignal::of)
                .for_each(&mut obey);
        })?;
        Ok(())
    }
}
