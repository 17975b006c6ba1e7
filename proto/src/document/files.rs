//! `files`.

use serde_json::{Value as Json, json};

use crate::model::{Files, FolderPath};
use crate::reading::{FromYaml, Reader, keys, parsed_quoting};
use crate::yaml::{Node, Value};

/// `files`: the folder whose files a route serves.
pub(crate) struct ServedFiles(pub(crate) Files);

keys! {
    /// A folder to serve.
    FilesKeys "in files";
    /// The folder, on the machines of the proxies, below one of their `file_roots`.
    folder => WrittenFolder,
    /// Answer paths of pages without a file with the folder's index.html. Default: false.
    spa => bool,
    /// Send NAME.br, NAME.zst or NAME.gz in place of NAME to clients that accept it. Default: false.
    precompressed => bool,
}

impl FromYaml for ServedFiles {
    const EXPECTED: &'static str = "a folder, or a map of folder, spa, precompressed";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let files = |folder: WrittenFolder, spa, precompressed| {
            Self(Files {
                folder: folder.0,
                spa,
                precompressed,
            })
        };
        match node.value() {
            Value::Scalar(_) => {
                WrittenFolder::read(node, reader).map(|folder| files(folder, false, false))
            }
            Value::Mapping(_) => {
                let keys = FilesKeys::read(node, reader)?;
                if node.get("folder").is_none() {
                    reader.fault(node.at(), "`folder` is missing");
                }
                let spa = keys.spa.is_some_and(|spa| spa.value);
                let precompressed = keys.precompressed.is_some_and(|given| given.value);
                Some(files(keys.folder?.value, spa, precompressed))
            }
            Value::Sequence(_) => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [WrittenFolder::schema(), FilesKeys::schema()] })
    }
}

/// An absolute path.
pub(crate) struct WrittenFolder(pub(crate) FolderPath);

impl FromYaml for WrittenFolder {
    const EXPECTED: &'static str = "an absolute path such as /srv/www";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed_quoting(node, reader, Self::EXPECTED, str::parse).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^/" })
    }
}
