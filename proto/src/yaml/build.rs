//! Builds the tree from the parser's events, checking the budgets as it grows.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use crate::yaml::advice::advised;
use crate::yaml::characters::characters;
use crate::yaml::input::{Window, Windowed};
use crate::yaml::merge;
use crate::yaml::{
    Kind, MAX_ANCHORS, MAX_DEPTH, MAX_DOCUMENTS, MAX_NODES, MAX_SPAN, Raw, Scalar, Spot, Tree,
    Unreadable,
};

/// Parses a text.
///
/// # Errors
/// The position and reason of the first syntax error or exceeded budget.
pub(crate) fn parse(text: &[u8]) -> Result<Tree<'_>, Unreadable> {
    let source = characters(text)?;
    build(source).map_err(|fault| advised(source, fault))
}

fn build(source: &str) -> Result<Tree<'_>, Unreadable> {
    let window = Window::new();
    let mut parser = Parser::new(Windowed::new(source, std::rc::Rc::clone(&window)));
    let mut builder = Builder::new(source);
    while let Some(event) = parser.next_event() {
        if window.exceeded() {
            let at = builder.last;
            return Err(too_long(at));
        }
        let (event, span) = event.map_err(|error| Unreadable {
            at: spot(*error.marker()),
            reason: format!("invalid YAML: {}", error.info()),
        })?;
        window.advance();
        builder.event(event, span)?;
    }
    Ok(builder.tree)
}

fn too_long(at: Spot) -> Unreadable {
    let reason = format!(
        "the value after this position is longer than {} KiB; write long lists and maps one entry per line, without brackets",
        MAX_SPAN >> 10
    );
    Unreadable { at, reason }
}

fn spot(marker: Marker) -> Spot {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Spot {
        line: number(marker.line()),
        column: number(marker.col() + 1),
    }
}

/// The target of an anchor. `size` is the number of values it expands to, known once the node is complete.
#[derive(Clone, Copy)]
struct Anchored {
    node: usize,
    size: Option<usize>,
}

struct Open {
    node: usize,
    anchor: usize,
    /// Number of values so far, aliases expanded.
    size: usize,
    children: usize,
    /// Whether one of the keys is `<<`.
    merges: bool,
}

struct Builder<'s> {
    tree: Tree<'s>,
    ascii: bool,
    /// The last position known both as the parser's character offset (`chars`) and as a byte offset (`bytes`).
    chars: usize,
    bytes: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    expanded: usize,
    documents: usize,
    /// Position at which the latest document begins.
    document: Spot,
    last: Spot,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            tree: Tree {
                source,
                texts: String::new(),
                // A value takes at least two bytes. Reserved up front because growing would copy; untouched pages cost nothing.
                nodes: Vec::with_capacity((source.len() / 2 + 1).min(MAX_NODES)),
            },
            ascii: source.is_ascii(),
            chars: 0,
            bytes: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            expanded: 0,
            documents: 0,
            document: Spot { line: 1, column: 1 },
            last: Spot { line: 1, column: 1 },
        }
    }

    fn event(&mut self, event: Event<'s>, span: Span) -> Result<(), Unreadable> {
        let at = spot(span.start);
        self.last = at;
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > MAX_DOCUMENTS {
                    let reason = format!("has more than {MAX_DOCUMENTS} empty documents");
                    return Err(Unreadable { at, reason });
                }
                self.document = at;
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = scalar_tag(tag, at)?.unwrap_or(style == ScalarStyle::Plain);
                self.scalar(&text, plain, span, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Kind::Sequence, "seq", anchor, tag, at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.start(Kind::Mapping, "map", anchor, tag, at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Prepares for the root value of a document. Templates leave empty documents around the real one; those are skipped.
    fn begin_document(&mut self) -> Result<(), Unreadable> {
        if self.open.is_empty() && !self.tree.nodes.is_empty() {
            if self.tree.root().is_some() {
                return Err(unreadable(
                    self.document,
                    "a second document begins here; a file contains one document",
                ));
            }
            self.tree.nodes.clear();
        }
        Ok(())
    }

    /// Reports whether the next node is the key of a map.
    fn at_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            self.tree.nodes[open.node].kind() == Kind::Mapping && open.children.is_multiple_of(2)
        })
    }

    /// Adds a node that expands to `size` values.
    fn add(&mut self, raw: Raw, size: usize) -> Result<usize, Unreadable> {
        let at = raw.at;
        self.begin_document()?;
        if self.at_key() && matches!(raw.kind(), Kind::Sequence | Kind::Mapping | Kind::Alias) {
            return Err(unreadable(
                at,
                "a key must be a string, not a list, a map or an alias",
            ));
        }
        self.expanded += size;
        if self.expanded > MAX_NODES {
            let reason = format!(
                "the document has more than {MAX_NODES} values (aliases count as the values that they expand to)"
            );
            return Err(Unreadable { at, reason });
        }
        if let Some(open) = self.open.last_mut() {
            open.size += size;
            open.children += 1;
        }
        self.tree.nodes.push(raw);
        Ok(self.tree.nodes.len() - 1)
    }

    fn anchor(&mut self, anchor: usize, anchored: Anchored, at: Spot) -> Result<(), Unreadable> {
        if anchor == 0 {
            return Ok(());
        }
        self.anchors.insert(anchor, anchored);
        if self.anchors.len() > MAX_ANCHORS {
            let reason = format!("the document has more than {MAX_ANCHORS} anchors");
            return Err(Unreadable { at, reason });
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        plain: bool,
        span: Span,
        anchor: usize,
    ) -> Result<(), Unreadable> {
        let at = spot(span.start);
        let is_null = Scalar { text, plain }.is_null();
        if is_null && self.open.is_empty() && self.tree.root().is_some() {
            // Skip an empty document after the first.
            return Ok(());
        }
        if plain && text == merge::KEY && self.at_key() {
            return self.merge_key(at);
        }
        let written = self.find(text, span.start.index());
        let (kind, start) = match written {
            Some(start) if plain => (Kind::Plain, start),
            Some(start) => (Kind::Quoted, start),
            None => {
                let start = self.tree.texts.len();
                self.tree.texts.push_str(text);
                (
                    if plain {
                        Kind::PlainCopy
                    } else {
                        Kind::QuotedCopy
                    },
                    start,
                )
            }
        };
        let raw = Raw::new(at, kind, start, text.len());
        let node = self.add(raw, 1)?;
        self.anchor(
            anchor,
            Anchored {
                node,
                size: Some(1),
            },
            at,
        )
    }

    fn merge_key(&mut self, at: Spot) -> Result<(), Unreadable> {
        self.add(Raw::new(at, Kind::Merge, 0, 0), 1)?;
        if let Some(open) = self.open.last_mut() {
            if open.merges {
                let reason =
                    "duplicate `<<` in a map; merge several maps as a list: `<<: [*a, *b]`";
                return Err(unreadable(at, reason));
            }
            open.merges = true;
        }
        Ok(())
    }

    /// Returns the byte offset of the text if it appears verbatim in the source, possibly after an opening quote.
    fn find(&mut self, text: &str, char_index: usize) -> Option<usize> {
        let source = self.tree.source;
        let start = if self.ascii {
            char_index
        } else {
            let ahead = char_index.checked_sub(self.chars)?;
            let rest = source.get(self.bytes..)?;
            self.bytes += rest
                .char_indices()
                .nth(ahead)
                .map_or(rest.len(), |(at, _)| at);
            self.chars = char_index;
            self.bytes
        };
        let stands = |at: usize| source.get(at..).is_some_and(|rest| rest.starts_with(text));
        [start, start + 1].into_iter().find(|at| stands(*at))
    }

    fn start(
        &mut self,
        kind: Kind,
        core: &str,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        at: Spot,
    ) -> Result<(), Unreadable> {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema() || tag.suffix != core) {
            return Err(refused_tag(&tag, at));
        }
        if self.open.len() >= MAX_DEPTH {
            let reason = format!("is nested deeper than {MAX_DEPTH} levels");
            return Err(Unreadable { at, reason });
        }
        let raw = Raw::new(at, kind, 0, 0);
        let node = self.add(raw, 1)?;
        self.anchor(anchor, Anchored { node, size: None }, at)?;
        self.open.push(Open {
            node,
            anchor,
            size: 1,
            children: 0,
            merges: false,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unreadable> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.merges {
            merge::append(&mut self.tree, open.node)?;
        }
        let end = self.tree.nodes.len();
        let begun = &mut self.tree.nodes[open.node];
        *begun = Raw::new(begun.at, begun.kind(), 0, end);
        if let Some(parent) = self.open.last_mut() {
            // The node itself was counted when it began.
            parent.size += open.size - 1;
        }
        if let Some(anchored) = self.anchors.get_mut(&open.anchor) {
            anchored.size = Some(open.size);
        }
        if self.tree.nodes[open.node].kind() == Kind::Mapping {
            self.check_keys(open.node)?;
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, at: Spot) -> Result<(), Unreadable> {
        let Some(Anchored { node, size }) = self.anchors.get(&anchor).copied() else {
            return Err(unreadable(at, "the alias refers to an unknown anchor"));
        };
        let size =
            size.ok_or_else(|| unreadable(at, "the alias refers to a value that contains it"))?;
        let raw = Raw::new(at, Kind::Alias, node, 0);
        self.add(raw, size)?;
        Ok(())
    }

    /// Refuses duplicate keys.
    fn check_keys(&self, node: usize) -> Result<(), Unreadable> {
        let node = crate::yaml::Node {
            tree: &self.tree,
            index: node,
        };
        let crate::yaml::Value::Mapping(entries) = node.value() else {
            return Ok(());
        };
        let mut seen: HashMap<&str, Spot> = HashMap::new();
        for entry in entries {
            if let Some(first) = seen.insert(entry.key, entry.at) {
                let reason = format!("duplicate key `{}`, already defined at {first}", entry.key);
                return Err(Unreadable {
                    at: entry.at,
                    reason,
                });
            }
        }
        Ok(())
    }
}

/// Returns whether a tag forces the scalar to be plain or quoted: `!!str` makes it a text, the other tags of the core schema change
/// nothing.
fn scalar_tag(tag: Option<Cow<'_, Tag>>, at: Spot) -> Result<Option<bool>, Unreadable> {
    let Some(tag) = tag else { return Ok(None) };
    match tag.suffix.as_str() {
        _ if !tag.is_yaml_core_schema() => Err(refused_tag(&tag, at)),
        "str" => Ok(Some(false)),
        "int" | "bool" | "null" | "float" => Ok(None),
        _ => Err(refused_tag(&tag, at)),
    }
}

fn refused_tag(tag: &Tag, at: Spot) -> Unreadable {
    let reason = format!("unsupported tag `{tag}`");
    Unreadable { at, reason }
}

fn unreadable(at: Spot, reason: &str) -> Unreadable {
    Unreadable {
        at,
        reason: reason.to_owned(),
    }
}
