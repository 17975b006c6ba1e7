//! YAML with positions: text in, a small flat tree or one fault out. Within budgets, so that no text costs more than it weighs.
//!
//! One document a text, empty ones aside; scalars are read by the rules of YAML 1.2, merge keys (`<<`) by those of YAML 1.1. Custom tags
//! and keys that are not texts are refused: nothing here needs them.

use std::fmt;

mod advice;
mod build;
mod characters;
mod input;
mod merge;

#[cfg(test)]
mod tests;

pub(crate) use build::parse;

/// The largest set of documents that is read, in bytes: 64 MiB. No text alone may be larger.
pub const MAX_BYTES: usize = 64 << 20;
/// The most values a document may have, after its aliases are followed: 1.5 million.
pub(crate) const MAX_NODES: usize = 1_500_000;
/// How deep values may nest.
pub(crate) const MAX_DEPTH: usize = 64;
/// The most anchors a document may have.
pub(crate) const MAX_ANCHORS: usize = 10_000;
/// The most documents a text may have; all but one are empty.
pub(crate) const MAX_DOCUMENTS: usize = 1_000;
/// The longest text, and the longest collection in `[…]` or `{…}`: the parser holds either as a whole.
pub(crate) const MAX_SPAN: usize = 120 << 10;

/// Why a text is not a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable {
    pub(crate) at: Spot,
    pub(crate) reason: String,
}

/// A line and a column, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spot {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A document as values in the order written, so that a large one is two allocations and no recursion.
#[derive(Debug)]
pub(crate) struct Tree<'s> {
    source: &'s str,
    /// The texts that do not stand in the source as they are.
    texts: String,
    nodes: Vec<Raw>,
}

/// A node in 16 bytes: a large document has a million.
#[derive(Clone, Copy, Debug)]
struct Raw {
    at: Spot,
    /// Scalars: where the text begins. Aliases: the node meant.
    start: u32,
    /// The kind, and below it for scalars the length of the text, for collections the node after the last one inside.
    packed: u32,
}

/// The bits of [`Raw::packed`] below the kind: enough for any length and any node.
const EXTENT_BITS: u32 = 29;

impl Raw {
    fn new(at: Spot, kind: Kind, start: usize, extent: usize) -> Self {
        // Both are below the 64 MiB that a document may have.
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let extent = number(extent).min((1 << EXTENT_BITS) - 1);
        Self {
            at,
            start: number(start),
            packed: (kind as u32) << EXTENT_BITS | extent,
        }
    }

    const fn kind(self) -> Kind {
        match self.packed >> EXTENT_BITS {
            0 => Kind::Plain,
            1 => Kind::Quoted,
            2 => Kind::PlainCopy,
            3 => Kind::QuotedCopy,
            4 => Kind::Sequence,
            5 => Kind::Mapping,
            6 => Kind::Alias,
            _ => Kind::Merge,
        }
    }

    const fn start(self) -> usize {
        self.start as usize
    }

    const fn extent(self) -> usize {
        (self.packed & ((1 << EXTENT_BITS) - 1)) as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    /// Plain, in the source.
    Plain = 0,
    /// Quoted or a block, in the source.
    Quoted = 1,
    /// Plain, among the texts.
    PlainCopy = 2,
    /// Quoted or a block, among the texts.
    QuotedCopy = 3,
    Sequence = 4,
    Mapping = 5,
    Alias = 6,
    /// The key `<<`. What it merges follows the map's own entries, so that readers skip it with its value.
    Merge = 7,
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t> {
    tree: &'t Tree<'t>,
    index: usize,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'t> {
    Scalar(Scalar<'t>),
    Sequence(Elements<'t>),
    Mapping(Entries<'t>),
}

/// A text, and whether it stood without quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scalar<'t> {
    pub(crate) text: &'t str,
    pub(crate) plain: bool,
}

impl Scalar<'_> {
    /// Nothing written, or `null`.
    pub(crate) fn is_null(self) -> bool {
        self.plain && matches!(self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// `true` or `false`.
    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// Whether it reads as a number.
    pub(crate) fn is_number(self) -> bool {
        let digits = self.text.strip_prefix(['-', '+']).unwrap_or(self.text);
        self.plain
            && digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.parse::<f64>().is_ok()
    }
}

impl<'s> Tree<'s> {
    /// The outermost value; `None` where the document is empty.
    pub(crate) fn root(&'s self) -> Option<Node<'s>> {
        let root = Node {
            tree: self,
            index: 0,
        };
        let empty = |node: Node<'_>| matches!(node.value(), Value::Scalar(text) if text.is_null());
        (!self.nodes.is_empty() && !empty(root)).then_some(root)
    }
}

impl<'t> Node<'t> {
    fn raw(self) -> Raw {
        self.tree.nodes[self.index]
    }

    /// Where it stands.
    pub(crate) fn at(self) -> Spot {
        self.raw().at
    }

    /// What it is; an alias is what it means.
    pub(crate) fn value(self) -> Value<'t> {
        let raw = self.raw();
        let text = |source: &'t str, plain| {
            let text = &source[raw.start()..raw.start() + raw.extent()];
            Value::Scalar(Scalar { text, plain })
        };
        let inside = Inside {
            tree: self.tree,
            next: self.index + 1,
            end: raw.extent(),
        };
        match raw.kind() {
            Kind::Plain => text(self.tree.source, true),
            Kind::Quoted => text(self.tree.source, false),
            Kind::PlainCopy => text(&self.tree.texts, true),
            Kind::QuotedCopy => text(&self.tree.texts, false),
            Kind::Sequence => Value::Sequence(Elements(inside)),
            Kind::Mapping => Value::Mapping(Entries(inside)),
            Kind::Alias => Node {
                tree: self.tree,
                index: raw.start(),
            }
            .value(),
            Kind::Merge => Value::Scalar(Scalar {
                text: merge::KEY,
                plain: true,
            }),
        }
    }

    /// The value under a key, where it is a map that has it.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        let Value::Mapping(mut entries) = self.value() else {
            return None;
        };
        entries
            .find(|entry| entry.key == key)
            .map(|entry| entry.value)
    }

    /// What it is, in words for a fault. Texts may be secret, so they are not shown.
    pub(crate) fn found(self) -> &'static str {
        match self.value() {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(scalar) if scalar.as_bool().is_some() => "true or false",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Inside<'t> {
    tree: &'t Tree<'t>,
    next: usize,
    end: usize,
}

impl<'t> Iterator for Inside<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node {
            tree: self.tree,
            index: self.next,
        };
        self.next = match node.raw().kind() {
            Kind::Sequence | Kind::Mapping => node.raw().extent(),
            _ => self.next + 1,
        };
        Some(node)
    }
}

/// The values of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'t>(Inside<'t>);

impl Elements<'_> {
    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.next >= self.0.end
    }
}

impl<'t> Iterator for Elements<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.0.next()
    }
}

/// The keys of a map with their values, merged ones after the map's own. Each key comes once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'t>(Inside<'t>);

impl Entries<'_> {
    /// Whether there are none.
    pub(crate) fn is_empty(mut self) -> bool {
        self.next().is_none()
    }
}

/// A key of a map and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'t> {
    pub(crate) key: &'t str,
    pub(crate) at: Spot,
    pub(crate) value: Node<'t>,
}

impl<'t> Iterator for Entries<'t> {
    type Item = Entry<'t>;

    fn next(&mut self) -> Option<Entry<'t>> {
        loop {
            let key = self.0.next()?;
            let value = self.0.next()?;
            if key.raw().kind() == Kind::Merge {
                continue;
            }
            let Value::Scalar(text) = key.value() else {
                return None;
            };
            return Some(Entry {
                key: text.text,
                at: key.at(),
                value,
            });
        }
    }
}
