//! Merge keys: `<<: *defaults` and `<<: [*a, *b]` add the entries of other maps to a map (yaml.org/type/merge.html, YAML 1.1).
//!
//! The map's own keys win, then those of the map named first. A merged map must not contain a merge itself. Merged entries are copies of
//! the keys and aliases of the values; the alias after `<<` has already counted them against the budget.

use std::collections::HashSet;

use crate::yaml::{Entries, Inside, Kind, Node, Raw, Tree, Unreadable, Value};

/// The key that merges.
pub(super) const KEY: &str = "<<";

/// Appends the entries merged into the map at index `map`, which is the last node of the tree that is still open.
pub(super) fn append(tree: &mut Tree<'_>, map: usize) -> Result<(), Unreadable> {
    let merged = entries_to_add(tree, map)?;
    tree.nodes.extend(merged);
    Ok(())
}

fn entries_to_add(tree: &Tree<'_>, map: usize) -> Result<Vec<Raw>, Unreadable> {
    let own = Inside {
        tree,
        next: map + 1,
        end: tree.nodes.len(),
    };
    let mut seen: HashSet<&str> = Entries(own).map(|entry| entry.key).collect();
    let mut added = Vec::new();
    for source in sources(own)? {
        let Value::Mapping(Entries(mut inside)) = source.value() else {
            return Err(not_a_map(source));
        };
        while let (Some(key), Some(value)) = (inside.next(), inside.next()) {
            if key.raw().kind() == Kind::Merge {
                let reason = "merges a map that itself contains `<<`; a merge is one level deep";
                return Err(fault(source, reason));
            }
            if let Value::Scalar(text) = key.value()
                && seen.insert(text.text)
            {
                added.extend([key.raw(), alias_of(value)]);
            }
        }
    }
    Ok(added)
}

/// Returns the maps named by the `<<` of a map, in order.
fn sources<'t>(mut own: Inside<'t>) -> Result<Vec<Node<'t>>, Unreadable> {
    while let (Some(key), Some(value)) = (own.next(), own.next()) {
        if key.raw().kind() != Kind::Merge {
            continue;
        }
        return match value.value() {
            Value::Mapping(_) => Ok(vec![value]),
            Value::Sequence(maps) => Ok(maps.collect()),
            Value::Scalar(_) => Err(not_a_map(value)),
        };
    }
    Ok(Vec::new())
}

fn alias_of(value: Node<'_>) -> Raw {
    let raw = value.raw();
    if raw.kind() == Kind::Alias {
        return raw;
    }
    Raw::new(raw.at, Kind::Alias, value.index, 0)
}

fn not_a_map(node: Node<'_>) -> Unreadable {
    let reason = format!(
        "expected a map or a list of maps for `<<`, found {}",
        node.found()
    );
    Unreadable {
        at: node.at(),
        reason,
    }
}

fn fault(node: Node<'_>, reason: &str) -> Unreadable {
    Unreadable {
        at: node.at(),
        reason: reason.to_owned(),
    }
}
