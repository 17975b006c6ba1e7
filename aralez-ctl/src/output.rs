//! What is printed: data to standard output, people's words to standard error.

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

/// Tells programs of a failure on standard output, where the command printed no data before.
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
    // Where this cannot be written either, the exit code is what is left.
    let _ = print(format, &error, "");
    failure.printed()
}

/// Data of which the first part is printed while the rest is not known yet. Together they are one value.
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

    /// Prints the other fields, and ends the object. People have seen all of it.
    pub(crate) fn end(self, object: &Value) -> Result<(), Failure> {
        let text = rendered(self.0, object);
        match self.0 {
            Format::Table => Ok(()),
            Format::Yaml => data(&text),
            Format::Json => data(&closed(&text)),
        }
    }
}

/// An object without the bracket that ends it.
fn opened(object: &str) -> String {
    let end = object.strip_suffix('}').unwrap_or(object);
    end.trim_end().to_owned()
}

/// The rest of an object of which [`opened`] was printed before.
fn closed(object: &str) -> String {
    format!(",{}", object.strip_prefix('{').unwrap_or(object))
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
