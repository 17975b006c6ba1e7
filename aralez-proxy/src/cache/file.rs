//! The format of a cache file: bytes in, a checked snapshot out, or the reason why not.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `ARALEZ`, then `SC` |
//! | 4 | format, little-endian: 1 |
//! | 4 | length of the header, little-endian |
//! | … | `CacheHeader`: readable without the key |
//! | … | `CacheBody`, sealed with the header's bytes as context |
//! | 32 | BLAKE3 of everything before, preceded by its length |

use std::io;

use aralez_proto::convert::stream::digest;
use aralez_proto::fault::{FaultCode, Faults};
use aralez_proto::hash::Digest;
use aralez_proto::record::{Record, RecordSet};
use aralez_proto::seal::{SealError, SealKey};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proto::wire::storage as wire;
use aralez_runtime::threads::TwoThreads;
use bytes::Bytes;
use prost::Message;

mod body;

const MAGIC: &[u8; 8] = b"ARALEZSC";
const FORMAT: u32 = 1;
const PREFIX: usize = 16;
const FOOTER: usize = 32;

/// The head of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) cluster: Vec<u8>,
    pub(super) version: Version,
    /// Only orders files of one version; it is not a time to believe.
    pub(super) written_unix_ms: u64,
    pub(super) writer: String,
}

impl Header {
    /// Newest is greatest.
    pub(super) const fn age(&self) -> (u64, u64, u64) {
        let version = self.version;
        (version.generation, version.revision, self.written_unix_ms)
    }
}

/// Why a file does not serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("cannot be read: {0}")]
    Io(io::Error),
    #[error("is cut short")]
    Short,
    #[error("is not a cache file")]
    Magic,
    #[error("is damaged: the checksum differs")]
    Checksum,
    #[error("has format {0}, which this release does not read")]
    Format(u32),
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("is {0}")]
    Sealed(#[from] SealError),
    #[error("is of another cluster")]
    Cluster,
    /// Whole and ours, but not for this node as it is now: not the file's fault.
    #[error("is refused: {0}")]
    Refused(Faults),
}

/// A snapshot's records as the bytes of a file. `nonce` must be fresh random bytes.
pub(super) fn encode(
    header: &Header,
    records: &RecordSet,
    key: &SealKey,
    nonce: [u8; 24],
) -> Result<Vec<u8>, SealError> {
    let header = wire::CacheHeader {
        cluster_id: header.cluster.clone().into(),
        generation: header.version.generation,
        revision: header.version.revision,
        sequence: header.version.sequence,
        root: header.version.root.as_bytes().to_vec().into(),
        written_unix_ms: header.written_unix_ms,
        writer: header.writer.clone(),
    }
    .encode_to_vec();
    let body = wire::CacheBody {
        records: records.iter().map(cached).collect(),
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

fn cached(record: &Record) -> wire::CachedRecord {
    wire::CachedRecord {
        r#type: record.key.kind.number().into(),
        key: record.key.name.as_ref().to_owned(),
        payload: record.payload.clone(),
    }
}

/// A file whose checksum holds, with its records still sealed.
#[derive(Debug)]
pub(super) struct Whole {
    content: Vec<u8>,
    header: Header,
    /// Where the header ends and the sealed body begins.
    body: usize,
}

impl Whole {
    /// The file of these bytes.
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

    /// Its head.
    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    /// The snapshot in it: decoded, its root verified, within `limits`. The records keep the file's content in memory.
    pub(super) fn decode(mut self, key: &SealKey, limits: &Limits) -> Result<Snapshot, ReadError> {
        let end = self.content.len() - FOOTER;
        let (before, sealed) = self.content.split_at_mut(self.body);
        let sealed = &mut sealed[..end - self.body];
        let plain = key.open_in_place(&before[PREFIX..], sealed)?;
        let plain = self.body + plain.start..self.body + plain.end;
        let body = Bytes::from(self.content).slice(plain);
        let records = RecordSet::of(body::decode(&body)?, &TwoThreads);
        let snapshot = Snapshot::verified(self.header.version, records, limits, &TwoThreads);
        snapshot.map_err(|faults| {
            let mismatch = faults
                .as_slice()
                .iter()
                .any(|fault| fault.code == FaultCode::HashMismatch);
            if mismatch {
                ReadError::Damaged(faults.to_string())
            } else {
                ReadError::Refused(faults)
            }
        })
    }
}

/// The head of a file that begins like this, unproven: only the checksum of the whole proves it. `None`: it does not look like one.
pub(super) fn head_of(start: &[u8]) -> Option<Header> {
    let rest = start.strip_prefix(MAGIC)?;
    let rest = rest.strip_prefix(&FORMAT.to_le_bytes())?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    header(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()
}

fn header(context: &[u8]) -> Result<Header, ReadError> {
    let head = wire::CacheHeader::decode(context)
        .map_err(|error| ReadError::Damaged(format!("header: {error}")))?;
    let root = digest("the header's root", &head.root)
        .map_err(|error| ReadError::Damaged(error.to_string()))?;
    Ok(Header {
        cluster: head.cluster_id.to_vec(),
        version: Version {
            generation: head.generation,
            revision: head.revision,
            sequence: head.sequence,
            root,
        },
        written_unix_ms: head.written_unix_ms,
        writer: head.writer,
    })
}
