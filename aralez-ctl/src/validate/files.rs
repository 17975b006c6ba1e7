//! Files that form a set of documents, and their names in faults.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aralez_proto::document::{
    self, Authored, DocumentFaults, DocumentSet, FoundFile, MAX_BYTES, MAX_FILE_BYTES, NamedFiles,
    Surroundings,
};
use aralez_proto::model::RelativePath;
use aralez_runtime::beneath;
use aralez_runtime::withheld::{Withheld, WithheldFile};
use bytes::Bytes;

const FRAGMENTS: &str = "conf.d";
/// Names of a `main.yaml`.
const MAIN_CONFIGS: [&str; 2] = ["main.yaml", "main.yml"];
/// Name of standard input.
const STDIN: &str = "-";

/// A set of documents from disk.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) set: DocumentSet,
    /// The main document as the operator named it.
    pub(crate) main: PathBuf,
    /// Folder to which the names of fragments are relative.
    pub(crate) base: PathBuf,
    /// Whether the operator named a folder, whose documents are all in the set.
    pub(crate) folder: bool,
}

impl Documents {
    /// Reads the documents of a FILE argument: a folder with all of them, a single fragment, or a main document, together with its
    /// fragments if `with_fragments` is set.
    pub(super) fn read(path: &Path, with_fragments: bool) -> Result<Self, String> {
        if is_folder(path) {
            return Self::of_folder(path);
        }
        match fragment_name(path) {
            Some(name) => Ok(Self {
                set: DocumentSet::from_iter([(name, read_document(path)?.into())]),
                main: path.to_owned(),
                base: parent(parent(path)).to_owned(),
                folder: false,
            }),
            None => Self::of_main(path.to_owned(), with_fragments),
        }
    }

    /// Reads the documents of a push, which replace all others: a folder with all of them, or a main document alone.
    pub(crate) fn pushed(path: &Path) -> Result<Self, String> {
        match is_folder(path) {
            true => Self::of_folder(path),
            false => Self::of_main(path.to_owned(), false),
        }
    }

    /// Reads several FILE arguments as one set: folders, main documents and fragments of one configuration folder.
    ///
    /// # Errors
    /// One line with the reason, if a file cannot be read, or if the files are not of one set.
    pub(crate) fn together(paths: &[PathBuf]) -> Result<Self, String> {
        let (first, others) = paths.split_first().ok_or("no file is given")?;
        let mut all = Self::read(first, false)?;
        for path in others {
            all.add(Self::read(path, false)?)?;
        }
        Ok(all)
    }

    fn add(&mut self, other: Self) -> Result<(), String> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if absolute(&self.base) != absolute(&other.base) {
            return Err(format!(
                "{} and {} belong to different configuration folders; give the files of one set",
                shown(&self.main),
                shown(&other.main)
            ));
        }
        let known = self.set.documents();
        let twice = other
            .set
            .documents()
            .keys()
            .find(|name| known.contains_key(*name));
        if let Some(name) = twice {
            return Err(format!("{} is given twice", other.shown(name)));
        }
        if other.set.documents().contains_key(DocumentSet::MAIN) {
            self.main = other.main;
        }
        let documents = known.iter().chain(other.set.documents());
        let documents = documents.map(|(name, text)| (name.clone(), text.clone()));
        self.set = documents.collect();
        Ok(())
    }

    fn of_folder(path: &Path) -> Result<Self, String> {
        let documents = Self::of_main(path.join(DocumentSet::MAIN), true)?;
        Ok(Self {
            folder: true,
            ..documents
        })
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
            folder: false,
        })
    }

    /// Reads the documents with the files that they name, below the folder of the main document, as control does.
    pub(crate) fn authored(&self, surroundings: &Surroundings) -> Result<Authored, DocumentFaults> {
        // Faults name the files as the operator did, also in references to another place.
        let shown = |name: &str| self.shown(name);
        let read = |set: &DocumentSet| document::read_as(set, surroundings, &shown);
        let first = read(&self.set);
        if first.is_complete(self.set.files()) {
            return first.authored;
        }
        let withheld = self.withheld();
        let file = |path: &RelativePath| -> FoundFile {
            let file = beneath::open(&self.base, path);
            let file = file.map_err(|reason| reason.to_string())?;
            withheld.check(&file).map_err(|reason| reason.to_string())?;
            let content = beneath::read_opened(&file, MAX_FILE_BYTES);
            Ok(content.map_err(|reason| reason.to_string())?.into())
        };
        let files = NamedFiles::collect(&first.named, file);
        read(&self.set.clone().with_files(files)).authored
    }

    /// Returns the files that no document may name: the documents, and a `main.yaml` in their folder.
    fn withheld(&self) -> Withheld {
        let mut withheld = Withheld::default();
        for name in MAIN_CONFIGS {
            withheld.add(&self.base.join(name), WithheldFile::MainConfig);
        }
        for name in self.set.documents().keys() {
            withheld.add(Path::new(&self.shown(name)), WithheldFile::Document);
        }
        withheld
    }

    /// Returns a document's name as a path that the operator can open.
    pub(crate) fn shown(&self, name: &str) -> String {
        if name == DocumentSet::MAIN {
            return shown(&self.main);
        }
        self.base.join(name).display().to_string()
    }
}

/// Reports whether a file has the name of a `main.yaml`.
pub(super) fn is_main(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| MAIN_CONFIGS.iter().any(|main| name == *main))
}

fn is_folder(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Formats a path for people.
pub(super) fn shown(path: &Path) -> String {
    match path == Path::new(STDIN) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// Reads a file, a pipe (`/dev/stdin`, `<(…)`) or, for `-`, standard input to the end.
///
/// # Errors
/// One line with the path and the reason; also if there are more than [`MAX_BYTES`].
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let most = MAX_BYTES as u64 + 1;
        let mut text = Vec::new();
        if path == Path::new(STDIN) {
            io::stdin().lock().take(most).read_to_end(&mut text)?;
            return Ok(text);
        }
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        file.take(most).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|error| format!("cannot read {}: {error}", shown(path)))?;
    if text.len() > MAX_BYTES {
        return Err(format!("{}: larger than 64 MiB", shown(path)));
    }
    Ok(text)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

/// Returns `conf.d/NAME` if the file is in a folder `conf.d`.
fn fragment_name(path: &Path) -> Option<String> {
    let folder = parent(path).file_name()?;
    let name = path.file_name()?.to_str()?;
    (folder == FRAGMENTS).then(|| format!("{FRAGMENTS}/{name}"))
}

/// Lists the fragments that belong to a main document, sorted by name. Hidden files belong to editors and are skipped.
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
        let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if yaml && !name.starts_with('.') {
            found.push((format!("{FRAGMENTS}/{name}"), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
