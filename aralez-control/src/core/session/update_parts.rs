//! An update in parts, so that no message is large.

use std::ops::Range;

use aralez_proto::record::Change;

/// Payload of one part, in bytes. One record larger than this is a part of its own.
///
/// The design allows 512 KiB. What encodes messages keeps a buffer per stream as large as the largest message it ever saw, so small parts are
/// what keeps memory per connected stream low after a full update (`measure-streams` in `tests`).
pub const MAX_PART_BYTES: usize = 16 << 10;

/// What a change costs beside key and payload: tags and lengths.
const ITEM_OVERHEAD: usize = 24;

/// Cuts a delta into ranges of at most `max` bytes each; an empty delta has no parts.
pub fn split(delta: &[Change], max: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, change) in delta.iter().enumerate() {
        let size = size_of_change(change);
        match parts.last_mut() {
            Some(part) if bytes + size <= max => {
                part.end = index + 1;
                bytes += size;
            }
            _ => {
                parts.push(index..index + 1);
                bytes = size;
            }
        }
    }
    parts
}

fn size_of_change(change: &Change) -> usize {
    let payload = match change {
        Change::Put(record) => record.payload.len(),
        Change::Delete(_) => 0,
    };
    change.key().name.len() + payload + ITEM_OVERHEAD
}
