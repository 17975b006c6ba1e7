//! The exit of a process as text: passed by a supervisor to the next process, and read from systemd's variables.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::str::FromStr;

/// The variable in which a supervisor passes a daemon the exit of its previous process: `signal:11`, `exit:101`.
pub const LAST_EXIT: &str = "ARALEZ_LAST_EXIT";

/// SIGKILL, recorded for every process that systemd or the kernel killed.
const KILL: i32 = 9;

/// The signals of signal(7) that terminate a process, as systemd names them, with their numbers on Linux (not those of MIPS and SPARC).
const SIGNALS: [(&str, i32); 20] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", KILL),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("SYS", 31),
];

/// The exit of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessExit {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

/// Error: the text describes no exit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither `exit:CODE` nor `signal:NUMBER`")]
pub struct UnknownExit(String);

impl ProcessExit {
    /// Converts the status of a child; `None` if the child was only stopped.
    pub fn of(status: ExitStatus) -> Option<Self> {
        let code = status.code().map(Self::Code);
        code.or_else(|| status.signal().map(Self::Signal))
    }

    /// Reads the exit from the values that systemd passes to `ExecStopPost` in `$SERVICE_RESULT`, `$EXIT_CODE` and `$EXIT_STATUS`
    /// (systemd.exec(5)).
    ///
    /// # Errors
    /// If the values are not of the form described there.
    pub fn of_systemd(result: &str, code: &str, status: &str) -> Result<Self, UnknownExit> {
        // Killed by systemd or the kernel, whichever signal was used.
        if matches!(result, "oom-kill" | "watchdog" | "timeout") {
            return Ok(Self::Signal(KILL));
        }
        let unknown = || UnknownExit(format!("{code}:{status}"));
        match code {
            "exited" => status.parse().map(Self::Code).map_err(|_| unknown()),
            "killed" | "dumped" => {
                let named = SIGNALS.iter().find(|(name, _)| *name == status);
                let number = named.map(|(_, number)| *number);
                let number = number.or_else(|| status.parse().ok());
                number.map(Self::Signal).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit:{code}"),
            Self::Signal(signal) => write!(f, "signal:{signal}"),
        }
    }
}

impl FromStr for ProcessExit {
    type Err = UnknownExit;

    fn from_str(text: &str) -> Result<Self, UnknownExit> {
        let read = match text.split_once(':') {
            Some(("exit", code)) => code.parse().ok().map(Self::Code),
            Some(("signal", number)) => number.parse().ok().map(Self::Signal),
            _ => None,
        };
        read.ok_or_else(|| UnknownExit(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_ended_a_child_is_read_again_from_its_text() {
        for (script, text) in [
            ("exit 101", "exit:101"),
            ("kill -SEGV $$", "signal:11"),
            ("kill -KILL $$", "signal:9"),
        ] {
            let status = Command::new("sh").args(["-c", script]).status().unwrap();
            let exit = ProcessExit::of(status).unwrap();
            assert_eq!(exit.to_string(), text);
            assert_eq!(text.parse(), Ok(exit));
        }
        for wrong in ["", "11", "signal:", "signal:SEGV", "exit:1:2", "killed:9"] {
            assert!(wrong.parse::<ProcessExit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_systemd_tells_is_understood() {
        let of = ProcessExit::of_systemd;
        assert_eq!(of("success", "exited", "0"), Ok(ProcessExit::Code(0)));
        assert_eq!(of("exit-code", "exited", "101"), Ok(ProcessExit::Code(101)));
        assert_eq!(
            of("core-dump", "dumped", "SEGV"),
            Ok(ProcessExit::Signal(11))
        );
        assert_eq!(of("signal", "killed", "KILL"), Ok(ProcessExit::Signal(9)));
        assert_eq!(of("signal", "killed", "34"), Ok(ProcessExit::Signal(34)));
        assert!(of("", "", "").is_err());
        assert!(of("signal", "killed", "NONE").is_err());
    }

    #[test]
    fn what_systemd_or_the_kernel_ended_was_killed_whatever_the_signal() {
        for result in ["oom-kill", "watchdog", "timeout"] {
            let exit = ProcessExit::of_systemd(result, "dumped", "ABRT");
            assert_eq!(exit, Ok(ProcessExit::Signal(9)), "{result}");
        }
    }
}
