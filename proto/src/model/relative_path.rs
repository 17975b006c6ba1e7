//! Paths of files that documents name.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// The path of a file that a document names, relative to the configuration folder (the folder of `upstreams.yaml`): `files/404.html`.
///
/// There is one spelling per path: segments that are neither empty nor `.` nor `..`, joined by `/`. It is never the name of a document. Whether a
/// symlink leads out of the folder is decided by whoever opens the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RelativePath(Box<str>);

/// The reason why a text is not such a path, without the text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRelativePath {
    /// The text is empty.
    #[error("is empty; expected a path below the configuration folder, such as files/404.html")]
    Empty,
    /// The path begins with `/`.
    #[error(
        "is absolute; expected a path below the configuration folder (the folder of upstreams.yaml), such as files/404.html"
    )]
    Absolute,
    /// A segment is `..`.
    #[error(
        "has a segment `..`; expected a path below the configuration folder (the folder of upstreams.yaml), such as files/404.html"
    )]
    Parent,
    /// A segment is empty or `.`.
    #[error("has a segment that is empty or `.` (did you mean `{0}`?)")]
    Segment(String),
    /// It contains NUL or another control character.
    #[error("contains the control character U+{0:04X}; expected a path such as files/404.html")]
    Control(u32),
    /// It is longer than file systems support.
    #[error(
        "is longer than {} bytes, or has a segment longer than {} bytes",
        RelativePath::LONGEST,
        RelativePath::LONGEST_SEGMENT
    )]
    TooLong,
    /// It is the name of a document.
    #[error(
        "is a document; expected another file of the configuration folder, such as files/404.html"
    )]
    Document,
}

impl RelativePath {
    /// Maximum length, in bytes.
    pub const LONGEST: usize = 1_024;
    /// Maximum length of a segment, in bytes, as in Linux file systems.
    pub const LONGEST_SEGMENT: usize = 255;

    /// Returns the path.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RelativePath {
    type Err = InvalidRelativePath;

    fn from_str(text: &str) -> Result<Self, InvalidRelativePath> {
        if text.is_empty() {
            return Err(InvalidRelativePath::Empty);
        }
        if text.len() > Self::LONGEST {
            return Err(InvalidRelativePath::TooLong);
        }
        if let Some(control) = text.chars().find(|char| char.is_control()) {
            return Err(InvalidRelativePath::Control(control.into()));
        }
        if text.starts_with('/') {
            return Err(InvalidRelativePath::Absolute);
        }
        let segments = || text.split('/');
        if segments().any(|segment| segment == "..") {
            return Err(InvalidRelativePath::Parent);
        }
        if segments().any(|segment| segment.len() > Self::LONGEST_SEGMENT) {
            return Err(InvalidRelativePath::TooLong);
        }
        let named = |segment: &&str| !segment.is_empty() && *segment != ".";
        if !segments().all(|segment| named(&segment)) {
            let meant: Vec<&str> = segments().filter(named).collect();
            return Err(match meant.is_empty() {
                true => InvalidRelativePath::Empty,
                false => InvalidRelativePath::Segment(meant.join("/")),
            });
        }
        match is_document(text) {
            true => Err(InvalidRelativePath::Document),
            false => Ok(Self(text.into())),
        }
    }
}

/// Reports whether a path is `upstreams.yaml` or one that `conf.d/*.yaml` covers. Documents may contain secrets, so no rule sends them anywhere.
fn is_document(path: &str) -> bool {
    let fragment = path.strip_prefix("conf.d/");
    let yaml = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    path == "upstreams.yaml" || fragment.is_some_and(|name| yaml(name) && !name.contains('/'))
}

impl Borrow<str> for RelativePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let path = text.parse::<RelativePath>();
        path.expect_err(text).to_string()
    }

    #[test]
    fn a_path_below_the_folder_is_taken_as_it_is_written() {
        for path in [
            "404.html",
            "files/404.html",
            "..data/.htpasswd",
            "conf.d/404.html",
            "a b/ü",
        ] {
            assert_eq!(path.parse::<RelativePath>().unwrap().as_str(), path);
        }
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        assert!(refused("/etc/passwd").starts_with("is absolute"));
        for path in ["..", "../../etc/passwd", "files/../../x", "files/.."] {
            assert!(refused(path).starts_with("has a segment `..`"), "{path}");
        }
    }

    #[test]
    fn a_path_has_one_spelling() {
        for path in ["./files/a", "files//a", "files/./a", "files/a/"] {
            assert!(
                refused(path).ends_with("(did you mean `files/a`?)"),
                "{path}"
            );
        }
        assert!(refused("").starts_with("is empty"));
        assert!(refused("./.").starts_with("is empty"));
    }

    #[test]
    fn what_no_file_system_holds_and_what_a_log_would_garble_is_refused() {
        assert!(refused("a\0b").contains("U+0000"));
        assert!(refused("a\nb").contains("U+000A"));
        assert!(refused(&"a".repeat(256)).contains("longer than 1024 bytes"));
        assert!(refused(&"a/".repeat(1_024)).contains("longer than 1024 bytes"));
    }

    #[test]
    fn a_document_is_no_file_that_documents_name() {
        for path in ["upstreams.yaml", "conf.d/a.yaml", "conf.d/.a.yml"] {
            assert!(refused(path).starts_with("is a document"), "{path}");
        }
    }
}
