//! The format of a cache file. Decoding returns the verified records of one part of a snapshot, or the reason why it fails.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `ARALEZ`, then `SC` |
//! | 4 | format, little-endian: 2 |
//! | 4 | length of the header, little-endian |
//! | … | `CacheHeader`: readable without the key |
//! | … | `CacheBody`, sealed with the header's bytes as context |
//! | 32 | BLAKE3 of all preceding bytes, prefixed with their length |

use std::io;

use aralez_proto::convert::stream::digest;
use aralez_proto::hash::Digest;
use aralez_proto::record::{Record, RecordSet};
use aralez_proto::seal::{SealError, SealKey};
use aralez_proto::version::Version;
use aralez_proto::wire::storage as wire;
use bytes::Bytes;
use prost::Message;

use crate::core::sync::snapshot_parts::OrphanedEndpoint;

mod body;

const MAGIC: &[u8; 8] = b"ARALEZSC";
const FORMAT: u32 = 2;
const PREFIX: usize = 16;
const FOOTER: usize = 32;

/// The part of a snapshot that a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CachePart {
    /// The authored records.
    Authored,
    /// The discovered and operational records.
    Other,
}

/// The head of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) cluster: Vec<u8>,
    pub(super) part: CachePart,
    /// The root of the records in the file.
    pub(super) part_root: Digest,
    /// The version of the snapshot whose part this is.
    pub(super) version: Version,
    /// Time of writing. Used only to order files of the same version, because the clock may be wrong.
    pub(super) written_unix_ms: u64,
    pub(super) writer: String,
}

impl Header {
    /// Returns the sort key of a file's age. The newest file has the greatest key.
    pub(super) const fn age(&self) -> (u64, u64, u64) {
        let version = self.version;
        (version.generation, version.revision, self.written_unix_ms)
    }
}

/// The decoded body of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileBody {
    pub(super) records: RecordSet,
    pub(super) left: Vec<OrphanedEndpoint>,
}

/// The reason why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("cannot be read: {0}")]
    Io(io::Error),
    #[error("is truncated")]
    Short,
    #[error("is not a cache file")]
    Magic,
    #[error("is damaged: checksum mismatch")]
    Checksum,
    #[error("has unsupported format version {0}")]
    Format(u32),
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("is {0}")]
    Sealed(#[from] SealError),
    #[error("belongs to another cluster")]
    Cluster,
}

/// Encodes the records of one part as a file. `nonce` must be fresh random bytes.
pub(super) fn encode<'r>(
    header: &Header,
    records: impl Iterator<Item = &'r Record>,
    left: &[OrphanedEndpoint],
    key: &SealKey,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let header = encoded(header).encode_to_vec();
    let body = wire::CacheBody {
        records: records.map(cached).collect(),
        left: left.iter().map(left_endpoint).collect(),
    };
    let sealed = key.seal(nonce, &header, &body.encode_to_vec())?;
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    let parts = [
        MAGIC.as_slice(),
        &FORMAT.to_le_bytes(),
        &length.to_le_bytes(),
        &header,
        &sealed,
    ];
    let mut content = parts.concat();
    content.extend_from_slice(Digest::of_fields(&[&content]).as_bytes());
    Ok(content)
}

fn encoded(header: &Header) -> wire::CacheHeader {
    let bytes = |root: Digest| root.as_bytes().to_vec().into();
    let version = header.version;
    let part = match header.part {
        CachePart::Authored => wire::CachePart::Authored,
        CachePart::Other => wire::CachePart::Other,
    };
    wire::CacheHeader {
        cluster_id: header.cluster.clone().into(),
        generation: version.generation,
        revision: version.revision,
        sequence: version.sequence,
        operational: version.operational,
        root: bytes(version.root),
        authored_root: bytes(version.authored_root),
        part: part.into(),
        part_root: bytes(header.part_root),
        written_unix_ms: header.written_unix_ms,
        writer: header.writer.clone(),
    }
}

fn cached(record: &Record) -> wire::CachedRecord {
    wire::CachedRecord {
        r#type: record.key.kind.number().into(),
        key: record.key.name.as_ref().to_owned(),
        payload: record.payload.clone(),
    }
}

fn left_endpoint(left: &OrphanedEndpoint) -> wire::LeftEndpoint {
    wire::LeftEndpoint {
        record: Some(cached(&left.record)),
        generation: left.since.0,
        revision: left.since.1,
    }
}

/// A file with a valid checksum, its records still sealed.
#[derive(Debug)]
pub(super) struct Whole {
    content: Vec<u8>,
    header: Header,
    /// Offset at which the header ends and the sealed body begins.
    body: usize,
}

impl Whole {
    /// Parses the content of a file, verifying the checksum.
    pub(super) fn of(content: Vec<u8>) -> Result<Self, ReadError> {
        let (before, footer) = content
            .split_last_chunk::<FOOTER>()
            .ok_or(ReadError::Short)?;
        let (magic, rest) = before.split_first_chunk::<8>().ok_or(ReadError::Short)?;
        if magic != MAGIC {
            return Err(ReadError::Magic);
        }
        if Digest::of_fields(&[before]).as_bytes() != footer {
            return Err(ReadError::Checksum);
        }
        let (format, rest) = rest.split_first_chunk::<4>().ok_or(ReadError::Short)?;
        let format = u32::from_le_bytes(*format);
        if format != FORMAT {
            return Err(ReadError::Format(format));
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(ReadError::Short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let context = rest.get(..length).ok_or(ReadError::Short)?;
        Ok(Self {
            header: header(context)?,
            body: PREFIX + length,
            content,
        })
    }

    /// Returns the head.
    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    /// Unseals and decodes the records, and verifies their root. The records keep the file's content in memory.
    pub(super) fn decode(mut self, key: &SealKey) -> Result<(Header, FileBody), ReadError> {
        let end = self.content.len() - FOOTER;
        let (before, sealed) = self.content.split_at_mut(self.body);
        let sealed = &mut sealed[..end - self.body];
        let plain = key.open_in_place(&before[PREFIX..], sealed)?;
        let plain = self.body + plain.start..self.body + plain.end;
        let body = body::decode(&Bytes::from(self.content).slice(plain))?;
        verify(&self.header, &body.records)?;
        Ok((self.header, body))
    }
}

/// Verifies that these are the records of the part that the head announces.
fn verify(header: &Header, records: &RecordSet) -> Result<(), ReadError> {
    let (root, strays) = match header.part {
        CachePart::Authored => (records.authored_root(), records.other().count()),
        CachePart::Other => (records.other_root(), records.authored().count()),
    };
    if root != header.part_root {
        let announced = header.part_root;
        let reason = format!("digest mismatch: expected {announced}, found {root}");
        return Err(ReadError::Damaged(reason));
    }
    if strays > 0 {
        let reason = format!("{strays} records belong to the other part");
        return Err(ReadError::Damaged(reason));
    }
    Ok(())
}

/// Parses the head from the start of a file. It is unverified: only the checksum of the whole file proves it. `None` if it is not a valid
/// head.
pub(super) fn head_of(start: &[u8]) -> Option<Header> {
    let rest = start.strip_prefix(MAGIC)?;
    let rest = rest.strip_prefix(&FORMAT.to_le_bytes())?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    header(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()
}

fn header(context: &[u8]) -> Result<Header, ReadError> {
    let damaged = |what: &dyn std::fmt::Display| ReadError::Damaged(format!("header: {what}"));
    let head = wire::CacheHeader::decode(context).map_err(|error| damaged(&error))?;
    let root = |bytes: &Bytes| digest("a root", bytes).map_err(|error| damaged(&error));
    let part = match head.part() {
        wire::CachePart::Authored => CachePart::Authored,
        wire::CachePart::Other => CachePart::Other,
        wire::CachePart::Unspecified => {
            return Err(damaged(&"unknown part"));
        }
    };
    Ok(Header {
        part,
        part_root: root(&head.part_root)?,
        version: Version {
            generation: head.generation,
            revision: head.revision,
            sequence: head.sequence,
            operational: head.operational,
            root: root(&head.root)?,
            authored_root: root(&head.authored_root)?,
        },
        cluster: head.cluster_id.to_vec(),
        written_unix_ms: head.written_unix_ms,
        writer: head.writer,
    })
}
