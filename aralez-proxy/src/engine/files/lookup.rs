//! The file that answers a request.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aralez_decision::Fields;
use aralez_decision::file_name::FileName;
use aralez_proto::model::Files;
use aralez_runtime::beneath::{FoundEntry, OpenFolder, Unusable};
use rustix::io::Errno;

use crate::core::request::files::encodings::{self, Encoding};

/// The file that represents a folder.
const INDEX: &str = "index.html";

/// What a name leads to.
#[derive(Debug)]
pub enum Looked {
    /// A file.
    File(OpenedFile),
    /// A folder, asked for without a slash at the end: the links of its page would lead to the wrong place.
    Slash,
}

/// An open file.
#[derive(Debug)]
pub struct OpenedFile {
    /// The file.
    pub file: File,
    /// Its length, in bytes.
    pub length: u64,
    /// The time of its last change; `None` if the file system has none.
    pub modified: Option<SystemTime>,
    /// Its name below the folder, without the end that a compressed neighbour has.
    pub name: PathBuf,
    /// Its encoding, if it is a compressed neighbour.
    pub encoding: Option<Encoding>,
}

impl OpenedFile {
    fn plain(file: File, metadata: &Metadata, name: &Path) -> Self {
        Self {
            file,
            length: metadata.len(),
            modified: metadata.modified().ok(),
            name: name.to_owned(),
            encoding: None,
        }
    }
}

/// Looks for the file of a request below the folder of its route.
///
/// # Errors
/// The reason why there is none.
pub fn look_up(
    folder: &OpenFolder,
    files: &Files,
    name: &FileName,
    fields: &impl Fields,
) -> Result<Looked, Unusable> {
    let found = match find(folder, name) {
        Err(reason) if files.spa && name.is_page_like() && is_missing(&reason) => {
            page(folder, Path::new(INDEX)).map(Looked::File)
        }
        found => found,
    };
    match found? {
        Looked::File(file) if files.precompressed => {
            Ok(Looked::File(neighbour(folder, file, fields)))
        }
        found => Ok(found),
    }
}

fn find(folder: &OpenFolder, name: &FileName) -> Result<Looked, Unusable> {
    let path = name.as_path();
    if name.is_folder() {
        return page(folder, &path.join(INDEX)).map(Looked::File);
    }
    match folder.find(path)? {
        FoundEntry::File(file, metadata) => {
            Ok(Looked::File(OpenedFile::plain(file, &metadata, path)))
        }
        // A folder without a page is not found at all: whether it exists is nobody's business.
        FoundEntry::Folder => page(folder, &path.join(INDEX)).map(|_| Looked::Slash),
    }
}

/// Opens a file that must not be a folder.
fn page(folder: &OpenFolder, path: &Path) -> Result<OpenedFile, Unusable> {
    match folder.find(path)? {
        FoundEntry::File(file, metadata) => Ok(OpenedFile::plain(file, &metadata, path)),
        FoundEntry::Folder => Err(Unusable::Missing),
    }
}

/// Returns the neighbour of a file that the client likes best, or the file itself.
fn neighbour(folder: &OpenFolder, plain: OpenedFile, fields: &impl Fields) -> OpenedFile {
    for encoding in encodings::accepted(fields) {
        let mut name = plain.name.clone().into_os_string();
        name.push(encoding.suffix());
        if let Ok(FoundEntry::File(file, metadata)) = folder.find(Path::new(&name)) {
            return OpenedFile {
                encoding: Some(encoding),
                ..OpenedFile::plain(file, &metadata, &plain.name)
            };
        }
    }
    plain
}

/// Returns the status that tells a client why it gets no file.
pub fn status_of(reason: &Unusable) -> u16 {
    match reason {
        Unusable::Failed(error) => match error.kind() {
            _ if is_missing(reason) => 404,
            io::ErrorKind::PermissionDenied => 403,
            _ if is_shortage(error) => 503,
            _ => 500,
        },
        // What leads out of the folder, and what is no file, does not exist for clients.
        Unusable::Missing | Unusable::Outside | Unusable::NotRegular(_) | Unusable::TooLarge(_) => {
            404
        }
    }
}

/// Reports whether nothing has the name, be it that nothing could have it.
fn is_missing(reason: &Unusable) -> bool {
    match reason {
        Unusable::Missing => true,
        Unusable::Failed(error) => error.kind() == io::ErrorKind::InvalidFilename,
        _ => false,
    }
}

/// Reports whether the system was out of descriptors or memory, so that the same request may succeed later.
fn is_shortage(error: &io::Error) -> bool {
    let shortage = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| shortage.contains(&errno))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use aralez_decision::Pairs;
    use tempfile::TempDir;

    use super::*;

    fn stage(names: &[&str]) -> (TempDir, OpenFolder) {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let folder = OpenFolder::open(dir.path()).unwrap();
        (dir, folder)
    }

    fn files(spa: bool, precompressed: bool) -> Files {
        Files {
            folder: "/".parse().unwrap(),
            spa,
            precompressed,
        }
    }

    /// The name of the file that a path leads to, `slash`, or the status.
    fn looked(folder: &OpenFolder, files: &Files, path: &str, accepted: &str) -> String {
        let name = FileName::of(path, path.ends_with('/')).unwrap();
        let fields = [("accept-encoding", accepted)];
        match look_up(folder, files, &name, &Pairs(&fields)) {
            Ok(Looked::File(file)) => {
                let encoding = file.encoding.map_or("", Encoding::suffix);
                format!("{}{encoding}", file.name.display())
            }
            Ok(Looked::Slash) => "slash".to_owned(),
            Err(reason) => status_of(&reason).to_string(),
        }
    }

    #[test]
    fn a_folder_is_its_page_and_one_without_a_page_is_not_there() {
        let (_dir, folder) = stage(&["index.html", "docs/index.html", "img/a.png"]);
        for (path, expected) in [
            ("/", "index.html"),
            ("", "slash"),
            ("/docs", "slash"),
            ("/docs/", "docs/index.html"),
            ("/img", "404"),
            ("/img/", "404"),
            ("/img/a.png", "img/a.png"),
            ("/img/a.png/", "404"),
            ("/none", "404"),
            (&format!("/{}", "a".repeat(300)), "404"),
        ] {
            assert_eq!(
                looked(&folder, &files(false, false), path, ""),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn an_application_gets_its_page_for_paths_that_it_routes_itself() {
        let (_dir, folder) = stage(&["index.html", "img/a.png", "docs/index.html"]);
        for (path, expected) in [
            ("/users/7", "index.html"),
            ("/users/", "index.html"),
            ("/img", "index.html"),
            ("/app.js", "404"),
            ("/img/a.png", "img/a.png"),
            ("/img/b.png", "404"),
            ("/docs", "slash"),
        ] {
            assert_eq!(
                looked(&folder, &files(true, false), path, ""),
                expected,
                "{path}"
            );
        }
        let (_dir, empty) = stage(&[]);
        assert_eq!(looked(&empty, &files(true, false), "/users", ""), "404");
    }

    #[test]
    fn a_compressed_neighbour_is_sent_in_place_of_its_file() {
        let (_dir, folder) = stage(&[
            "a.css",
            "a.css.gz",
            "a.css.br",
            "index.html",
            "index.html.gz",
            "b.css.gz",
        ]);
        for (path, accepted, expected) in [
            ("/a.css", "gzip, br", "a.css.br"),
            ("/a.css", "gzip", "a.css.gz"),
            ("/a.css", "zstd", "a.css"),
            ("/a.css", "", "a.css"),
            ("/", "gzip", "index.html.gz"),
            ("/a.css.gz", "gzip", "a.css.gz"),
            ("/b.css", "gzip", "404"),
        ] {
            assert_eq!(
                looked(&folder, &files(false, true), path, accepted),
                expected,
                "{path}"
            );
        }
        assert_eq!(
            looked(&folder, &files(false, false), "/a.css", "gzip"),
            "a.css"
        );
    }
}
