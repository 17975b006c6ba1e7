//! The ledger's state apart from the revisions: one small table of names and bytes.

use aralez_proto::hash::Digest;
use redb::{ReadableTable, Table, TableDefinition};

use crate::core::store::{ClusterId, FilesRead, PendingSave};

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// Format version of the ledger file as a whole.
pub(super) const FORMAT: u32 = 2;

/// Contents of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Meta {
    pub(super) cluster_id: ClusterId,
    pub(super) generation: u64,
    /// Time when this history was begun or restored, in milliseconds since 1970.
    pub(super) begun_unix_ms: u64,
    /// Set once the fleet follows this history: control no longer checks whether nodes hold a higher generation.
    pub(super) settled: bool,
    /// The head; 0 before the first commit.
    pub(super) head: u64,
    pub(super) files: Option<FilesRead>,
    pub(super) saving: Option<PendingSave>,
}

/// Reason why the table cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetaError {
    #[error("unsupported format version {0}, written by a newer release; expected {FORMAT}")]
    Newer(u32),
    #[error("unsupported format version {0}, written by an earlier release; expected {FORMAT}")]
    Older(u32),
    #[error("meta field {0:?} is missing or damaged")]
    Field(&'static str),
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
}

impl Meta {
    /// Returns the state of a history that begins now.
    ///
    /// Its generation is the current time, so that it is above the lost one. If the clock is wrong, nodes report a higher generation.
    pub(super) const fn begun(cluster_id: ClusterId, unix_ms: u64) -> Self {
        Self {
            cluster_id,
            generation: unix_ms / 1000,
            begun_unix_ms: unix_ms,
            settled: false,
            head: 0,
            files: None,
            saving: None,
        }
    }

    pub(super) fn read(
        table: &impl ReadableTable<&'static str, &'static [u8]>,
    ) -> Result<Self, MetaError> {
        match u32::from_le_bytes(field(table, "format")?) {
            FORMAT => {}
            format if format > FORMAT => return Err(MetaError::Newer(format)),
            format => return Err(MetaError::Older(format)),
        }
        Ok(Self {
            cluster_id: field(table, "cluster_id")?,
            generation: u64::from_le_bytes(field(table, "generation")?),
            begun_unix_ms: u64::from_le_bytes(field(table, "begun")?),
            settled: field::<1>(table, "settled")? != [0],
            head: u64::from_le_bytes(field(table, "head")?),
            files: files(table)?,
            saving: saving(table)?,
        })
    }

    pub(super) fn write(
        &self,
        table: &mut Table<'_, &'static str, &'static [u8]>,
    ) -> Result<(), redb::StorageError> {
        table.insert("format", FORMAT.to_le_bytes().as_slice())?;
        table.insert("cluster_id", self.cluster_id.as_slice())?;
        table.insert("generation", self.generation.to_le_bytes().as_slice())?;
        table.insert("begun", self.begun_unix_ms.to_le_bytes().as_slice())?;
        table.insert("settled", [u8::from(self.settled)].as_slice())?;
        table.insert("head", self.head.to_le_bytes().as_slice())?;
        if let Some(files) = self.files {
            table.insert("files_hash", files.hash.as_bytes().as_slice())?;
            table.insert("files_refused", [u8::from(files.refused)].as_slice())?;
        }
        match &self.saving {
            Some(saving) => table.insert("saving", saving_bytes(saving).as_slice())?,
            None => table.remove("saving")?,
        };
        Ok(())
    }
}

fn field<const N: usize>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &'static str,
) -> Result<[u8; N], MetaError> {
    let value = table.get(name)?.ok_or(MetaError::Field(name))?;
    value.value().try_into().map_err(|_| MetaError::Field(name))
}

fn files(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<FilesRead>, MetaError> {
    if table.get("files_hash")?.is_none() {
        return Ok(None);
    }
    let [refused] = field(table, "files_refused")?;
    Ok(Some(FilesRead {
        hash: Digest::from(field::<32>(table, "files_hash")?),
        refused: refused != 0,
    }))
}

/// Encodes a pending save: its revision, the hash of the set of files after it, and, if known, the hash of the file before it.
fn saving_bytes(saving: &PendingSave) -> Vec<u8> {
    let revision = saving.revision.to_le_bytes();
    let before = saving.before.as_ref().map(Digest::as_bytes);
    let before = before.map(<[u8; 32]>::as_slice).unwrap_or_default();
    [&revision, saving.after.as_bytes().as_slice(), before].concat()
}

fn saving(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Option<PendingSave>, MetaError> {
    let Some(value) = table.get("saving")? else {
        return Ok(None);
    };
    let read = |bytes: &[u8]| {
        let (revision, rest) = bytes.split_first_chunk()?;
        let (after, before) = rest.split_first_chunk::<32>()?;
        Some(PendingSave {
            revision: u64::from_le_bytes(*revision),
            after: Digest::from(*after),
            before: match before {
                [] => None,
                before => Some(Digest::from_slice(before)?),
            },
        })
    };
    let saving = read(value.value()).ok_or(MetaError::Field("saving"))?;
    Ok(Some(saving))
}
