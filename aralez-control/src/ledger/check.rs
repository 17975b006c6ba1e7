//! `store check`: reads everything in a ledger and reports damage. It creates nothing.

use std::ops::RangeInclusive;
use std::path::Path;

use aralez_proto::seal::SealKey;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::private;
use redb::Database;
use serde::Serialize;

use super::entry::SealedEntry;
use super::meta::Meta;
use super::{LEDGER, OpenError, SEAL_KEY, identity, interrupted, operational, tables};
use crate::core::store::cluster_text;

/// Contents of a ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
    /// The cluster, in hexadecimal.
    pub cluster: String,
    /// Current generation.
    pub generation: u64,
    /// The newest revision; 0 if there is none.
    pub revision: u64,
    /// Number of intact revisions.
    pub whole: u64,
    /// Damage found, one line each. Empty if none.
    pub damaged: Vec<String>,
    /// Missing files that control recreates.
    pub notes: Vec<String>,
}

/// Reads every revision of the ledger in `folder`, and verifies its seal and its hash.
///
/// # Errors
/// If there is no ledger, a control runs on the folder, or even the index of revisions cannot be read.
pub fn check(folder: &Path) -> Result<Checked, OpenError> {
    let path = folder.join(LEDGER);
    if !path.exists() {
        return Err(OpenError(format!("{}: there is no ledger", path.display())));
    }
    let _lock = InstanceLock::acquire(folder).map_err(OpenError::of)?;
    interrupted::refuse(folder).map_err(OpenError::of)?;
    let key_path = folder.join(SEAL_KEY);
    if !key_path.exists() {
        return Err(OpenError(format!(
            "{}: the key is missing; no revision can be decrypted without it",
            key_path.display()
        )));
    }
    let key = private::load_or_create_key(&key_path)
        .map_err(OpenError::of)?
        .key;
    let named = |reason: String| OpenError(format!("{}: {reason}", path.display()));
    let database = tables::open(&path).map_err(named)?;
    let read = tables::meta(&database)
        .and_then(|meta| meta.ok_or_else(|| "the ledger is empty".to_owned()))
        .and_then(|meta| all(folder, &database, &key, &meta));
    if read.is_err() {
        tables::give_up(Some(database));
    }
    read.map_err(named)
}

fn all(folder: &Path, database: &Database, key: &SealKey, meta: &Meta) -> Result<Checked, String> {
    let mut checked = Checked {
        cluster: cluster_text(&meta.cluster_id),
        generation: meta.generation,
        revision: meta.head,
        whole: 0,
        damaged: Vec::new(),
        notes: Vec::new(),
    };
    match identity::load(folder) {
        Ok(Some(identity)) if identity == meta.cluster_id => {}
        Ok(Some(identity)) => {
            let differs = identity::differs(folder, &identity, &meta.cluster_id);
            checked.damaged.push(differs.to_string());
        }
        Ok(None) => {
            let note = "cluster.key is missing: control recreates it from the ledger";
            checked.notes.push(note.to_owned());
        }
        Err(error) => checked.damaged.push(error.to_string()),
    }
    let operational = tables::guarded(|| operational::read(database, key));
    checked.damaged.extend(operational.err());
    let newest = tables::guarded(|| tables::newest(database).map_err(|error| error.to_string()))?;
    if newest != meta.head {
        let head = meta.head;
        let reason = format!(
            "meta names revision {head} as the head, but the newest stored revision is {newest}"
        );
        checked.damaged.push(reason);
    }
    // Generations rise with revisions; the last one is that of the ledger.
    let mut generations = 0..=meta.generation;
    for revision in 1..=newest.max(meta.head) {
        match one(database, key, revision, &generations) {
            Ok(generation) => {
                generations = generation..=meta.generation;
                checked.whole += 1;
            }
            Err(reason) => checked.damaged.push(reason),
        }
    }
    Ok(checked)
}

/// Verifies a revision and returns its generation.
fn one(
    database: &Database,
    key: &SealKey,
    revision: u64,
    generations: &RangeInclusive<u64>,
) -> Result<u64, String> {
    let read = || {
        let bytes =
            tables::revision(database, revision).map_err(|error| format!("cannot read: {error}"));
        let bytes = bytes?.ok_or_else(|| "missing".to_owned())?;
        let entry = SealedEntry::decode(revision, &bytes).map_err(|error| error.to_string())?;
        entry.documents(key).map_err(|error| error.to_string())?;
        match entry.info.generation {
            generation if generations.contains(&generation) => Ok(generation),
            generation => Err(format!("generation {generation} is out of order")),
        }
    };
    tables::guarded(read).map_err(|reason| {
        let named = reason.starts_with("revision ");
        if named {
            reason
        } else {
            format!("revision {revision}: {reason}")
        }
    })
}
