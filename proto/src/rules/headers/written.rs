//! Header edits as documents write them.

use crate::model::{Direction, Header, HeaderEdits, MOST_EDITS, check_name};
use crate::reading::{Reader, shown, text};
use crate::rules::headers::EXPECTED;
use crate::yaml::{Node, Value};

pub(super) fn edits<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
) -> Option<HeaderEdits> {
    let edits = written(node, reader, direction)?;
    edits
        .check(direction)
        .map_err(|error| reader.fault(node.at(), error.to_string()))
        .ok()?;
    Some(edits)
}

fn written<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
) -> Option<HeaderEdits> {
    match node.value() {
        Value::Sequence(lines) => {
            let mut edits = HeaderEdits::default();
            // One above the limit is enough to refuse the list. Reading stops there because each header is compared with all before it.
            for (index, line) in lines.take(MOST_EDITS + 1).enumerate() {
                if let Some(header) =
                    reader.element(index, |reader| header_line(line, reader, direction))
                {
                    add(&mut edits, header);
                }
            }
            Some(edits)
        }
        Value::Mapping(entries) => {
            let mut map = EditsMap {
                direction,
                edits: HeaderEdits::default(),
            };
            for entry in entries {
                reader.under(entry.key, |reader| {
                    if !map.take(entry.key, entry.value, reader) {
                        let reason = format!(
                            "unknown key `{}` in headers; known keys: set, append, remove",
                            shown(entry.key)
                        );
                        reader.fault(entry.at, reason);
                    }
                });
            }
            Some(map.edits)
        }
        Value::Scalar(_) => reader.mismatch(node, EXPECTED),
    }
}

/// Adds a header of the list form. The first of a name replaces that of the message; further ones are appended.
fn add(edits: &mut HeaderEdits, header: Header) {
    if edits.set.iter().any(|other| other.name() == header.name()) {
        edits.append.push(header);
    } else {
        edits.set.push(header);
    }
}

/// Reads one `Name:value`. Values may be secret, so faults never quote one.
fn header_line<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
) -> Option<Header> {
    reader.placed(node.at());
    let line = text(node, reader, "`Name:value` in quotes")?;
    let Some((name, value)) = line.split_once(':') else {
        reader.fault(node.at(), "expected `Name:value`, found no `:`");
        return None;
    };
    header(node, reader, direction, name.trim(), value.trim())
}

fn header<'t>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    direction: Direction,
    name: &str,
    value: &str,
) -> Option<Header> {
    Header::written(direction, name, value)
        .map_err(|error| reader.fault(node.at(), error.to_string()))
        .ok()
}

struct EditsMap {
    direction: Direction,
    edits: HeaderEdits,
}

impl EditsMap {
    /// Reads the value of a key. Returns `false` if the key is unknown.
    fn take<'t>(&mut self, key: &str, node: Node<'t>, reader: &mut Reader<'t>) -> bool {
        match key {
            "set" => self.edits.set = self.headers(node, reader),
            "append" => self.edits.append = self.headers(node, reader),
            "remove" => self.edits.remove = self.names(node, reader),
            _ => return false,
        }
        true
    }

    fn headers<'t>(&self, node: Node<'t>, reader: &mut Reader<'t>) -> Vec<Header> {
        let Value::Mapping(entries) = node.value() else {
            reader.mismatch::<()>(node, "a map of names and values");
            return Vec::new();
        };
        let mut headers: Vec<Header> = Vec::new();
        for entry in entries.take(MOST_EDITS + 1) {
            let header = reader.under(entry.key, |reader| {
                reader.placed(entry.value.at());
                let value = text(entry.value, reader, "a header value")?;
                header(entry.value, reader, self.direction, entry.key, value)
            });
            let Some(header) = header else { continue };
            if headers.iter().any(|other| other.name() == header.name()) {
                let reason = format!(
                    "duplicate header `{}`; names are case-insensitive",
                    header.name()
                );
                reader.fault(entry.at, reason);
            }
            headers.push(header);
        }
        headers
    }

    fn names<'t>(&self, node: Node<'t>, reader: &mut Reader<'t>) -> Vec<String> {
        let Value::Sequence(elements) = node.value() else {
            reader.mismatch::<()>(node, "a list of names");
            return Vec::new();
        };
        let mut names = Vec::new();
        for (index, element) in elements.enumerate() {
            names.extend(reader.element(index, |reader| {
                reader.placed(element.at());
                let name = text(element, reader, "a header name")?;
                check_name(self.direction, name)
                    .map_err(|error| reader.fault(element.at(), error.to_string()))
                    .ok()
            }));
        }
        names
    }
}
