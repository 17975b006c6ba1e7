//! The checkpoint of discovered endpoints: one sealed file in control's folder.
//!
//! It is replaced atomically, so a crash leaves either the previous file or the new one. A file that is damaged, belongs to another cluster
//! or is sealed with another key is set aside, and control starts without it: the sources find everything again.

mod format;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;
use aralez_runtime::{private, random};
use tracing::{info, warn};

use crate::core::checkpoint::Checkpoint;
use crate::core::layers::Discovered;
use crate::core::store::ClusterId;

/// File name in control's folder.
const FILE: &str = "discovered.arz";
/// Maximum size of a file that is read, in bytes: some million endpoints.
const MAX_BYTES: u64 = 256 << 20;

/// The checkpoint file.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    key: SealKey,
    cluster: ClusterId,
}

impl CheckpointFile {
    /// Returns the checkpoint of a cluster in `folder`, sealed with the key of its ledger. Control must hold the folder's lock.
    pub fn new(folder: &Path, key: SealKey, cluster: ClusterId) -> Self {
        Self {
            path: folder.join(FILE),
            key,
            cluster,
        }
    }

    fn set_aside(&self, why: &format::Unreadable) {
        let aside = self.path.with_extension("arz.corrupt");
        let file = self.path.display();
        match std::fs::rename(&self.path, &aside) {
            Ok(()) => warn!(
                "{file}: {why}; set aside as {}, sources will find the endpoints again",
                aside.display()
            ),
            Err(error) => warn!("{file}: {why}; cannot be set aside: {error}"),
        }
    }
}

impl Checkpoint for CheckpointFile {
    fn read(&mut self) -> Discovered {
        let file = self.path.display();
        let sealed = match private::read_sealed(&self.path, MAX_BYTES) {
            Ok((sealed, wide)) => {
                wide.iter().for_each(|wide| warn!("{file}: {wide}"));
                sealed
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Discovered::default(),
            Err(error) => {
                warn!("{file}: {error}; sources will find the endpoints again");
                return Discovered::default();
            }
        };
        match format::decode(&sealed, &self.key, &self.cluster) {
            Ok(discovered) => {
                let pools = discovered.pools().count();
                info!(pools, "restored the discovered endpoints");
                discovered
            }
            Err(why) => {
                self.set_aside(&why);
                Discovered::default()
            }
        }
    }

    fn write(&mut self, discovered: &Discovered) -> Result<(), String> {
        let named = |reason: String| format!("{}: {reason}", self.path.display());
        let sealed = format::encode(discovered, &self.key, &self.cluster, random::bytes());
        let sealed = sealed.map_err(|error| named(error.to_string()))?;
        private::write_atomic(&self.path, &sealed).map_err(|error| named(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::model::{Endpoint, PoolName};

    use super::*;

    fn found() -> Discovered {
        let mut discovered = Discovered::default();
        let pool: PoolName = "a.example/".parse().unwrap();
        let endpoint = Endpoint::new("10.0.0.9:80".parse().unwrap());
        discovered.answered(&pool, vec![endpoint]);
        discovered
    }

    fn file(folder: &Path, key: u8, cluster: u8) -> CheckpointFile {
        CheckpointFile::new(folder, SealKey::from_bytes([key; 32]), [cluster; 16])
    }

    #[test]
    fn what_was_written_is_read_after_a_restart_and_only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(file(dir.path(), 7, 1).read(), Discovered::default());
        file(dir.path(), 7, 1).write(&found()).unwrap();
        assert_eq!(file(dir.path(), 7, 1).read(), found());
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_damaged_or_of_another_cluster_or_key_is_set_aside_and_the_next_is_written() {
        let damages = [
            ("another key", 8, 1, 0, 0),
            ("another cluster", 7, 2, 0, 0),
            ("a bit", 7, 1, 1, 0),
            ("the end of it", 7, 1, 0, 20),
        ];
        for (what, key, cluster, flipped, cut) in damages {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(FILE);
            file(dir.path(), 7, 1).write(&found()).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[60] ^= flipped;
            bytes.truncate(bytes.len() - cut);
            std::fs::write(&path, &bytes).unwrap();
            let mut file = file(dir.path(), key, cluster);
            assert_eq!(file.read(), Discovered::default(), "{what}");
            let aside = dir.path().join("discovered.arz.corrupt");
            assert_eq!(std::fs::read(aside).unwrap(), bytes, "{what}");
            assert!(!path.exists(), "{what}");
            file.write(&found()).unwrap();
            assert_eq!(file.read(), found(), "{what}");
        }
    }

    #[test]
    fn a_checkpoint_that_cannot_be_written_says_where_and_why() {
        let mut file = file(Path::new("/nowhere/at/all"), 7, 1);
        let error = file.write(&Discovered::default()).unwrap_err();
        assert!(
            error.starts_with("/nowhere/at/all/discovered.arz: "),
            "{error}"
        );
        assert_eq!(file.read(), Discovered::default(), "and is none");
    }
}
