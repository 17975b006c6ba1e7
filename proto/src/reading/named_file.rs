//! Values that are the path of a file whose content is used.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::model::RelativePath;
use crate::reading::reader::{Reader, shown};
use crate::reading::shape::{FromYaml, parsed_quoting};
use crate::yaml::Node;

/// A file below the configuration folder that a document names, with its content. Only the content leaves control. `Debug` is not derived,
/// so the content, which may be a credential, is never logged.
#[derive(Clone)]
pub(crate) struct NamedFile {
    /// Its path, as written.
    pub(crate) path: RelativePath,
    /// Its content. Empty inside a key that this release does not enforce: that key is refused, so its files are not read.
    pub(crate) content: Bytes,
}

impl FromYaml for NamedFile {
    const EXPECTED: &'static str =
        "the path of a file below the configuration folder, such as files/404.html";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let path: RelativePath = parsed_quoting(node, reader, Self::EXPECTED, str::parse)?;
        let content = match reader.unenforced {
            true => Ok(Bytes::new()),
            false => reader.named.content(&path),
        };
        match content {
            Ok(content) => Some(Self { path, content }),
            Err(reason) => {
                reader.fault(
                    node.at(),
                    format!("the file `{}` {reason}", shown(path.as_str())),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        let (longest, pattern) = (RelativePath::LONGEST, "^[^/]+(/[^/]+)*$");
        json!({ "type": "string", "maxLength": longest, "pattern": pattern })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::named_files::NamedFiles;
    use crate::reading::NamedPaths;
    use crate::yaml;

    /// Reads a list of paths. Returns what was read, the faults, and the paths that were recorded.
    fn read(text: &str, files: &NamedFiles) -> (Option<Vec<NamedFile>>, Vec<String>, Vec<String>) {
        let tree = yaml::parse(text.as_bytes()).expect("valid YAML");
        let mut reader = Reader::new("upstreams.yaml");
        reader.named = NamedPaths::new(files.clone());
        let read = Vec::<NamedFile>::read(tree.root().expect("a root"), &mut reader);
        let paths: BTreeSet<RelativePath> = std::mem::take(&mut reader.named).into_paths();
        let paths = paths.iter().map(ToString::to_string).collect();
        let faults = reader.finish().0.iter().map(ToString::to_string).collect();
        (read, faults, paths)
    }

    fn files(files: &[(&str, Result<&'static str, &str>)]) -> NamedFiles {
        let file = |(path, found): &(&str, Result<&'static str, &str>)| {
            let found = found.map(Bytes::from).map_err(Into::into);
            (path.parse().expect("a path"), found)
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn a_named_file_is_read_with_its_content() {
        let (read, faults, paths) = read("[a, b/c]\n", &files(&[("a", Ok("1")), ("b/c", Ok("2"))]));
        let read = read.expect("no fault");
        assert_eq!(
            (&*read[0].content, &*read[1].content),
            (&b"1"[..], &b"2"[..])
        );
        assert_eq!(
            (read[1].path.as_str(), paths),
            ("b/c", vec!["a".to_owned(), "b/c".to_owned()])
        );
        assert!(faults.is_empty(), "{faults:?}");
    }

    #[test]
    fn every_file_that_cannot_be_used_is_named_in_its_place_with_the_reason() {
        let found = files(&[("a", Err("is larger than 1 MiB")), ("c", Ok(""))]);
        let (read, faults, paths) = read("[a, b, c, ../d, 7]\n", &found);
        assert!(read.is_none());
        assert_eq!(paths, ["7", "a", "b", "c"]);
        assert_eq!(
            faults[0],
            "upstreams.yaml:1:2: [0]: the file `a` is larger than 1 MiB"
        );
        assert_eq!(
            faults[1],
            "upstreams.yaml:1:5: [1]: the file `b` was not looked for"
        );
        assert!(
            faults[2].starts_with("upstreams.yaml:1:11: [3]: `../d` has a segment `..`; expected"),
            "{}",
            faults[2]
        );
        assert_eq!(faults.len(), 4);
    }

    #[test]
    fn many_files_and_large_files_in_many_places_have_limits() {
        let names: Vec<String> = (0..1_030).map(|number| format!("f{number}")).collect();
        let (_, faults, paths) = read(&format!("[{}]\n", names.join(", ")), &NamedFiles::default());
        assert_eq!((paths.len(), faults.len()), (1_024, 1_000));
        let found = [(
            "a".parse().expect("a path"),
            Ok(Bytes::from(vec![0; 1 << 20])),
        )];
        let text = format!("[{}]\n", ["a"; 66].join(", "));
        let (_, faults, _) = read(&text, &found.into_iter().collect());
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("more than 64 MiB"), "{}", faults[0]);
    }
}
