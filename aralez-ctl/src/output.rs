//! What is printed: data to standard output, people's words to standard error.

use std::io::{self, ErrorKind, Write};

use serde_json::Value;

use crate::args::Format;
use crate::exit::Failure;

/// Prints data: `value` for programs, `table` for people.
pub(crate) fn print(format: Format, value: &Value, table: &str) -> Result<(), Failure> {
    match format {
        Format::Table => data(table),
        Format::Json | Format::Yaml => data(&rendered(format, value)),
    }
}

/// The text of a value in a format for programs.
fn rendered(format: Format, value: &Value) -> String {
    let text = match format {
        Format::Yaml => serde_yaml::to_string(value).map_err(|error| error.to_string()),
        Format::Json | Format::Table => {
            serde_json::to_string_pretty(value).map_err(|error| error.to_string())
        }
    };
    text.unwrap_or_else(|error| format!("cannot print: {error}"))
}

/// Writes to standard output. A reader that has gone (`| head`) is not a failure.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    match write_line(&mut io::stdout().lock(), text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::refused(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes people's words to standard error; nothing for an empty text.
pub(crate) fn say(text: &str) {
    if !text.is_empty() {
        // There is nowhere left to report that this one failed.
        let _ = write_line(&mut io::stderr().lock(), text);
    }
}

fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    to.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}
