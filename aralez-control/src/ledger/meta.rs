//! The few facts beside the revisions: one small table of names and bytes.

use aralez_proto::hash::Digest;
use redb::{ReadableTable, Table, TableDefinition};

use crate::core::store::{ClusterId, FilesRead};

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The version of the ledger file as a whole.
pub(super) const FORMAT: u32 = 1;

/// What the table says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Meta {
    pub(super) cluster_id: ClusterId,
    pub(super) generation: u64,
    /// The head; 0 before the first commit.
    pub(super) head: u64,
    pub(super) files: Option<FilesRead>,
}

/// Why the table does not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetaError {
    #[error("a newer release wrote it (format {0}, this one reads {FORMAT})")]
    Newer(u32),
    #[error("{0:?} is missing or damaged")]
    Field(&'static str),
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
}

impl Meta {
    pub(super) fn read(
        table: &impl ReadableTable<&'static str, &'static [u8]>,
    ) -> Result<Self, MetaError> {
        let format = u32::from_le_bytes(field(table, "format")?);
        if format > FORMAT {
            return Err(MetaError::Newer(format));
        }
        if format != FORMAT {
            return Err(MetaError::Field("format"));
        }
        Ok(Self {
            cluster_id: field(table, "cluster_id")?,
            generation: u64::from_le_bytes(field(table, "generation")?),
            head: u64::from_le_bytes(field(table, "head")?),
            files: files(table)?,
        })
    }

    pub(super) fn write(
        &self,
        table: &mut Table<'_, &'static str, &'static [u8]>,
    ) -> Result<(), redb::StorageError> {
        table.insert("format", FORMAT.to_le_bytes().as_slice())?;
        table.insert("cluster_id", self.cluster_id.as_slice())?;
        table.insert("generation", self.generation.to_le_bytes().as_slice())?;
        table.insert("head", self.head.to_le_bytes().as_slice())?;
        if let Some(files) = self.files {
            table.insert("files_hash", files.hash.as_bytes().as_slice())?;
            table.insert("files_refused", [u8::from(files.refused)].as_slice())?;
        }
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
