//! The ledger's file as tables: opened, read and written so that neither damage nor a failing disk crashes the process.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use aralez_runtime::private;
use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
};
use tracing::warn;

use super::meta::{META, Meta};

/// Revisions by number.
const REVISIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("revisions");

/// Page cache size. Control reads one revision when it starts; everything else is writing.
const CACHE_BYTES: usize = 4 << 20;

/// Error text for a file in which even the path to the head is broken.
pub(super) const DAMAGED: &str = "too damaged to read";

/// Opens the file in time independent of the length of the history. A damaged file must not crash the process by a panic; data read from it
/// is verified by its seal and its hash.
pub(super) fn open(path: &Path) -> Result<Database, String> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| error.to_string())?;
    if let Some(wide) = private::narrow(&file).map_err(|error| error.to_string())? {
        warn!("{}: {wide}", path.display());
    }
    let open = || open_backend(FileBackend::new(file)?);
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(redb::DatabaseError::DatabaseAlreadyOpen)) => {
            Err("open in another process".to_owned())
        }
        Ok(Err(error)) => Err(format!("cannot open: {error}")),
        Err(_) => Err(DAMAGED.to_owned()),
    }
}

pub(super) fn open_backend(backend: impl StorageBackend) -> Result<Database, redb::DatabaseError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
}

/// Closes a failed database and catches a panic in its drop: the file on disk is consistent either way.
pub(super) fn give_up(broken: Option<Database>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
}

/// Runs a read that may panic on a damaged file.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(DAMAGED.to_owned()))
}

/// Reads the meta table; `None` for a new file, which has no tables.
pub(super) fn meta(database: &Database) -> Result<Option<Meta>, String> {
    guarded(|| {
        let read = database.begin_read().map_err(|error| error.to_string())?;
        match read.open_table(META) {
            Ok(table) => {
                let meta = Meta::read(&table).map_err(|error| error.to_string())?;
                Ok(Some(meta))
            }
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Returns the highest stored revision; 0 if there is none.
pub(super) fn newest(database: &Database) -> Result<u64, redb::Error> {
    let table = database.begin_read()?.open_table(REVISIONS)?;
    let last = table.last()?;
    Ok(last.map_or(0, |(revision, _)| revision.value()))
}

/// Returns the encoded entry of a revision.
pub(super) fn revision(database: &Database, revision: u64) -> Result<Option<Vec<u8>>, redb::Error> {
    let table = database.begin_read()?.open_table(REVISIONS)?;
    let entry = table.get(revision)?;
    Ok(entry.map(|bytes| bytes.value().to_vec()))
}

/// Writes the meta table, optionally with a revision, as one durable transaction.
pub(super) fn write(
    database: &Database,
    meta: &Meta,
    entry: Option<(u64, &[u8])>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // Without this, opening after a crash reads and rebuilds the whole file.
    transaction.set_quick_repair(true);
    {
        meta.write(&mut transaction.open_table(META)?)?;
        let mut revisions = transaction.open_table(REVISIONS)?;
        if let Some((revision, bytes)) = entry {
            revisions.insert(revision, bytes)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
