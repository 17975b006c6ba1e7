//! One revision as bytes: the format of ledger entries, pinned by a golden vector in the tests.

use aralez_proto::document::DocumentSet;
use aralez_proto::hash::Digest;
use aralez_proto::model::GroupName;
use aralez_proto::seal::SealKey;
use aralez_proto::wire::storage as wire;
use prost::Message;

use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::CommitOrigin;
use crate::core::store::RevisionInfo;

/// Version of the entry format.
const FORMAT: u32 = 1;

/// Reason why an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntryError {
    #[error("revision {0} is damaged")]
    Damaged(u64),
    #[error(
        "revision {revision}: unsupported format version {format}, written by a newer release; expected {FORMAT}"
    )]
    Newer { revision: u64, format: u32 },
    #[error(
        "revision {0} cannot be decrypted: it was sealed with a key other than seal.key, or is damaged"
    )]
    Sealed(u64),
    #[error("revision {0} is too large to seal")]
    TooLarge(u64),
}

/// Returns the associated data authenticated with the documents, so that they can be decrypted only as the documents of this revision.
fn context(info: &RevisionInfo) -> Vec<u8> {
    format!("{FORMAT}|{}|{}", info.generation, info.revision).into_bytes()
}

/// Encodes the entry of a revision. `nonce` must be fresh random bytes.
pub(super) fn encode(
    info: &RevisionInfo,
    documents: &DocumentSet,
    key: &SealKey,
    nonce: [u8; 24],
) -> Result<Vec<u8>, EntryError> {
    let authored = set_to_wire(documents).encode_to_vec();
    let sealed = key
        .seal(nonce, &context(info), &authored)
        .map_err(|_| EntryError::TooLarge(info.revision))?;
    let entry = wire::LedgerEntry {
        format: FORMAT,
        generation: info.generation,
        revision: info.revision,
        unix_ms: info.unix_ms,
        source: info.origin.name().to_owned(),
        message: info.message.clone(),
        content_hash: info.content_hash.as_bytes().to_vec().into(),
        sealed: sealed.into(),
        authored_roots: info.roots.as_ref().map_or_else(Vec::new, roots_to_wire),
    };
    Ok(entry.encode_to_vec())
}

fn set_to_wire(set: &DocumentSet) -> wire::AuthoredSet {
    let documents = set.documents().iter();
    let documents = documents.map(|(name, text)| wire::Document {
        name: name.clone(),
        text: text.clone(),
    });
    let files = set.files().contents();
    let files = files.map(|(path, content)| wire::NamedFile {
        path: path.to_string(),
        content: content.clone(),
    });
    wire::AuthoredSet {
        documents: documents.collect(),
        files: files.collect(),
    }
}

/// `None` for a path that no release wrote.
fn set_from_wire(set: wire::AuthoredSet) -> Option<DocumentSet> {
    let documents = set.documents.into_iter();
    let documents: DocumentSet = documents
        .map(|document| (document.name, document.text))
        .collect();
    let files = set.files.into_iter();
    let files = files.map(|file| Some((file.path.parse().ok()?, Ok(file.content))));
    Some(documents.with_files(files.collect::<Option<_>>()?))
}

/// The root of the default view, under the empty name, is always first.
fn roots_to_wire(roots: &AuthoredRoots) -> Vec<wire::GroupRoot> {
    let root = |group: String, root: &Digest| wire::GroupRoot {
        group,
        root: root.as_bytes().to_vec().into(),
    };
    let named = roots.named.iter();
    let named = named.map(|(group, digest)| root(group.to_string(), digest));
    std::iter::once(root(String::new(), &roots.default))
        .chain(named)
        .collect()
}

/// `None` for roots that no release wrote.
fn roots_from_wire(default: &wire::GroupRoot, named: &[wire::GroupRoot]) -> Option<AuthoredRoots> {
    let named = named.iter().map(|of| {
        let group = of.group.parse::<GroupName>().ok()?;
        Some((group, Digest::from_slice(&of.root)?))
    });
    Some(AuthoredRoots {
        default: Digest::from_slice(&default.root).filter(|_| default.group.is_empty())?,
        named: named.collect::<Option<_>>()?,
    })
}

/// A decoded entry whose documents are still sealed.
#[derive(Debug)]
pub(super) struct SealedEntry {
    pub(super) info: RevisionInfo,
    sealed: bytes::Bytes,
}

impl SealedEntry {
    /// Decodes the entry that is stored under `revision`.
    pub(super) fn decode(revision: u64, bytes: &[u8]) -> Result<Self, EntryError> {
        let damaged = EntryError::Damaged(revision);
        let entry = wire::LedgerEntry::decode(bytes).map_err(|_| damaged.clone())?;
        if entry.format > FORMAT {
            let format = entry.format;
            return Err(EntryError::Newer { revision, format });
        }
        if entry.format != FORMAT || entry.revision != revision {
            return Err(damaged);
        }
        let content_hash = Digest::from_slice(&entry.content_hash).ok_or_else(|| damaged.clone());
        let roots = entry.authored_roots.split_first();
        let roots = roots.map(|(default, named)| roots_from_wire(default, named).ok_or(damaged));
        Ok(Self {
            info: RevisionInfo {
                generation: entry.generation,
                revision,
                unix_ms: entry.unix_ms,
                origin: CommitOrigin::from_name(&entry.source),
                message: entry.message,
                content_hash: content_hash?,
                roots: roots.transpose()?,
            },
            sealed: entry.sealed,
        })
    }

    /// Decrypts the documents and verifies their hash.
    pub(super) fn documents(&self, key: &SealKey) -> Result<DocumentSet, EntryError> {
        let revision = self.info.revision;
        let plain = key
            .open(&context(&self.info), &self.sealed)
            .map_err(|_| EntryError::Sealed(revision))?;
        let damaged = EntryError::Damaged(revision);
        let authored = wire::AuthoredSet::decode(&*plain).map_err(|_| damaged.clone())?;
        let documents = set_from_wire(authored);
        documents
            .filter(|documents| documents.content_hash() == self.info.content_hash)
            .ok_or(damaged)
    }
}
