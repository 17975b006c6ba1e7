//! Moves a proxy whose cluster is lost to another cluster. The cached contents keep serving until that cluster sends its own.

use std::path::Path;

use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::Limits;
use aralez_runtime::random;

use super::file::{self, CachePart, Header, ReadError};
use super::folder::{Entry, Folder};
use super::{existing_key, marks};
use crate::core::sync::cluster::ClusterId;
use crate::core::sync::snapshot_cache::NotCached;

/// The outcome of [`accept_cluster`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AcceptedCluster {
    /// Number of contents that were moved.
    pub snapshots: usize,
    /// Files that could not be moved, with the reasons.
    pub troubles: Vec<String>,
}

/// Moves the state in this folder to another cluster, effective from the proxy's next start. No proxy may use the folder meanwhile.
///
/// Between the steps the folder belongs to no cluster, so an interrupted call loses nothing and can be repeated.
///
/// # Errors
/// [`NotCached`] if the folder has no state, or cannot be written.
pub fn accept_cluster(
    folder: &Path,
    cluster: &ClusterId,
    limits: &Limits,
) -> Result<AcceptedCluster, NotCached> {
    let Some(key) = existing_key(folder)? else {
        let nothing =
            "no state to move: a proxy without state joins the first cluster that it connects to";
        return Err(NotCached(format!("{}: {nothing}", folder.display())));
    };
    belong(folder, &[], &key)?;
    let mut files = Folder::new(folder.to_owned());
    let mut accepted = AcceptedCluster::default();
    files.list(limits, &mut accepted.troubles);
    for entry in files.entries().to_vec() {
        match relabelled(&mut files, &entry, cluster, (&key, limits)) {
            Ok((header, content)) => {
                accepted.snapshots += usize::from(header.part == CachePart::Authored);
                files.write(header, &content)?;
            }
            Err(error) => accepted.troubles.push(format!("{} {error}", entry.name)),
        }
    }
    belong(folder, cluster.as_bytes(), &key)?;
    Ok(accepted)
}

/// Rewrites the marks with another cluster id. Empty: no cluster.
pub(super) fn belong(folder: &Path, cluster: &[u8], key: &SealKey) -> Result<(), NotCached> {
    let mut marks = marks::read(folder, key, &mut Vec::new());
    marks.cluster = cluster.to_vec();
    marks.written += 1;
    marks::write(folder, &marks, key)
}

/// Returns the head and content of an entry's file, encoded for the other cluster.
fn relabelled(
    files: &mut Folder,
    entry: &Entry,
    cluster: &ClusterId,
    (key, limits): (&SealKey, &Limits),
) -> Result<(Header, Vec<u8>), ReadError> {
    let (header, body) = files.read(entry, (key, limits, &[]), &mut Vec::new())?;
    let header = Header {
        cluster: cluster.as_bytes().to_vec(),
        ..header
    };
    let content = file::encode(
        &header,
        body.records.iter(),
        &body.left,
        key,
        random::bytes(),
    )?;
    Ok((header, content))
}
