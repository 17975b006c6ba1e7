//! Promises and measurements, as rows of one table.
//!
//! Each measuring program writes rows to `target/proof/NAME.md`; the program `proof` joins all of them into `tests/PROOF.md`.

mod kept;

use std::io;
use std::path::Path;

pub use kept::{Kept, amount, proves};

/// The header of the table.
const HEAD: &str = "| what | goal | measured | met? | command |\n|---|---|---|---|---|\n";

/// One promise and its measurement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The measured quantity.
    pub what: String,
    /// The promised value.
    pub goal: String,
    /// The measured value.
    pub measured: String,
    /// True if the promise was kept. `None` if nothing is promised.
    pub met: Option<bool>,
    /// The command that repeats the measurement.
    pub command: String,
}

impl Row {
    /// Formats the row as a line of the table.
    pub fn line(&self) -> String {
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "-",
        };
        format!(
            "| {} | {} | {} | {met} | `{}` |\n",
            self.what, self.goal, self.measured, self.command
        )
    }
}

/// Writes rows to a file that `proof` reads.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lines: String = rows.iter().map(Row::line).collect();
    std::fs::write(path, lines)
}

/// Joins all rows of a folder into one table, in the order of the file names.
///
/// # Errors
/// If the folder or a file in it cannot be read.
pub fn join(folder: &Path) -> io::Result<String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    let mut table = HEAD.to_owned();
    for file in files {
        let text = std::fs::read_to_string(file)?;
        let rows = text.lines().filter(|line| line.starts_with("| "));
        rows.for_each(|row| table.extend([row, "\n"]));
    }
    Ok(table)
}

/// Describes the machine: cores and memory.
///
/// # Errors
/// If the system does not report them.
pub fn machine() -> io::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let kib = text.lines().find_map(|line| {
        let rest = line.strip_prefix("MemTotal:")?;
        rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    let gib = kib.unwrap_or_default() as f64 / f64::from(1 << 20);
    Ok(format!("{cores} cores, {gib:.0} GiB of memory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_several_programs_become_one_table_and_a_missed_goal_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let row = |what: &str, met| Row {
            what: what.to_owned(),
            goal: "≤ 1 s".to_owned(),
            measured: "2 s".to_owned(),
            met,
            command: "make prove".to_owned(),
        };
        write(&folder.path().join("b.md"), &[row("second", Some(false))]).unwrap();
        let first = [row("first", Some(true)), row("no promise", None)];
        write(&folder.path().join("a.md"), &first).unwrap();
        let table = join(folder.path()).unwrap();
        let lines: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| first | ≤ 1 s | 2 s | yes | `make prove` |",
                "| no promise | ≤ 1 s | 2 s | - | `make prove` |",
                "| second | ≤ 1 s | 2 s | **no** | `make prove` |",
            ]
        );
    }
}
