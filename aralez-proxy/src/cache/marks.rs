//! The marks on disk: magic, then `BootMarks`, sealed. The seal proves them, so file modes do not matter.
//!
//! There are two files. One is synced to disk. The other is written before each swap without waiting for the disk: it only has to survive
//! the death of the process. After a machine crash it may be empty, and the synced file is used. Of two valid files, the one with the
//! higher number is newer.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::seal::{SealError, SealKey};
use aralez_proto::wire::storage as wire;
use aralez_runtime::{private, random};
use prost::Message;

use crate::core::sync::snapshot_cache::NotCached;
use crate::core::sync::trial::{Good, Marks, Trial, TrialState};

/// The file that is synced to disk.
pub(super) const FILE: &str = "marks.arz";
/// The file that is written without waiting for the disk.
pub(super) const NOTED: &str = "marks-noted.arz";
const MOST_BYTES: u64 = 64 * 1024;
const MAGIC: &[u8; 8] = b"ARALEZM2";

/// Returns the newest marks in a folder, or empty marks if there are none.
pub(super) fn read(folder: &Path, key: &SealKey, troubles: &mut Vec<String>) -> Marks {
    let safe = read_file(folder, FILE, key, troubles);
    let noted = read_file(folder, NOTED, key, troubles);
    if let Err(Damaged) = safe {
        let instead = match &noted {
            Ok(Some(_)) => "the unsynced copy is used instead",
            _ => "the history of earlier boots is lost",
        };
        troubles.push(format!("{FILE} is damaged; {instead}"));
    }
    // A damaged unsynced file is normal after a machine crash: use the synced one.
    let both = [safe, noted].into_iter().filter_map(Result::ok).flatten();
    both.max_by_key(|marks| marks.written).unwrap_or_default()
}

#[derive(Debug)]
struct Damaged;

fn read_file(
    folder: &Path,
    name: &str,
    key: &SealKey,
    troubles: &mut Vec<String>,
) -> Result<Option<Marks>, Damaged> {
    match private::read_sealed(&folder.join(name), MOST_BYTES) {
        Ok((content, wide)) => {
            troubles.extend(wide.map(|wide| format!("{name}: {wide}")));
            decode(&content, key).map(Some).ok_or(Damaged)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            troubles.push(format!("{name} cannot be read: {error}"));
            Ok(None)
        }
    }
}

/// Writes the marks and waits until they are on disk.
pub(super) fn write(folder: &Path, marks: &Marks, key: &SealKey) -> Result<(), NotCached> {
    write_by(private::write_atomic, &folder.join(FILE), marks, key)
}

/// Writes the marks so that they survive this process. A machine crash may lose them.
pub(super) fn note(folder: &Path, marks: &Marks, key: &SealKey) -> Result<(), NotCached> {
    let path = folder.join(NOTED);
    write_by(private::write_atomic_unsynced, &path, marks, key)
}

fn write_by(
    write: fn(&Path, &[u8]) -> std::io::Result<()>,
    path: &Path,
    marks: &Marks,
    key: &SealKey,
) -> Result<(), NotCached> {
    let not_kept = |error: &dyn std::fmt::Display| {
        NotCached(format!("{} cannot be written: {error}", path.display()))
    };
    let content = encode(marks, key, random::bytes()).map_err(|error| not_kept(&error))?;
    write(path, &content).map_err(|error| not_kept(&error))
}

/// Encodes the marks as the content of a file. `nonce` must be fresh random bytes.
pub(super) fn encode(marks: &Marks, key: &SealKey, nonce: [u8; 24]) -> Result<Vec<u8>, SealError> {
    let bytes = |root: &Digest| root.as_bytes().to_vec().into();
    let good = |good: &Good| wire::GoodContent {
        authored_root: bytes(&good.root),
        served_s: good.served.as_secs(),
        this_boot: good.this_boot,
    };
    let trial = |trial: &Trial| wire::BootTrial {
        authored_root: bytes(&trial.root),
        open: trial.open,
        blame: trial.blame,
        standing: match trial.state {
            TrialState::OnTrial => wire::boot_trial::Standing::OnTrial,
            TrialState::Suspect => wire::boot_trial::Standing::Suspect,
            TrialState::Fatal => wire::boot_trial::Standing::Fatal,
        }
        .into(),
    };
    let message = wire::BootMarks {
        good: marks.good.iter().map(good).collect(),
        trials: marks.trials.iter().map(trial).collect(),
        boot_id: marks.boot_id.clone().into(),
        cluster_id: marks.cluster.clone().into(),
        machine_boot_id: marks.machine.clone(),
        written: marks.written,
    };
    let sealed = key.seal(nonce, MAGIC, &message.encode_to_vec())?;
    Ok([MAGIC.as_slice(), &sealed].concat())
}

/// Decodes the marks of a file. `None` if it is damaged or sealed with another key.
pub(super) fn decode(content: &[u8], key: &SealKey) -> Option<Marks> {
    let sealed = content.strip_prefix(MAGIC)?;
    let message = wire::BootMarks::decode(key.open(MAGIC, sealed).ok()?.as_slice()).ok()?;
    let good = |good: &wire::GoodContent| {
        Some(Good {
            root: Digest::from_slice(&good.authored_root)?,
            served: Duration::from_secs(good.served_s),
            this_boot: good.this_boot,
        })
    };
    let trial = |trial: &wire::BootTrial| {
        Some(Trial {
            root: Digest::from_slice(&trial.authored_root)?,
            blame: trial.blame,
            state: match trial.standing() {
                wire::boot_trial::Standing::Suspect => TrialState::Suspect,
                wire::boot_trial::Standing::Fatal => TrialState::Fatal,
                wire::boot_trial::Standing::OnTrial | wire::boot_trial::Standing::Unspecified => {
                    TrialState::OnTrial
                }
            },
            open: trial.open,
        })
    };
    Some(Marks {
        good: message.good.iter().map(good).collect::<Option<_>>()?,
        trials: message.trials.iter().map(trial).collect::<Option<_>>()?,
        boot_id: message.boot_id.to_vec(),
        machine: message.machine_boot_id,
        cluster: message.cluster_id.to_vec(),
        written: message.written,
    })
}
