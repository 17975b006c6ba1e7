//! The reader of one document: where it stands, and what it found wrong.

use crate::model::Forbidden;
use crate::place::{DocumentFault, DocumentFaults, Place, Places};
use crate::reading::key::Scopes;
use crate::yaml::{Node, Spot};

/// The most faults that are told of one set of documents; the rest are counted.
pub(crate) const MAX_FAULTS: usize = 1_000;

/// A value with its place and its path.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) at: Spot,
}

enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

/// Reads one document.
pub(crate) struct Reader<'t> {
    file: &'t str,
    /// What faults call the document.
    pub(crate) shown: &'t str,
    path: Vec<Step<'t>>,
    faults: Vec<DocumentFault>,
    /// Faults beyond those that are told.
    untold: usize,
    notes: Vec<DocumentFault>,
    /// Where no route may lead.
    pub(crate) forbidden: Option<&'t Forbidden>,
    /// Whose keys people mistake for each other's.
    pub(crate) scopes: Scopes,
    /// What is read now is part of a key that this release does not enforce.
    pub(crate) unenforced: bool,
    /// The rule that is read, and how deep it stands.
    rule: Option<(&'static str, usize)>,
    places: Places,
}

impl<'t> Reader<'t> {
    /// A reader of the document of this name.
    pub(crate) fn new(file: &'t str) -> Self {
        Self {
            file,
            shown: file,
            path: Vec::new(),
            faults: Vec::new(),
            untold: 0,
            notes: Vec::new(),
            forbidden: None,
            scopes: &[],
            unenforced: false,
            rule: None,
            places: Places::default(),
        }
    }

    /// Reads what stands under a key.
    pub(crate) fn under<T>(&mut self, key: &'t str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Key(key));
        let value = read(self);
        self.path.pop();
        value
    }

    /// Reads an element of a list.
    pub(crate) fn element<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Index(index));
        let value = read(self);
        self.path.pop();
        value
    }

    /// Reads the value of a rule, known by the first name of its key. Its places are kept.
    pub(crate) fn rule<T>(
        &mut self,
        key: &'static str,
        node: Node<'t>,
        read: impl FnOnce(Node<'t>, &mut Self) -> Option<T>,
    ) -> Option<T> {
        self.places.note(key.into(), place(node.at()));
        let before = self.rule.replace((key, self.path.len()));
        let value = read(node, self);
        self.rule = before;
        value
    }

    /// A value stands here: its place is kept where it is of a rule.
    pub(crate) fn placed(&mut self, at: Spot) {
        if let Some((key, depth)) = self.rule {
            let mut path = key.to_owned();
            shown_path(&mut path, &self.path[depth..]);
            self.places.note(path.into(), place(at));
        }
    }

    /// Reads a scope of its own, and gives the places of its rules.
    pub(crate) fn placing<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, Places) {
        let around = std::mem::take(&mut self.places);
        let value = read(self);
        (value, std::mem::replace(&mut self.places, around))
    }

    /// The key that stands innermost.
    pub(crate) fn key(&self) -> &'t str {
        let key = |step: &Step<'t>| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        };
        self.path.iter().rev().find_map(key).unwrap_or_default()
    }

    fn fault_at(&self, at: Spot, reason: String) -> DocumentFault {
        let mut path = String::new();
        shown_path(&mut path, &self.path);
        DocumentFault {
            place: Place {
                file: self.shown.to_owned(),
                line: at.line as usize,
                column: at.column as usize,
            },
            path,
            reason,
        }
    }

    /// Something is wrong here.
    pub(crate) fn fault(&mut self, at: Spot, reason: impl Into<String>) {
        self.fault_with(at, || reason.into());
    }

    /// Something is wrong here, and saying why takes a while: only done for faults that are told.
    pub(crate) fn fault_with(&mut self, at: Spot, reason: impl FnOnce() -> String) {
        if self.faults.len() >= MAX_FAULTS {
            self.untold += 1;
            return;
        }
        let fault = self.fault_at(at, reason());
        self.faults.push(fault);
    }

    /// Nothing is wrong, but a person should know.
    pub(crate) fn note(&mut self, at: Spot, reason: impl Into<String>) {
        if self.notes.len() < MAX_FAULTS {
            let note = self.fault_at(at, reason.into());
            self.notes.push(note);
        }
    }

    /// The value is of another type.
    pub(crate) fn mismatch<T>(&mut self, node: Node<'t>, expected: &str) -> Option<T> {
        self.fault(
            node.at(),
            format!("expected {expected}, found {}", node.found()),
        );
        None
    }

    /// The name of the document.
    pub(crate) const fn file(&self) -> &'t str {
        self.file
    }

    /// What was wrong, how much more was, and what a person should know.
    pub(crate) fn finish(self) -> (Vec<DocumentFault>, usize, Vec<DocumentFault>) {
        (self.faults, self.untold, self.notes)
    }
}

fn place(at: Spot) -> (u32, u32) {
    (at.line, at.column)
}

/// Adds steps to a dotted path.
fn shown_path(path: &mut String, steps: &[Step<'_>]) {
    for step in steps {
        match step {
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&shown(key));
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
}

/// Faults as they are told: by place, and at the end how many more there were.
pub(crate) fn told(mut faults: Vec<DocumentFault>, untold: usize) -> DocumentFaults {
    faults.sort_by(|left, right| left.place.cmp(&right.place));
    let untold = untold + faults.len().saturating_sub(MAX_FAULTS);
    faults.truncate(MAX_FAULTS);
    if let Some(last) = faults.last().filter(|_| untold > 0) {
        let place = Place {
            line: 0,
            column: 0,
            ..last.place.clone()
        };
        faults.push(DocumentFault {
            place,
            path: String::new(),
            reason: format!("and {untold} faults more"),
        });
    }
    DocumentFaults(faults)
}

/// A key as a fault shows it: short, and on one line.
pub(crate) fn shown(key: &str) -> String {
    let mut chars = key.chars();
    let mut short: String = chars.by_ref().take(100).flat_map(printable).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Whether a reader cannot see a character, or takes it for another one: controls, spaces of other widths, marks of writing direction.
pub(crate) fn is_invisible(char: char) -> bool {
    let space = char.is_whitespace() && char != ' ';
    let zero_width = matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    char.is_control() || space || zero_width
}

fn printable(char: char) -> impl Iterator<Item = char> {
    let plain = !is_invisible(char);
    let escaped = (!plain).then(|| char.escape_default());
    plain
        .then_some(char)
        .into_iter()
        .chain(escaped.into_iter().flatten())
}
