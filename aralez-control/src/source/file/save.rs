//! Writes the main document for `?save`, and reads the configuration folder for `sources take` and pushes.

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aralez_proto::document::{DocumentFault, DocumentSet, FoundFile, NamedFiles};
use aralez_proto::model::RelativePath;
use aralez_runtime::beneath::Unusable;

use super::look::{FileScanner, parent_of};
use super::main_config::MainConfigFile;
use super::openers;
use super::settle::{Found, fault};
use super::writers::WriteEvents;
use crate::core::store::{FilesOnDisk, MainFile};

/// The main document at `upstreams_conf`, and the files that belong to it.
#[derive(Clone, Debug)]
pub struct MainDocument {
    path: PathBuf,
    writers: WriteEvents,
    main_config: MainConfigFile,
}

impl MainDocument {
    /// Creates the document at this path; `writers` supplies the write events of it and of the files next to it.
    pub fn new(path: PathBuf, writers: WriteEvents) -> Self {
        Self {
            path,
            writers,
            main_config: MainConfigFile::default(),
        }
    }

    /// Withholds `main.yaml` from documents.
    #[must_use]
    pub fn withholding(self, main_config: MainConfigFile) -> Self {
        Self {
            main_config,
            ..self
        }
    }
}

impl MainFile for MainDocument {
    fn save(&self, text: &[u8]) -> Result<(), String> {
        replace(&self.path, text).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    fn text(&self) -> Option<Vec<u8>> {
        std::fs::read(&self.path).ok()
    }
}

impl FilesOnDisk for MainDocument {
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>> {
        let mut looker = FileScanner::new(&self.path, self.writers.clone());
        let look = looker.scan();
        let openers = openers::of(&looker.names());
        let mut faults = Vec::new();
        let mut documents = Vec::new();
        if let Some(reason) = &look.conf_d_trouble {
            faults.push(fault("conf.d", &format!("cannot be read: {reason}")));
        }
        let main = (DocumentSet::MAIN.to_owned(), look.main);
        for (name, found) in std::iter::once(main).chain(look.conf_d) {
            let reason = match found {
                Found::Text(seen) => match openers.get(&seen.file) {
                    None => {
                        documents.push((name, seen.text));
                        continue;
                    }
                    Some(opener) => format!("{opener} has it open for writing"),
                },
                Found::Writing(_) => "a process has it open for writing".to_owned(),
                Found::Trouble(reason) => format!("cannot be read: {reason}"),
                Found::Missing if name == DocumentSet::MAIN => "is missing".to_owned(),
                Found::Missing => continue,
            };
            faults.push(fault(&name, &reason));
        }
        match faults.is_empty() {
            true => Ok(documents.into_iter().collect()),
            false => Err(faults),
        }
    }

    fn named(&self, paths: &BTreeSet<RelativePath>) -> NamedFiles {
        let mut looker = FileScanner::new(&self.path, self.writers.clone());
        looker.withhold(self.main_config.clone());
        looker.want(Arc::new(paths.clone()));
        let look = looker.scan();
        let openers = openers::of(&looker.names());
        let file = |found: Found| -> FoundFile {
            match found {
                Found::Text(seen) => match openers.get(&seen.file) {
                    None => Ok(seen.text),
                    Some(opener) => {
                        Err(format!("is not read: {opener} has it open for writing").into())
                    }
                },
                Found::Writing(_) => Err("is not read: a process has it open for writing".into()),
                Found::Trouble(reason) => Err(reason.into()),
                Found::Missing => Err(Unusable::Missing.to_string().into()),
            }
        };
        let named = look.named.into_iter();
        named.map(|(path, found)| (path, file(found))).collect()
    }
}

/// Replaces the text atomically, through symlinks, so that a symlink stays one. Mode and owner are preserved; a new file is readable only
/// by its owner, since it may contain secrets.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let path = match std::fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        path => path?,
    };
    let before = match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        meta => Some(meta?),
    };
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path has no file name"))?;
    let folder = parent_of(&path);
    let temporary = folder.join(format!(".{}.saving", name.to_string_lossy()));
    let written = write_new(&temporary, text, before.as_ref())
        .and_then(|()| std::fs::rename(&temporary, &path));
    if let Err(error) = written {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, text: &[u8], before: Option<&Metadata>) -> io::Result<()> {
    // Removes a leftover of a crash.
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    if let Some(before) = before {
        // Only root may change the owner; for others it is the same or cannot be preserved.
        let _ = fchown(&file, Some(before.uid()), Some(before.gid()));
        file.set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
    }
    file.sync_all()
}
