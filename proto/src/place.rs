//! Faults in user-written files, and their places.

use std::fmt;

/// A place in a document. Lines and columns count from 1; columns count characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The document's name.
    pub file: String,
    /// The line; 0 if the fault concerns the document as a whole.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One fault in a document: `file:line:column: path: reason (did you mean …)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentFault {
    /// The place.
    pub place: Place,
    /// The dotted path of keys to the value; empty at the top.
    pub path: String,
    /// The reason, with the nearest valid alternative.
    pub reason: String,
}

impl fmt::Display for DocumentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place.file)?;
        if self.place.line > 0 {
            write!(f, ":{}:{}", self.place.line, self.place.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// All faults in a set of documents, ordered by place; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentFaults(pub Vec<DocumentFault>);

impl fmt::Display for DocumentFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(fault, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentFaults {}

/// Positions of one scope and of its values in its document, by dotted key: `timeouts.read`, `headers[0]`. Lines and columns count from 1.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    scope: Option<(u32, u32)>,
    values: Vec<(Box<str>, (u32, u32))>,
}

impl Places {
    /// Returns line and column of the scope: its key, or its element of a list. `None` for the top.
    pub const fn scope(&self) -> Option<(u32, u32)> {
        self.scope
    }

    /// Returns line and column of a value. `None` if the scope does not set it.
    pub fn of(&self, key: &str) -> Option<(u32, u32)> {
        let found = self.values.iter().find(|(known, _)| **known == *key);
        found.map(|(_, place)| *place)
    }

    /// Returns the positions of all values, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, (u32, u32))> {
        self.values.iter().map(|(key, place)| (&**key, *place))
    }

    pub(crate) fn note(&mut self, key: Box<str>, place: (u32, u32)) {
        self.values.push((key, place));
    }

    /// Returns these positions for a scope at `place`.
    pub(crate) fn within(self, place: (u32, u32)) -> Self {
        let scope = Some(place);
        Self { scope, ..self }
    }
}
