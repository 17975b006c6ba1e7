//! The reader of one document: its current position, and the faults found.

use crate::model::{EndpointAddress, Forbidden, PasswordHasher, TokenIssuer, UnhashedPasswords};
use crate::place::{DocumentFault, DocumentFaults, Place, Places};
use crate::reading::key::Scopes;
use crate::reading::named_paths::NamedPaths;
use crate::yaml::{Node, Spot};

/// Maximum number of faults that are reported for one set of documents; the rest are counted.
pub(crate) const MAX_FAULTS: usize = 1_000;

/// A value with its position.
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
    /// The document's name in faults.
    pub(crate) shown: &'t str,
    path: Vec<Step<'t>>,
    faults: Vec<DocumentFault>,
    /// Number of faults that are counted but not reported.
    untold: usize,
    notes: Vec<DocumentFault>,
    /// Hashes plain passwords.
    pub(crate) passwords: &'t dyn PasswordHasher,
    /// The key of the tokens that control issues.
    pub(crate) issuer: TokenIssuer,
    /// Addresses that no route may use.
    pub(crate) forbidden: Option<&'t Forbidden>,
    /// The files that the document names.
    pub(crate) named: NamedPaths,
    /// The maps whose keys users confuse.
    pub(crate) scopes: Scopes,
    /// `true` inside a key that this release does not enforce.
    pub(crate) unenforced: bool,
    /// The rule that is being read, and its depth.
    rule: Option<(&'static str, usize)>,
    places: Places,
}

impl<'t> Reader<'t> {
    /// Returns a reader of the document with this name.
    pub(crate) fn new(file: &'t str) -> Self {
        Self {
            file,
            shown: file,
            path: Vec::new(),
            faults: Vec::new(),
            untold: 0,
            notes: Vec::new(),
            passwords: &UnhashedPasswords,
            issuer: TokenIssuer::Unknown,
            forbidden: None,
            named: NamedPaths::default(),
            scopes: &[],
            unenforced: false,
            rule: None,
            places: Places::default(),
        }
    }

    /// Reads the value under a key.
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

    /// Reads the value of a rule, identified by the primary name of its key, and records its positions.
    pub(crate) fn rule<T>(
        &mut self,
        key: &'static str,
        node: Node<'t>,
        read: impl FnOnce(Node<'t>, &mut Self) -> Option<T>,
    ) -> Option<T> {
        self.places.note(key.into(), node.at().position());
        let before = self.rule.replace((key, self.path.len()));
        let value = read(node, self);
        self.rule = before;
        value
    }

    /// Records the position of a value if it belongs to a rule.
    pub(crate) fn placed(&mut self, at: Spot) {
        if let Some((key, depth)) = self.rule {
            let mut path = key.to_owned();
            shown_path(&mut path, &self.path[depth..]);
            self.places.note(path.into(), at.position());
        }
    }

    /// Reads a scope, and also returns the positions of its rules.
    pub(crate) fn placing<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, Places) {
        let around = std::mem::take(&mut self.places);
        let value = read(self);
        (value, std::mem::replace(&mut self.places, around))
    }

    /// Returns the innermost key.
    pub(crate) fn key(&self) -> &'t str {
        let key = |step: &Step<'t>| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        };
        self.path.iter().rev().find_map(key).unwrap_or_default()
    }

    /// Returns a fault at the current key without reporting it.
    pub(crate) fn fault_at(&self, at: Spot, reason: String) -> DocumentFault {
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

    /// Reports a fault.
    pub(crate) fn fault(&mut self, at: Spot, reason: impl Into<String>) {
        self.fault_with(at, || reason.into());
    }

    /// Checks that routes may reach an address, which is written at a place. `false`, with a fault, if it is one of Aralez itself.
    pub(crate) fn may_reach(&mut self, address: &EndpointAddress, at: Spot) -> bool {
        let Some(ours) = self.forbidden.and_then(|all| all.found_at(address)) else {
            return true;
        };
        let reason = format!("{address} points at {ours}, which no route may reach");
        self.fault(at, reason);
        false
    }

    /// Reports a fault whose reason is expensive to format: `reason` is called only if the fault is reported.
    pub(crate) fn fault_with(&mut self, at: Spot, reason: impl FnOnce() -> String) {
        if self.faults.len() >= MAX_FAULTS {
            self.untold += 1;
            return;
        }
        let fault = self.fault_at(at, reason());
        self.faults.push(fault);
    }

    /// Returns the number of faults so far.
    pub(crate) fn faults(&self) -> usize {
        self.faults.len() + self.untold
    }

    /// Reports something that is valid but that users should know.
    pub(crate) fn note(&mut self, at: Spot, reason: impl Into<String>) {
        if self.notes.len() < MAX_FAULTS {
            let note = self.fault_at(at, reason.into());
            self.notes.push(note);
        }
    }

    /// Returns the number of faults so far.
    pub(crate) const fn fault_count(&self) -> usize {
        self.faults.len() + self.untold
    }

    /// Reports a value of the wrong type. Always returns `None`.
    pub(crate) fn mismatch<T>(&mut self, node: Node<'t>, expected: &str) -> Option<T> {
        self.fault(
            node.at(),
            format!("expected {expected}, found {}", node.found()),
        );
        None
    }

    /// Returns the name of the document.
    pub(crate) const fn file(&self) -> &'t str {
        self.file
    }

    /// Returns the reported faults, the number of further faults, and the notes.
    pub(crate) fn finish(self) -> (Vec<DocumentFault>, usize, Vec<DocumentFault>) {
        (self.faults, self.untold, self.notes)
    }
}

/// Appends steps to a dotted path.
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

/// Returns faults as reported: ordered by place, followed by the number of further ones.
pub(crate) fn report(mut faults: Vec<DocumentFault>, untold: usize) -> DocumentFaults {
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
            reason: format!("and {untold} more faults"),
        });
    }
    DocumentFaults(faults)
}

/// Formats a key for a fault: short, and on one line.
pub(crate) fn shown(key: &str) -> String {
    let mut chars = key.chars();
    let mut short: String = chars.by_ref().take(100).flat_map(printable).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// Reports whether a character is invisible or easily mistaken for another: controls, spaces of other widths, marks of writing direction.
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
