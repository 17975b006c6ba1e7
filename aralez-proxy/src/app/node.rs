//! The name of this node.

use std::path::Path;

use anyhow::Context;
use aralez_proto::model::NodeName;
use aralez_runtime::private;

const MAX_NAME: u64 = 256;

/// The name of this node, and whether it was chosen by this start and still has to be stored.
#[derive(Debug)]
pub(super) struct NodeChoice {
    pub(super) name: NodeName,
    new: bool,
}

impl NodeChoice {
    /// Returns `node_id` if it is set, else the stored name, else the host name. The stored name keeps the node's identity when the
    /// machine's host name changes.
    pub(super) fn find(said: Option<&NodeName>, root: &Path) -> anyhow::Result<Self> {
        if let Some(name) = said {
            return Ok(Self {
                name: name.clone(),
                new: false,
            });
        }
        let file = root.join("node_id");
        match private::read_bounded(&file, MAX_NAME) {
            Ok(kept) => {
                let name = String::from_utf8_lossy(&kept).trim().parse();
                let name = name.with_context(|| {
                    format!("{} does not contain a valid node name", file.display())
                })?;
                Ok(Self { name, new: false })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let name = host_name()
                    .context("node_id is not set and cannot be derived from the host name")?;
                Ok(Self { name, new: true })
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Stores the name if this start chose it.
    pub(super) fn keep(&self, root: &Path) -> anyhow::Result<()> {
        if !self.new {
            return Ok(());
        }
        let file = root.join("node_id");
        private::write_atomic(&file, format!("{}\n", self.name).as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

fn host_name() -> anyhow::Result<NodeName> {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .context("cannot read /proc/sys/kernel/hostname")?;
    Ok(text.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_said_wins_and_is_not_kept() {
        let root = tempfile::tempdir().unwrap();
        let said = "edge-1".parse().unwrap();
        let chosen = NodeChoice::find(Some(&said), root.path()).unwrap();
        chosen.keep(root.path()).unwrap();
        assert_eq!(chosen.name, said);
        assert!(!root.path().join("node_id").exists());
    }

    #[test]
    fn a_machine_stays_the_same_node_when_its_host_name_changes() {
        let root = tempfile::tempdir().unwrap();
        let first = NodeChoice::find(None, root.path()).unwrap();
        assert!(!root.path().join("node_id").exists());
        first.keep(root.path()).unwrap();
        private::write_atomic(&root.path().join("node_id"), b"old-name\n").unwrap();
        let again = NodeChoice::find(None, root.path()).unwrap();
        assert_eq!(again.name.as_str(), "old-name");
    }

    #[test]
    fn a_damaged_name_is_told_with_its_file() {
        let root = tempfile::tempdir().unwrap();
        private::write_atomic(&root.path().join("node_id"), b"a b\n").unwrap();
        let error = NodeChoice::find(None, root.path()).unwrap_err();
        assert!(error.to_string().contains("node_id"), "{error}");
    }
}
