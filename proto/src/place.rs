//! What is wrong with a file that a human wrote, and where.

use std::fmt;

/// A place in a document. Lines and columns count from 1; columns count characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The document's name.
    pub file: String,
    /// The line; 0 where the document as a whole is meant.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// One thing wrong with a document: `file:line:column: path: reason (did you mean …)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentFault {
    /// Where.
    pub place: Place,
    /// The dotted path of keys to the value; empty at the top.
    pub path: String,
    /// What is wrong, with the nearest right thing.
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

/// All that is wrong with a set of documents, by place; at least one fault.
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

/// Where the values of one scope stand in its document, by dotted key: `timeouts.read`, `headers[0]`. Lines and columns count from 1.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places(Vec<(Box<str>, (u32, u32))>);

impl Places {
    /// Line and column of a value; `None` where the scope does not say it.
    pub fn of(&self, key: &str) -> Option<(u32, u32)> {
        let found = self.0.iter().find(|(known, _)| **known == *key);
        found.map(|(_, place)| *place)
    }

    /// All of them, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, (u32, u32))> {
        self.0.iter().map(|(key, place)| (&**key, *place))
    }

    pub(crate) fn note(&mut self, key: Box<str>, place: (u32, u32)) {
        self.0.push((key, place));
    }
}
