//! The pseudonym of this node, stored in its state folder.

use std::io::ErrorKind;
use std::path::Path;

use aralez_runtime::{private, random};
use tracing::warn;

use aralez_decision::pseudonym::Pseudonym;

const FILE: &str = "pseudonym";
const MAX: u64 = 256;

/// Returns the stored pseudonym, or generates and stores a new one. Never fails: if it cannot be stored, the node gets another pseudonym at
/// its next start, and loop detection works regardless.
pub(super) fn load(state_dir: &Path) -> Pseudonym {
    let file = state_dir.join(FILE);
    match private::read_bounded(&file, MAX) {
        Ok(kept) => match Pseudonym::read(String::from_utf8_lossy(&kept).trim_end()) {
            Some(pseudonym) => return pseudonym,
            None => warn!(file = %file.display(), "pseudonym file invalid: generating a new one"),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            warn!(file = %file.display(), %error, "cannot read pseudonym file: generating a new one");
        }
    }
    let drawn = drawn();
    if let Err(error) = private::write_atomic(&file, format!("{drawn}\n").as_bytes()) {
        warn!(file = %file.display(), %error, "cannot write pseudonym file: the pseudonym will change at the next start");
    }
    drawn
}

/// Returns a new pseudonym, which is not stored.
pub(super) fn drawn() -> Pseudonym {
    Pseudonym::new(random::bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_pseudonym_and_draws_a_new_one_for_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = load(folder.path());
        assert_eq!(load(folder.path()), first);
        private::write_atomic(&folder.path().join(FILE), b"host-name\n").unwrap();
        let second = load(folder.path());
        assert_ne!(second, first);
        assert_eq!(load(folder.path()), second);
    }

    #[test]
    fn two_nodes_have_two_pseudonyms() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [a, b] = folders.each_ref().map(|folder| load(folder.path()));
        assert_ne!(a, b);
    }
}
