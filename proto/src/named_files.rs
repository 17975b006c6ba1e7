//! The files that documents name, with their contents.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::RelativePath;

/// Maximum size of a file that a document names, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Maximum size of all files that a set of documents names, in bytes.
pub const MAX_FILES_BYTES: usize = 16 << 20;

/// The content of a file, or the reason why it cannot be used, as in "files/404.html REASON".
pub type FoundFile = Result<Bytes, Arc<str>>;

/// Files that documents name, by path. A path that is not in it was not looked for yet.
///
/// Not printed beyond names and sizes: a file may hold credentials.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct NamedFiles(BTreeMap<RelativePath, FoundFile>);

impl NamedFiles {
    /// Reads each of the files with `read`, as long as their sizes are within [`MAX_FILES_BYTES`].
    pub fn collect(
        paths: &BTreeSet<RelativePath>,
        mut read: impl FnMut(&RelativePath) -> FoundFile,
    ) -> Self {
        let mut room = FileRoom::default();
        let file = |path: &RelativePath| {
            let found = match room.is_exceeded() {
                true => Err(FileRoom::exceeded()),
                false => read(path).and_then(|content| room.take(content)),
            };
            (path.clone(), found)
        };
        paths.iter().map(file).collect()
    }

    /// Returns what was found at a path; `None` if it was not looked for.
    pub fn get(&self, path: &RelativePath) -> Option<&FoundFile> {
        self.0.get(path)
    }

    /// Returns the paths that were looked for.
    pub fn paths(&self) -> impl Iterator<Item = &RelativePath> {
        self.0.keys()
    }

    /// Returns the files that can be used, with their contents.
    pub fn contents(&self) -> impl Iterator<Item = (&RelativePath, &Bytes)> {
        let files = self.0.iter();
        files.filter_map(|(path, found)| Some((path, found.as_ref().ok()?)))
    }

    /// Returns the files at some of the paths.
    #[must_use]
    pub fn only(&self, paths: &BTreeSet<RelativePath>) -> Self {
        let files = self.0.iter().filter(|(path, _)| paths.contains(*path));
        files
            .map(|(path, found)| (path.clone(), found.clone()))
            .collect()
    }

    /// Returns these files and those of another set, which win.
    #[must_use]
    pub fn merged(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Reports whether no file was looked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for NamedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |found: &FoundFile| match found {
            Ok(content) => format!("{} bytes", content.len()),
            Err(reason) => reason.to_string(),
        };
        let files = self.0.iter();
        f.debug_map()
            .entries(files.map(|(path, found)| (path.as_str(), size(found))))
            .finish()
    }
}

impl FromIterator<(RelativePath, FoundFile)> for NamedFiles {
    fn from_iter<I: IntoIterator<Item = (RelativePath, FoundFile)>>(files: I) -> Self {
        Self(files.into_iter().collect())
    }
}

/// The room that is left for files which documents name.
#[derive(Debug, Default)]
pub struct FileRoom {
    used: usize,
}

impl FileRoom {
    /// Returns the content if there is room for it.
    ///
    /// # Errors
    /// The reason why it is not used.
    pub fn take(&mut self, content: Bytes) -> FoundFile {
        self.used += content.len();
        match self.is_exceeded() {
            true => Err(Self::exceeded()),
            false => Ok(content),
        }
    }

    /// Reports whether the files read so far leave no room, so that reading more is pointless.
    pub const fn is_exceeded(&self) -> bool {
        self.used > MAX_FILES_BYTES
    }

    /// Returns the reason for which a file without room is not used.
    pub fn exceeded() -> Arc<str> {
        "is not read: the files that the documents name have more than 16 MiB together".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> BTreeSet<RelativePath> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn files_are_read_until_they_have_more_than_16_mib_together() {
        let names: Vec<String> = (0..100).map(|number| format!("{number:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut read = 0;
        let files = NamedFiles::collect(&paths(&names), |_| {
            read += 1;
            Ok(Bytes::from(vec![0; MAX_FILE_BYTES]))
        });
        assert_eq!((read, files.contents().count()), (17, 16));
        let reason = files.get(&"099".parse().unwrap()).unwrap().clone();
        assert_eq!(reason.unwrap_err(), FileRoom::exceeded());
    }

    #[test]
    fn of_two_sets_the_later_wins_and_a_part_is_by_path() {
        let file = |name: &str, found: FoundFile| (name.parse::<RelativePath>().unwrap(), found);
        let before: NamedFiles = [file("a", Ok("1".into())), file("b", Ok("1".into()))]
            .into_iter()
            .collect();
        let after: NamedFiles = [file("b", Err("is gone".into())), file("c", Ok("2".into()))]
            .into_iter()
            .collect();
        let both = before.merged(after);
        let names: Vec<&str> = both.contents().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        let some = both.only(&paths(&["b", "c", "d"]));
        assert_eq!(
            some.paths().map(RelativePath::as_str).collect::<Vec<_>>(),
            ["b", "c"]
        );
    }
}
