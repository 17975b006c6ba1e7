//! Splits an update into parts, so that no message is large.

use std::ops::Range;

use aralez_proto::record::Change;

/// Maximum payload of one part, in bytes. A larger record is a part by itself.
///
/// The protocol allows 512 KiB. The message encoder keeps one buffer per stream, as large as the largest message so far, so small parts
/// keep the memory of a connected stream low after a full update (`measure-streams` in `bench`).
pub const MAX_PART_BYTES: usize = 16 << 10;

/// Size of a change in addition to key and payload: tags and lengths.
const ITEM_OVERHEAD: usize = 24;

/// Splits a delta into ranges of at most `max` bytes each, except that one larger change is a range by itself; an empty delta has none.
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
