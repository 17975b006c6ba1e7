//! `store restore`: replaces the contents of control's folder with a backup, while no control runs on it.
//!
//! The backup is unpacked next to the ledger and verified completely before anything is replaced. The folder `restoring` exists while files
//! are replaced; the ledger is moved out of it last. Control does not start in between, so that a half-finished restore is never mistaken
//! for a new history.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aralez_runtime::lock::InstanceLock;
use aralez_runtime::{clock, private};
use serde::Serialize;

use super::backup::{self, BackupError, Header};
use super::interrupted::RESTORING;
use super::{LEDGER, Ledger, OpenError, SEAL_KEY, check, identity, tables};
use crate::core::store::{ClusterId, MAX_GENERATION, Store, StoreError, cluster_text};

/// Folder in which a backup is unpacked and verified.
const UNPACKED: &str = "restoring.tmp";

/// Result of a restore.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Restored {
    /// The cluster, in hexadecimal.
    pub cluster: String,
    /// The generation that begins with the restore.
    pub generation: u64,
    /// The new head: the documents of the backup's head under the next number; 0 if the backup has none.
    pub revision: u64,
    /// The generation of the backup's head.
    pub backup_generation: u64,
    /// The backup's head.
    pub backup_revision: u64,
    /// Time when the backup was made, in milliseconds since 1970.
    pub backup_unix_ms: u64,
    /// Paths of the previous files, which are kept.
    pub kept: Vec<PathBuf>,
}

/// Reason why nothing was restored: one line.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder cannot be used, or a control runs on it.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The backup cannot be restored.
    #[error("{}: {reason}", path.display())]
    Backup {
        /// Path of the backup.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// A restore would replace existing data.
    #[error("{0}; use --force to replace it and keep a renamed copy")]
    Occupied(
        /// The existing file and a description of its data.
        String,
    ),
    /// A step failed.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Path of the failed operation.
        path: PathBuf,
        /// Cause of the failure.
        cause: std::io::Error,
    },
}

/// State of the folder before the restore.
#[derive(Default)]
struct Before {
    generation: u64,
}

/// Restores a backup into `folder` (`state_dir/control`). `force` allows it to replace a ledger that has revisions or belongs to another
/// cluster.
///
/// # Errors
/// [`RestoreError`]; the folder is unchanged, except after [`RestoreError::Io`]: run the restore again to complete it.
pub fn restore(file: &Path, folder: &Path, force: bool) -> Result<Restored, RestoreError> {
    let owner = owner_of(folder);
    private::ensure_dir(folder).map_err(|cause| io(folder, cause))?;
    let _lock = InstanceLock::acquire(folder).map_err(OpenError::of)?;
    let unpacked = folder.join(UNPACKED);
    emptied(&unpacked)?;
    let of_backup = |error: &dyn std::fmt::Display| RestoreError::Backup {
        path: file.to_owned(),
        reason: error.to_string(),
    };
    let unpacking = backup::unpack(file, &unpacked).map_err(|error| match error {
        BackupError::Io(cause) => of_backup(&cause),
        error => of_backup(&error),
    });
    let restored = unpacking.and_then(|header| {
        verify(&unpacked).map_err(|reason| of_backup(&reason))?;
        let before = examine(folder, &header.cluster_id, force)?;
        let restored = begin(&unpacked, &header, &before).map_err(|error| of_backup(&error));
        Ok((header, restored?))
    });
    let (header, (generation, revision)) = match restored {
        Ok(restored) => restored,
        Err(error) => {
            let _ = std::fs::remove_dir_all(&unpacked);
            return Err(error);
        }
    };
    if let Some(owner) = owner {
        let files = [LEDGER, SEAL_KEY, identity::FILE].map(|name| unpacked.join(name));
        let own = [folder.to_owned(), folder.join("lock")];
        for path in files.iter().chain(&own) {
            std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1))
                .map_err(|cause| io(path, cause))?;
        }
    }
    let kept = replace(folder, &unpacked)?;
    Ok(Restored {
        cluster: cluster_text(&header.cluster_id),
        generation,
        revision,
        backup_generation: header.generation,
        backup_revision: header.head,
        backup_unix_ms: header.unix_ms,
        kept,
    })
}

/// Returns the owner of control's files: that of the folder, or of its nearest existing ancestor. If root
/// runs the restore, control must still be able to read the files.
fn owner_of(folder: &Path) -> Option<(u32, u32)> {
    let mut above = folder.ancestors();
    let known = above.find_map(|folder| std::fs::metadata(folder).ok());
    known.map(|meta| (meta.uid(), meta.gid()))
}

/// Verifies that everything in the backup can be read.
fn verify(unpacked: &Path) -> Result<(), String> {
    let checked = check::check(unpacked).map_err(|error| error.to_string())?;
    match checked.damaged.as_slice() {
        [] => Ok(()),
        damaged => Err(damaged.join("; ")),
    }
}

/// Begins the generation of the restore in the unpacked ledger. Returns the generation and the head.
fn begin(unpacked: &Path, header: &Header, before: &Before) -> Result<(u64, u64), String> {
    let mut ledger = Ledger::open(unpacked).map_err(|error| error.to_string())?;
    let now = clock::unix_ms();
    let above = ledger.generation().max(before.generation);
    let generation = above.saturating_add(1).max(now / 1000);
    let message = format!(
        "restored from a backup of generation {}, revision {}",
        header.generation, header.head
    );
    let failed = |error: StoreError| error.to_string();
    ledger.save_ended(None).map_err(failed)?;
    let head = ledger.begin_generation(generation, now, &message);
    let head = head.map_err(failed)?;
    Ok((generation, head.map_or(0, |head| head.revision)))
}

/// Checks what a restore would replace. A ledger that cannot be read counts as one with revisions.
fn examine(folder: &Path, cluster: &ClusterId, force: bool) -> Result<Before, RestoreError> {
    let path = folder.join(LEDGER);
    let occupied =
        |path: &Path, reason: &str| RestoreError::Occupied(format!("{}: {reason}", path.display()));
    match identity::load(folder) {
        Ok(Some(identity)) if identity != *cluster && !force => {
            let path = folder.join(identity::FILE);
            return Err(occupied(&path, "the backup belongs to another cluster"));
        }
        Err(error) if !force => return Err(RestoreError::Occupied(error.to_string())),
        _ => {}
    }
    let length = match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Before::default()),
        meta => meta.map_err(|cause| io(&path, cause))?.len(),
    };
    let database = tables::open(&path);
    let meta = match &database {
        Ok(database) => tables::meta(database),
        Err(reason) => Err(reason.clone()),
    };
    tables::give_up(database.ok());
    match meta {
        Ok(None) => Ok(Before::default()),
        Ok(Some(meta)) if meta.head == 0 || force => Ok(Before {
            // The generation of another cluster is unrelated to what this cluster's nodes hold.
            generation: match meta.cluster_id == *cluster {
                true => meta.generation.min(MAX_GENERATION),
                false => 0,
            },
        }),
        Ok(Some(meta)) => {
            let reason = format!("there is a ledger with {} revisions", meta.head);
            Err(occupied(&path, &reason))
        }
        Err(_) if force || length == 0 => Ok(Before::default()),
        Err(reason) => Err(occupied(&path, &format!("unreadable ledger: {reason}"))),
    }
}

/// Moves the unpacked files into place and keeps the previous ones. Returns the paths of the kept files.
fn replace(folder: &Path, unpacked: &Path) -> Result<Vec<PathBuf>, RestoreError> {
    let restoring = folder.join(RESTORING);
    private::ensure_dir(&restoring).map_err(|cause| io(&restoring, cause))?;
    // The ledger last: its presence marks a restore in progress. Files of an interrupted restore are replaced one by one, so that this
    // holds throughout.
    for name in [SEAL_KEY, identity::FILE, LEDGER] {
        renamed(&unpacked.join(name), &restoring.join(name))?;
    }
    synced(&restoring)?;
    synced(folder)?;
    let mut kept = Vec::new();
    let suffix = clock::unix_ms();
    for name in [LEDGER, SEAL_KEY, identity::FILE] {
        let place = folder.join(name);
        let aside = folder.join(format!("{name}.before-{suffix}"));
        match std::fs::rename(&place, &aside) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => {
                done.map_err(|cause| io(&place, cause))?;
                kept.push(aside);
            }
        }
    }
    for name in [SEAL_KEY, identity::FILE, LEDGER] {
        synced(folder)?;
        renamed(&restoring.join(name), &folder.join(name))?;
    }
    synced(folder)?;
    // Neither folder contains anything needed any more.
    let _ = std::fs::remove_dir_all(&restoring);
    let _ = std::fs::remove_dir_all(unpacked);
    Ok(kept)
}

fn emptied(folder: &Path) -> Result<(), RestoreError> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(io(folder, cause)),
        _ => {}
    }
    private::ensure_dir(folder).map_err(|cause| io(folder, cause))
}

fn renamed(from: &Path, to: &Path) -> Result<(), RestoreError> {
    std::fs::rename(from, to).map_err(|cause| io(from, cause))
}

fn synced(folder: &Path) -> Result<(), RestoreError> {
    let folder_file = File::open(folder).and_then(|folder| folder.sync_all());
    folder_file.map_err(|cause| io(folder, cause))
}

fn io(path: &Path, cause: std::io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        cause,
    }
}
