//! Folders whose files are served.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// A folder on the machine of a proxy: an absolute path in its only spelling, without empty segments, `.`, `..` and a trailing slash.
///
/// Whether the folder exists, and where symlinks lead, is found out by the proxy that opens it. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FolderPath(Arc<str>);

/// The reason why a text is not such a path, without the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidFolder {
    /// It does not begin with `/`.
    #[error("is not absolute; expected a folder on the machines of the proxies, such as /srv/www")]
    Relative,
    /// A segment is `..`, which symlinks give more than one meaning.
    #[error("has a segment `..`; expected a path without it, such as /srv/www")]
    Parent,
    /// It contains NUL or another control character.
    #[error("contains the control character U+{0:04X}; expected a path such as /srv/www")]
    Control(u32),
    /// It is longer than file systems support.
    #[error(
        "is longer than {} bytes, or has a segment longer than {} bytes",
        FolderPath::LONGEST,
        FolderPath::LONGEST_SEGMENT
    )]
    TooLong,
}

impl FolderPath {
    /// Maximum length, in bytes.
    pub const LONGEST: usize = 1_024;
    /// Maximum length of a segment, in bytes, as in Linux file systems.
    pub const LONGEST_SEGMENT: usize = 255;

    /// Returns the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path, for the file system.
    pub fn as_path(&self) -> &Path {
        Path::new(&*self.0)
    }

    /// Returns the path of this folder relative to `root`, empty for `root` itself. `None` if this folder is not below it.
    pub fn below(&self, root: &Self) -> Option<&str> {
        if *root.0 == *"/" {
            return Some(&self.0[1..]);
        }
        let rest = self.0.strip_prefix(&*root.0)?;
        match rest.strip_prefix('/') {
            Some(below) => Some(below),
            None => rest.is_empty().then_some(""),
        }
    }
}

impl FromStr for FolderPath {
    type Err = InvalidFolder;

    fn from_str(text: &str) -> Result<Self, InvalidFolder> {
        if text.len() > Self::LONGEST {
            return Err(InvalidFolder::TooLong);
        }
        if let Some(control) = text.chars().find(|char| char.is_control()) {
            return Err(InvalidFolder::Control(control.into()));
        }
        let rest = text.strip_prefix('/').ok_or(InvalidFolder::Relative)?;
        let mut path = String::with_capacity(text.len());
        for segment in rest.split('/') {
            match segment {
                "" | "." => {}
                ".." => return Err(InvalidFolder::Parent),
                long if long.len() > Self::LONGEST_SEGMENT => return Err(InvalidFolder::TooLong),
                segment => {
                    path.push('/');
                    path.push_str(segment);
                }
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        Ok(Self(path.into()))
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The action of a route that serves the files of a folder. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// The folder. The route's path is removed from a request's path, and the rest is looked for in here.
    pub folder: FolderPath,
    /// A path without a file that looks like a page is answered with the folder's `index.html`, for applications that route in the browser.
    pub spa: bool,
    /// A client that accepts it gets the neighbour `NAME.br`, `NAME.zst` or `NAME.gz` of a file.
    pub precompressed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(text: &str) -> FolderPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_folder_has_one_spelling() {
        for text in ["/srv/www", "/srv/www/", "//srv/./www//", "/srv/www/."] {
            assert_eq!(folder(text).as_str(), "/srv/www", "{text}");
        }
        assert_eq!(folder("/").as_str(), "/");
    }

    #[test]
    fn a_folder_that_depends_on_something_else_is_refused() {
        for (text, reason) in [
            ("", InvalidFolder::Relative),
            ("srv/www", InvalidFolder::Relative),
            ("./www", InvalidFolder::Relative),
            ("/srv/../etc", InvalidFolder::Parent),
            ("/srv/www/..", InvalidFolder::Parent),
            ("/srv\0", InvalidFolder::Control(0)),
            ("/srv\n", InvalidFolder::Control(10)),
        ] {
            assert_eq!(text.parse::<FolderPath>(), Err(reason), "{text:?}");
        }
        for long in ["/a".repeat(600), format!("/{}", "a".repeat(256))] {
            assert_eq!(long.parse::<FolderPath>(), Err(InvalidFolder::TooLong));
        }
    }

    #[test]
    fn a_folder_is_below_another_in_whole_segments() {
        for (inner, root, below) in [
            ("/srv/www", "/srv/www", Some("")),
            ("/srv/www/a/b", "/srv/www", Some("a/b")),
            ("/srv/www-old", "/srv/www", None),
            ("/srv", "/srv/www", None),
            ("/srv", "/", Some("srv")),
            ("/", "/", Some("")),
        ] {
            assert_eq!(folder(inner).below(&folder(root)), below, "{inner} {root}");
        }
    }
}
