//! Output: data on standard output, messages for people on standard error.

use std::io::{self, ErrorKind, Write};

use serde_json::{Value, json};

use crate::args::Format;
use crate::exit::Failure;

/// Prints data: `value` for programs, `table` for people.
pub(crate) fn print(format: Format, value: &Value, table: &str) -> Result<(), Failure> {
    match format {
        Format::Table => data(table),
        Format::Json | Format::Yaml => data(&rendered(format, value)),
    }
}

/// Prints a failure as data for programs, if the command has printed no data.
pub(crate) fn failed(format: Format, failure: Failure) -> Failure {
    if format == Format::Table || failure.printed {
        return failure;
    }
    let error = json!({
        "version": 1,
        "error": failure.exit.name(),
        "exit": failure.exit as u8,
        "message": failure.words,
    });
    // If this write fails too, the exit code still reports the failure.
    let _ = print(format, &error, "");
    failure.printed()
}

/// Data printed in two parts, the first before the rest is known. Together they form one value.
#[derive(Debug)]
pub(crate) struct Growing(Format);

impl Growing {
    /// Prints the first part: the fields of an object for programs, `table` for people.
    pub(crate) fn begin(format: Format, object: &Value, table: &str) -> Result<Self, Failure> {
        let text = rendered(format, object);
        match format {
            Format::Table => data(table)?,
            Format::Yaml => data(&text)?,
            Format::Json => data(&opened(&text))?,
        }
        Ok(Self(format))
    }

    /// Prints the remaining fields and closes the object. In the table format there is nothing left to print.
    pub(crate) fn end(self, object: &Value) -> Result<(), Failure> {
        let text = rendered(self.0, object);
        match self.0 {
            Format::Table => Ok(()),
            Format::Yaml => data(&text),
            Format::Json => data(&closed(&text)),
        }
    }
}

/// Removes the closing bracket of an object.
fn opened(object: &str) -> String {
    let end = object.strip_suffix('}').unwrap_or(object);
    end.trim_end().to_owned()
}

/// Returns the rest of an object whose first part [`opened`] produced.
fn closed(object: &str) -> String {
    format!(",{}", object.strip_prefix('{').unwrap_or(object))
}

/// Serializes a value; `Table` is treated as `Json`.
fn rendered(format: Format, value: &Value) -> String {
    let text = match format {
        Format::Yaml => serde_yaml::to_string(value).map_err(|error| error.to_string()),
        Format::Json | Format::Table => {
            serde_json::to_string_pretty(value).map_err(|error| error.to_string())
        }
    };
    text.unwrap_or_else(|error| format!("cannot serialize the output: {error}"))
}

/// Writes to standard output. A closed pipe (`| head`) is not a failure.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    match write_line(&mut io::stdout().lock(), text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::refused(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes a message to standard error, or nothing if it is empty.
pub(crate) fn say(text: &str) {
    if !text.is_empty() {
        // A failed write to standard error cannot be reported anywhere.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_growing_data_are_one_value() {
        let (first, last) = (
            json!({"revision": 7}),
            json!({"nodes": [{}], "outcome": "x"}),
        );
        let text = [
            opened(&rendered(Format::Json, &first)),
            closed(&rendered(Format::Json, &last)),
        ]
        .join("\n");
        let whole: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole, json!({"revision": 7, "nodes": [{}], "outcome": "x"}));
    }
}
