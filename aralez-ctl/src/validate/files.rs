//! Which files make a set of documents, and how they are called in faults.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aralez_proto::document::{DocumentSet, MAX_BYTES};
use bytes::Bytes;

const FRAGMENTS: &str = "conf.d";

/// A set of documents from disk.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) set: DocumentSet,
    /// The main document as the operator named it.
    main: PathBuf,
    /// What the names of fragments are relative to.
    base: PathBuf,
}

impl Documents {
    /// The documents that a FILE argument means: a folder with all of them, a fragment alone, or a main document, `with_fragments`
    /// beside it or alone.
    pub(super) fn read(path: &Path, with_fragments: bool) -> Result<Self, String> {
        let is_dir = std::fs::metadata(path).is_ok_and(|meta| meta.is_dir());
        if is_dir {
            return Self::of_main(path.join(DocumentSet::MAIN), true);
        }
        match fragment_name(path) {
            Some(name) => Ok(Self {
                set: DocumentSet::from_iter([(name, read_document(path)?.into())]),
                main: path.to_owned(),
                base: parent(parent(path)).to_owned(),
            }),
            None => Self::of_main(path.to_owned(), with_fragments),
        }
    }

    fn of_main(main: PathBuf, with_fragments: bool) -> Result<Self, String> {
        let base = parent(&main).to_owned();
        let text = Bytes::from(read_document(&main)?);
        let mut documents = vec![(DocumentSet::MAIN.to_owned(), text)];
        if with_fragments {
            for (name, path) in fragments(&base)? {
                documents.push((name, read_document(&path)?.into()));
            }
        }
        Ok(Self {
            set: documents.into_iter().collect(),
            main,
            base,
        })
    }

    /// A document's name as a path that the operator can open.
    pub(super) fn shown(&self, name: &str) -> String {
        if name == DocumentSet::MAIN {
            return self.main.display().to_string();
        }
        self.base.join(name).display().to_string()
    }
}

/// Whether a file is a `main.yaml` by its name.
pub(super) fn is_main(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "main.yaml" || name == "main.yml")
}

/// A file's bytes, at most one more than documents may have, so that the reader refuses what is larger.
///
/// # Errors
/// One line with the path and the reason.
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let mut text = Vec::new();
        let most = MAX_BYTES as u64 + 1;
        File::open(path)?.take(most).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if text.len() > MAX_BYTES {
        return Err(format!("{}: more than 64 MiB", path.display()));
    }
    Ok(text)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

/// `conf.d/NAME` where the file lies in a folder of that name.
fn fragment_name(path: &Path) -> Option<String> {
    let folder = parent(path).file_name()?;
    let name = path.file_name()?.to_str()?;
    (folder == FRAGMENTS).then(|| format!("{FRAGMENTS}/{name}"))
}

/// The fragments beside a main document, by name. Hidden files are editors' and do not count.
fn fragments(base: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let folder = base.join(FRAGMENTS);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| format!("cannot read {}: {error}", folder.display()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") && !name.starts_with('.') {
            found.push((format!("{FRAGMENTS}/{name}"), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
