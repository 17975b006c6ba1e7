//! Classifies how a process ended, and what that implies for the content it ran.

/// The way in which the previous process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LastExit {
    /// It received a termination signal, whatever happened to it afterwards.
    Left,
    /// It ended due to an error of its environment: a port, a lock, the disk, arguments. This implies nothing about the content.
    Surroundings,
    /// A fault of the process: a fatal panic, an unexpected exit, a signal caused by a defect.
    Fault,
    /// The cause was not observed, or the process was killed from outside: `kill -9`, out of memory.
    #[default]
    Unknown,
}

// From signal(7). The numbers are the same on all Linux architectures that Rust supports in tier 1 and 2, except MIPS and SPARC.
const HUP: i32 = 1;
const INT: i32 = 2;
const QUIT: i32 = 3;
const ILL: i32 = 4;
const TRAP: i32 = 5;
const ABRT: i32 = 6;
const BUS: i32 = 7;
const FPE: i32 = 8;
const SEGV: i32 = 11;
const TERM: i32 = 15;

impl LastExit {
    /// Classifies an exit by this signal.
    pub const fn of_signal(signal: i32) -> Self {
        match signal {
            // The signal arrived before its handler was installed, or has none: a request to terminate.
            HUP | INT | QUIT | TERM => Self::Left,
            ILL | TRAP | ABRT | BUS | FPE | SEGV => Self::Fault,
            _ => Self::Unknown,
        }
    }

    /// Classifies an exit with this code.
    pub const fn of_code(code: i32) -> Self {
        match code {
            0 => Self::Left,
            // 1 and 2 are this daemon's own codes: an error of its environment, wrong usage. 126 and 127: the program could not be
            // executed. 200 to 243: systemd could not set up the execution environment (systemd.exec(5)).
            1 | 2 | 126 | 127 | 200..=243 => Self::Surroundings,
            // A shell in between reports a signal as 128 plus its number.
            129..=159 => Self::of_signal(code - 128),
            _ => Self::Fault,
        }
    }

    /// Returns the blame points for the content that ran: four make it suspect.
    pub(super) const fn points(self) -> u32 {
        match self {
            Self::Left | Self::Surroundings => 0,
            Self::Fault => 2,
            Self::Unknown => 1,
        }
    }
}
