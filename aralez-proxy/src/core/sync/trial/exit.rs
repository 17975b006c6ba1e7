//! How a process ended, as far as anybody saw it, and what that says about the content it ran.

/// How the process before this one ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LastExit {
    /// It was told to leave, whatever happened to it after that.
    Left,
    /// It ended by an error of its surroundings: a port, a lock, the disk, arguments. It says nothing about the content.
    Surroundings,
    /// A fault of the process: a panic that ended it, an exit by itself, a signal that a defect causes.
    Fault,
    /// Nobody saw it, or it was killed from outside: `kill -9`, out of memory.
    #[default]
    Unknown,
}

// From signal(7); the numbers are the same on all architectures of Linux that Rust supports in tier 1 and 2, except MIPS and SPARC.
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
    /// What ends by this signal.
    pub const fn of_signal(signal: i32) -> Self {
        match signal {
            // Before its handler was there, or where it has none: somebody asked it to go.
            HUP | INT | QUIT | TERM => Self::Left,
            ILL | TRAP | ABRT | BUS | FPE | SEGV => Self::Fault,
            _ => Self::Unknown,
        }
    }

    /// What ends with this exit code.
    pub const fn of_code(code: i32) -> Self {
        match code {
            0 => Self::Left,
            // 1 and 2 are this daemon's own: a fault of its surroundings, wrong usage. 126 and 127: the program could not be run. 200 to
            // 243: systemd could not set up its surroundings (systemd.exec(5)).
            1 | 2 | 126 | 127 | 200..=243 => Self::Surroundings,
            // What a shell between tells of a signal.
            129..=159 => Self::of_signal(code - 128),
            _ => Self::Fault,
        }
    }

    /// What it adds to the blame of the content that ran: four make it suspect.
    pub(super) const fn points(self) -> u32 {
        match self {
            Self::Left | Self::Surroundings => 0,
            Self::Fault => 2,
            Self::Unknown => 1,
        }
    }
}
