//! Another cluster takes a proxy over that has lost its own: what the cache holds goes on serving until that one says otherwise.

use std::path::Path;

use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::Limits;
use aralez_runtime::{private, random};

use super::file::{self, Header, ReadError};
use super::folder::{Entry, Folder};
use super::{KEY_FILE, marks};
use crate::core::cluster::ClusterId;
use crate::core::memory::NotKept;

/// What became of a folder that accepts another cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accepted {
    /// How many snapshots serve on.
    pub snapshots: usize,
    /// Files that do not, and why.
    pub troubles: Vec<String>,
}

/// Has the proxy of this folder belong to another cluster from its next start on. No proxy may use the folder meanwhile.
///
/// Between its steps the folder belongs to none, so that one that was cut short can be done again and loses nothing.
///
/// # Errors
/// Where the folder has no state, or cannot be written.
pub fn accept_cluster(
    folder: &Path,
    cluster: &ClusterId,
    limits: &Limits,
) -> Result<Accepted, NotKept> {
    let key_file = folder.join(KEY_FILE);
    if !key_file.exists() {
        let nothing =
            "nothing is kept there: a proxy without state takes the first cluster that it meets";
        return Err(NotKept(format!("{}: {nothing}", folder.display())));
    }
    let found = private::load_or_create_key(&key_file);
    let key = found.map_err(|error| NotKept(error.to_string()))?.key;
    belong(folder, &[], &key)?;
    let mut files = Folder::new(folder.to_owned());
    let mut accepted = Accepted::default();
    for entry in files.list(limits, &mut accepted.troubles) {
        match relabelled(&mut files, &entry, cluster, (&key, limits)) {
            Ok(content) => {
                let header = Header {
                    cluster: cluster.as_bytes().to_vec(),
                    ..entry.header
                };
                files.write(header, &content)?;
                accepted.snapshots += 1;
            }
            Err(error) => accepted.troubles.push(format!("{} {error}", entry.name)),
        }
    }
    belong(folder, cluster.as_bytes(), &key)?;
    Ok(accepted)
}

pub(super) fn belong(folder: &Path, cluster: &[u8], key: &SealKey) -> Result<(), NotKept> {
    let mut marks = marks::read(folder, key, &mut Vec::new());
    marks.cluster = cluster.to_vec();
    marks.written += 1;
    marks::write(folder, &marks, key)
}

/// The file of an entry, under the other cluster.
fn relabelled(
    files: &mut Folder,
    entry: &Entry,
    cluster: &ClusterId,
    (key, limits): (&SealKey, &Limits),
) -> Result<Vec<u8>, ReadError> {
    let snapshot = files.read(entry, (key, limits, &[]), &mut Vec::new())?;
    let header = Header {
        cluster: cluster.as_bytes().to_vec(),
        ..entry.header.clone()
    };
    Ok(file::encode(
        &header,
        snapshot.records(),
        key,
        random::bytes(),
    )?)
}
