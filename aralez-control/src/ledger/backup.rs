//! A backup: one file with everything that a restore needs: the ledger's file unchanged, the cluster's identity and the key that opens the
//! documents. Anyone who has the backup can read every document, so it is as secret as the key.
//!
//! Layout, numbers little-endian: `aralez-backup\n`, format as u32, identity (16), key (32), generation, head, time of the copy in
//! milliseconds since 1970 and length of the ledger as u64 each, BLAKE3 of all preceding bytes and of the ledger (32), the ledger.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aralez_proto::seal::SealKey;
use aralez_runtime::{clock, private};

use super::{LEDGER, Ledger, SEAL_KEY, identity};
use crate::core::store::{Backup, ClusterId, Store, StoreError};

const MAGIC: &[u8; 14] = b"aralez-backup\n";
const FORMAT: u32 = 1;
/// Length of the part before the hash.
const FACTS: usize = MAGIC.len() + 4 + 16 + SealKey::LEN + 4 * 8;
const HASH: usize = blake3::OUT_LEN;
/// Copy buffer size in bytes.
const CHUNK: usize = 256 << 10;

/// The facts in a backup's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) cluster_id: ClusterId,
    pub(super) generation: u64,
    pub(super) head: u64,
    pub(super) unix_ms: u64,
    length: u64,
}

/// Reason why a file cannot be restored as a backup.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackupError {
    #[error("not an Aralez backup")]
    Foreign,
    #[error("unsupported format version {0}, written by a newer release; expected {FORMAT}")]
    Newer(u32),
    #[error("checksum mismatch: damaged or truncated")]
    Damaged,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Copies the ledger's file while nothing writes it. Every transaction in the file is durable, so the copy opens like a file after a crash.
pub(super) fn take(ledger: &Ledger) -> Result<Backup, StoreError> {
    let copied = copy(ledger);
    copied.map_err(|error| ledger.failed(format!("cannot copy: {error}")))
}

fn copy(ledger: &Ledger) -> io::Result<Backup> {
    let mut source = File::open(ledger.path())?;
    let length = source.metadata()?.len();
    let key = private::read_bounded(&ledger.folder.join(SEAL_KEY), SealKey::LEN as u64)?;
    let header = Header {
        cluster_id: ledger.cluster_id(),
        generation: ledger.generation(),
        head: ledger.meta.head,
        unix_ms: clock::unix_ms(),
        length,
    };
    let facts = header.facts(&key);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&facts);
    let mut copy = nameless(&ledger.folder)?;
    let copied = transfer(&mut source, &mut copy, length, &mut hasher)?;
    if copied != length {
        return Err(io::Error::other("file shrank during the copy"));
    }
    copy.rewind()?;
    let front = [facts.as_slice(), hasher.finalize().as_bytes()].concat();
    Ok(Backup {
        length: front.len() as u64 + length,
        head: (header.generation, header.head),
        content: Box::new(Cursor::new(front).chain(copy)),
    })
}

impl Header {
    fn facts(&self, key: &[u8]) -> Vec<u8> {
        let numbers = [self.generation, self.head, self.unix_ms, self.length];
        let numbers = numbers.map(u64::to_le_bytes).concat();
        let format = FORMAT.to_le_bytes();
        [MAGIC.as_slice(), &format, &self.cluster_id, key, &numbers].concat()
    }

    fn read(facts: &[u8; FACTS]) -> Result<(Self, [u8; SealKey::LEN]), BackupError> {
        let rest = facts.strip_prefix(MAGIC).ok_or(BackupError::Foreign)?;
        let (format, rest) = taken::<4>(rest)?;
        match u32::from_le_bytes(format) {
            FORMAT => {}
            format if format > FORMAT => return Err(BackupError::Newer(format)),
            _ => return Err(BackupError::Foreign),
        }
        let (cluster_id, rest) = taken(rest)?;
        let (key, rest) = taken(rest)?;
        let (generation, rest) = taken(rest)?;
        let (head, rest) = taken(rest)?;
        let (unix_ms, rest) = taken(rest)?;
        let (length, _) = taken(rest)?;
        let header = Self {
            cluster_id,
            generation: u64::from_le_bytes(generation),
            head: u64::from_le_bytes(head),
            unix_ms: u64::from_le_bytes(unix_ms),
            length: u64::from_le_bytes(length),
        };
        Ok((header, key))
    }
}

fn taken<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), BackupError> {
    let (first, rest) = bytes.split_first_chunk().ok_or(BackupError::Foreign)?;
    Ok((*first, rest))
}

/// Unpacks the three files of a backup into `folder`, each synced. They are not valid until this succeeds.
pub(super) fn unpack(backup: &Path, folder: &Path) -> Result<Header, BackupError> {
    let mut source = File::open(backup)?;
    let mut facts = [0; FACTS];
    let mut hash = [0; HASH];
    let whole = source
        .read_exact(&mut facts)
        .and_then(|()| source.read_exact(&mut hash));
    match whole {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(BackupError::Foreign);
        }
        whole => whole?,
    }
    let (header, key) = Header::read(&facts)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&facts);
    let mut ledger = created(&folder.join(LEDGER))?;
    // Reading one byte more than expected detects trailing data.
    let most = header.length.saturating_add(1);
    let copied = transfer(&mut source, &mut ledger, most, &mut hasher)?;
    if copied != header.length || *hasher.finalize().as_bytes() != hash {
        return Err(BackupError::Damaged);
    }
    ledger.sync_all()?;
    private::write_secret(&folder.join(SEAL_KEY), &key)?;
    private::write_secret(&folder.join(identity::FILE), &header.cluster_id)?;
    Ok(header)
}

/// Copies at most `most` bytes and hashes them. Returns the number of bytes copied.
fn transfer(
    from: &mut File,
    to: &mut File,
    most: u64,
    hasher: &mut blake3::Hasher,
) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut copied = 0;
    let mut from = from.take(most);
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(copied);
        }
        hasher.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
        copied += read as u64;
    }
}

fn created(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Creates an unlinked file in `folder`, which disappears when its handle is closed.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(".backup");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = created(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
