//! The table of a proof: what was measured, against which goal, and by which command.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One measurement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What is measured.
    pub what: String,
    /// What is aimed at, in words; empty where a figure is only reported.
    pub goal: String,
    /// The figure, in words.
    pub measured: String,
    /// Whether the goal is met; `None` where there is none.
    pub met: Option<bool>,
}

impl Row {
    /// A figure with a goal.
    pub fn goal(what: &str, goal: &str, measured: String, met: bool) -> Self {
        Self {
            what: what.to_owned(),
            goal: goal.to_owned(),
            measured,
            met: Some(met),
        }
    }

    /// A figure that is only reported.
    pub fn figure(what: &str, measured: String) -> Self {
        Self {
            what: what.to_owned(),
            goal: String::new(),
            measured,
            met: None,
        }
    }
}

/// The rows as Markdown, all measured by one command.
pub fn markdown(rows: &[Row], command: &str) -> String {
    let mut text =
        "| what | goal | measured | met? | command |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let met = match row.met {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        };
        let (what, goal, measured) = (&row.what, &row.goal, &row.measured);
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "| {what} | {goal} | {measured} | {met} | `{command}` |"
        );
    }
    text
}

/// Writes the rows to `NAME.md` in a folder; the file.
///
/// # Errors
/// Where it cannot be written.
pub fn write(folder: &Path, name: &str, rows: &[Row], command: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.md"));
    std::fs::write(&path, markdown(rows, command))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_not_and_a_figure_is_neither() {
        let rows = [
            Row::goal("a", "≤ 1 s", "2 s".to_owned(), false),
            Row::goal("b", "≤ 1 s", "1 s".to_owned(), true),
            Row::figure("c", "3".to_owned()),
        ];
        let text = markdown(&rows, "run");
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "| a | ≤ 1 s | 2 s | no | `run` |");
        assert_eq!(lines[1], "| b | ≤ 1 s | 1 s | yes | `run` |");
        assert_eq!(lines[2], "| c |  | 3 |  | `run` |");
    }
}
