//! Table rows of measurements that share a command.

use std::path::{Path, PathBuf};

pub use aralez_tests::proof::Row;

/// Returns the row of a figure with a goal.
pub fn goal(what: &str, goal: &str, measured: String, met: bool) -> Row {
    Row {
        what: what.to_owned(),
        goal: goal.to_owned(),
        measured,
        met: Some(met),
        command: String::new(),
    }
}

/// Returns the row of a figure without a goal.
pub fn figure(what: &str, measured: String) -> Row {
    Row {
        what: what.to_owned(),
        goal: String::new(),
        measured,
        met: None,
        command: String::new(),
    }
}

/// Returns the rows with `command` as the one that repeats the measurement.
pub fn measured_by(rows: &[Row], command: &str) -> Vec<Row> {
    let row = |row: &Row| Row {
        command: command.to_owned(),
        ..row.clone()
    };
    rows.iter().map(row).collect()
}

/// Returns the rows as Markdown lines.
pub fn markdown(rows: &[Row], command: &str) -> String {
    measured_by(rows, command).iter().map(Row::line).collect()
}

/// Writes the rows to `NAME.md` in a folder. Returns the file's path.
///
/// # Errors
/// If the file cannot be written.
pub fn write(folder: &Path, name: &str, rows: &[Row], command: &str) -> std::io::Result<PathBuf> {
    let path = folder.join(format!("{name}.md"));
    aralez_tests::proof::write(&path, &measured_by(rows, command))?;
    Ok(path)
}
