//! The folders of a node below which routes may serve files.

use std::fmt;
use std::sync::Arc;

use aralez_proto::model::FolderPath;

/// `file_roots` of `main.yaml`. They belong to the node: a document that names another folder is refused by it, so whoever writes documents
/// cannot publish arbitrary files of its machine. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct FileRoots(Arc<[FolderPath]>);

impl FileRoots {
    /// Creates the roots of a node.
    pub fn new(roots: Vec<FolderPath>) -> Self {
        Self(roots.into())
    }

    /// Returns the first root that a folder is below, or is itself. `None` if the node does not serve the folder.
    pub fn root_of(&self, folder: &FolderPath) -> Option<&FolderPath> {
        self.0.iter().find(|root| folder.below(root).is_some())
    }

    /// Iterates over the roots.
    pub fn iter(&self) -> impl Iterator<Item = &FolderPath> {
        self.0.iter()
    }
}

impl fmt::Display for FileRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, root) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{root}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_served_only_below_a_root() {
        let folder = |text: &str| text.parse::<FolderPath>().unwrap();
        let roots = FileRoots::new(vec![folder("/srv/www"), folder("/opt/app")]);
        for (name, root) in [
            ("/srv/www", Some("/srv/www")),
            ("/opt/app/dist", Some("/opt/app")),
            ("/srv", None),
            ("/srv/www2", None),
            ("/etc", None),
        ] {
            let found = roots.root_of(&folder(name)).map(FolderPath::as_str);
            assert_eq!(found, root, "{name}");
        }
        assert_eq!(roots.to_string(), "/srv/www, /opt/app");
        assert_eq!(FileRoots::default().to_string(), "none");
    }
}
