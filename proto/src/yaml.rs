//! YAML with positions: parses a text into a small flat tree, or returns one fault. Budgets bound the cost of any text.
//!
//! One document per text, not counting empty ones. Scalars follow YAML 1.2, merge keys (`<<`) YAML 1.1. Custom tags and keys that are not
//! texts are refused because nothing here needs them.

use std::fmt;

mod advice;
mod build;
mod characters;
mod input;
mod merge;

#[cfg(test)]
mod tests;

pub(crate) use build::parse;

/// Maximum size of all documents together, in bytes: 64 MiB. Also the maximum of a single text.
pub const MAX_BYTES: usize = 64 << 20;
/// Maximum number of values in a document after aliases are expanded: 1.5 million.
pub(crate) const MAX_NODES: usize = 1_500_000;
/// Maximum nesting depth.
pub(crate) const MAX_DEPTH: usize = 64;
/// Maximum number of anchors in a document.
pub(crate) const MAX_ANCHORS: usize = 10_000;
/// Maximum number of documents in a text. All but one must be empty.
pub(crate) const MAX_DOCUMENTS: usize = 1_000;
/// Maximum size in bytes of a scalar, and of a collection in `[…]` or `{…}`: the parser buffers either as a whole.
pub(crate) const MAX_SPAN: usize = 120 << 10;

/// The reason why a text was not parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable {
    pub(crate) at: Spot,
    pub(crate) reason: String,
}

/// A line and a column, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spot {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Spot {
    /// Returns line and column.
    pub(crate) const fn position(self) -> (u32, u32) {
        (self.line, self.column)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A document as nodes in the order written: a large one takes two allocations, and walking it needs no recursion.
#[derive(Debug)]
pub(crate) struct Tree<'s> {
    source: &'s str,
    /// Texts that do not appear verbatim in the source, such as those with escapes.
    texts: String,
    nodes: Vec<Raw>,
}

/// A node in 16 bytes. A large document has a million.
#[derive(Clone, Copy, Debug)]
struct Raw {
    at: Spot,
    /// Scalars: the start of the text. Aliases: the node they refer to.
    start: u32,
    /// The kind in the top bits; below it the length of the text for scalars, or the index after the last inner node for collections.
    packed: u32,
}

/// Number of bits of [`Raw::packed`] below the kind: enough for any length and any node index.
const EXTENT_BITS: u32 = 29;

impl Raw {
    fn new(at: Spot, kind: Kind, start: usize, extent: usize) -> Self {
        // Both are below 64 MiB, the maximum size of a document.
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
    /// Quoted or a block scalar, in the source.
    Quoted = 1,
    /// Plain, in `texts`.
    PlainCopy = 2,
    /// Quoted or a block scalar, in `texts`.
    QuotedCopy = 3,
    Sequence = 4,
    Mapping = 5,
    Alias = 6,
    /// The key `<<`. The merged entries are appended after the map's own, so readers skip this key and its value.
    Merge = 7,
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'t> {
    tree: &'t Tree<'t>,
    index: usize,
}

/// The content of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'t> {
    Scalar(Scalar<'t>),
    Sequence(Elements<'t>),
    Mapping(Entries<'t>),
}

/// A text, and whether it was written without quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scalar<'t> {
    pub(crate) text: &'t str,
    pub(crate) plain: bool,
}

impl Scalar<'_> {
    /// Reports whether the value is empty or `null`.
    pub(crate) fn is_null(self) -> bool {
        self.plain && matches!(self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// Returns the value of a boolean. `None` if it is not `true` or `false`.
    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// Reports whether the text is a number.
    pub(crate) fn is_number(self) -> bool {
        let digits = self.text.strip_prefix(['-', '+']).unwrap_or(self.text);
        self.plain
            && digits.starts_with(|first: char| first.is_ascii_digit())
            && digits.parse::<f64>().is_ok()
    }
}

impl<'s> Tree<'s> {
    /// Returns the outermost value. `None` if the document is empty.
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

    /// Returns the position in the source.
    pub(crate) fn at(self) -> Spot {
        self.raw().at
    }

    /// Returns the content, following aliases.
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

    /// Returns the value of a key. `None` if this is not a map or does not have the key.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        let Value::Mapping(mut entries) = self.value() else {
            return None;
        };
        entries
            .find(|entry| entry.key == key)
            .map(|entry| entry.value)
    }

    /// Describes the kind of value for a fault. The text itself may be secret and is not included.
    pub(crate) fn found(self) -> &'static str {
        match self.value() {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(scalar) if scalar.as_bool().is_some() => "a boolean",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "a string",
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
    /// Reports whether the list is empty.
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

/// The entries of a map: its own first, then merged ones. Each key occurs once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'t>(Inside<'t>);

impl Entries<'_> {
    /// Reports whether the map is empty.
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
