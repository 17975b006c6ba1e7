//! Files of the configuration folder whose content no document may use: it would travel to every node, and an error page is sent to anyone.
//!
//! A file is recognised by device and inode, so a hard link or a symlink to it is found out too.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The kind of a file that is withheld; as the reason, in "files/a REASON".
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WithheldFile {
    /// `main.yaml`, whatever its name.
    #[error("is the main configuration file: main.yaml holds the master key; name another file")]
    MainConfig,
    /// `upstreams.yaml`, or a file of `conf.d`.
    #[error("is a document, which may hold credentials; name another file")]
    Document,
}

/// The files that are withheld. A path that does not exist withholds nothing.
#[derive(Clone, Debug, Default)]
pub struct Withheld(HashMap<(u64, u64), WithheldFile>);

impl Withheld {
    /// Adds the file at a path, as it is now.
    pub fn add(&mut self, path: &Path, kind: WithheldFile) {
        if let Ok(meta) = std::fs::metadata(path) {
            self.0.entry(identity(&meta)).or_insert(kind);
        }
    }

    /// Checks that an opened file is none of them.
    ///
    /// # Errors
    /// Which one it is; also if its metadata cannot be read, so that it is not known.
    pub fn check(&self, file: &File) -> Result<(), WithheldFile> {
        let meta = file.metadata().map_err(|_| WithheldFile::MainConfig)?;
        self.0
            .get(&identity(&meta))
            .map_or(Ok(()), |kind| Err(*kind))
    }
}

fn identity(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_withheld_file_is_found_out_under_each_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["main.yaml", "upstreams.yaml", "page"] {
            fs::write(at(name), "same text").unwrap();
        }
        fs::hard_link(at("main.yaml"), at("hard")).unwrap();
        symlink("main.yaml", at("soft")).unwrap();
        let mut withheld = Withheld::default();
        withheld.add(&at("soft"), WithheldFile::MainConfig);
        withheld.add(&at("upstreams.yaml"), WithheldFile::Document);
        withheld.add(&at("none"), WithheldFile::MainConfig);
        let check = |name: &str| withheld.check(&File::open(at(name)).unwrap());
        for name in ["main.yaml", "hard", "soft"] {
            assert_eq!(check(name), Err(WithheldFile::MainConfig), "{name}");
        }
        assert_eq!(check("upstreams.yaml"), Err(WithheldFile::Document));
        assert_eq!(check("page"), Ok(()));
    }
}
