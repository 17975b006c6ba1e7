//! Decodes the records in the body of a cache file.
//!
//! The fast path expects a body as this release writes it: each record with type, key and payload, in this order. It allocates nothing
//! beyond the records, and uses two threads. Any other body goes through the protobuf decoder, which accepts everything the format allows
//! and names the error otherwise.

use aralez_proto::parallel::both;
use aralez_proto::record::{Gathered, Record, RecordKey, RecordSet, ResourceType};
use aralez_proto::wire::storage as wire;
use aralez_runtime::threads::TwoThreads;
use bytes::Bytes;
use prost::{Message, decode_length_delimiter};

use super::{FileBody, ReadError};
use crate::core::sync::snapshot_parts::OrphanedEndpoint;

/// `CacheBody.records`, length-delimited.
const RECORD: u8 = 1 << 3 | 2;
/// `CachedRecord.type`, a varint.
const TYPE: u8 = 1 << 3;
/// `CachedRecord.key`, length-delimited.
const KEY: u8 = 2 << 3 | 2;
/// `CachedRecord.payload`, length-delimited.
const PAYLOAD: u8 = 3 << 3 | 2;

/// Decodes a body. Payloads share its memory.
pub(super) fn decode(body: &Bytes) -> Result<FileBody, ReadError> {
    match as_written(body) {
        Some(halves) => Ok(FileBody {
            records: RecordSet::of(halves, &TwoThreads),
            left: Vec::new(),
        }),
        None => as_allowed(body),
    }
}

/// The fast path. `None` if anything differs from the way this release writes it.
fn as_written(body: &Bytes) -> Option<[Gathered; 2]> {
    let middle = middle(body)?;
    let (first, rest) = both(
        &TwoThreads,
        || half(&body.slice(..middle)),
        || half(&body.slice(middle..)),
    );
    Some([first?, rest?])
}

/// Returns the first boundary between two records at or after the middle.
fn middle(body: &[u8]) -> Option<usize> {
    let mut rest = body;
    while rest.len() > body.len() / 2 {
        field(&mut rest, RECORD)?;
    }
    Some(body.len() - rest.len())
}

fn half(body: &Bytes) -> Option<Gathered> {
    // Each half has its own refcount: a shared one would bounce between the two threads with every record.
    let body = &Bytes::from_owner(body.clone());
    let mut rest: &[u8] = body;
    let next = || (!rest.is_empty()).then(|| record(body, field(&mut rest, RECORD)?));
    std::iter::from_fn(next).collect()
}

fn record(body: &Bytes, mut fields: &[u8]) -> Option<Record> {
    let kind = u32::try_from(number(&mut fields, TYPE)?).ok()?;
    let kind = ResourceType::from_number(kind)?;
    let name = str::from_utf8(field(&mut fields, KEY)?).ok()?;
    let payload = field(&mut fields, PAYLOAD)?;
    let record = || Record::new(RecordKey::new(kind, name), body.slice_ref(payload));
    fields.is_empty().then(record)
}

/// Reads the next field, which must have this tag, and returns its number.
fn number(fields: &mut &[u8], tag: u8) -> Option<usize> {
    let mut rest = fields.strip_prefix(&[tag])?;
    let number = decode_length_delimiter(&mut rest).ok()?;
    *fields = rest;
    Some(number)
}

/// Reads the next field, which must have this tag, and returns its bytes.
fn field<'a>(fields: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let length = number(fields, tag)?;
    let (content, rest) = fields.split_at_checked(length)?;
    *fields = rest;
    Some(content)
}

fn as_allowed(body: &Bytes) -> Result<FileBody, ReadError> {
    let body = wire::CacheBody::decode(body.clone())
        .map_err(|error| ReadError::Damaged(error.to_string()))?;
    let records: Result<Vec<Record>, ReadError> = body.records.into_iter().map(allowed).collect();
    let left: Result<Vec<OrphanedEndpoint>, ReadError> =
        body.left.into_iter().map(left_endpoint).collect();
    Ok(FileBody {
        records: records?.into_iter().collect(),
        left: left?,
    })
}

fn left_endpoint(left: wire::LeftEndpoint) -> Result<OrphanedEndpoint, ReadError> {
    Ok(OrphanedEndpoint {
        record: allowed(left.record.unwrap_or_default())?,
        since: (left.generation, left.revision),
    })
}

fn allowed(cached: wire::CachedRecord) -> Result<Record, ReadError> {
    let kind = ResourceType::from_number(cached.r#type)
        .ok_or_else(|| ReadError::Damaged(format!("unknown resource type {}", cached.r#type)))?;
    Ok(Record::new(
        RecordKey::new(kind, cached.key),
        cached.payload,
    ))
}

#[cfg(test)]
mod tests;
