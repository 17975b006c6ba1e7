//! The name of the file that a request asks for, relative to the folder of its route.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::percent;

/// A name as the file system knows it: decoded once, segments joined by `/`, none of which is empty, `.` or `..`. Empty for the folder
/// itself.
///
/// Where symlinks lead is decided by whoever opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileName {
    path: Box<[u8]>,
    folder: bool,
}

impl FileName {
    /// Returns the name that a path without the path of its route asks for. `folder`: the path ends with a slash.
    ///
    /// `None` if no file has such a name: a decoded segment has a slash, a backslash or a control byte, or is a dot segment. A name that
    /// another program on the way would read differently is better not found.
    pub fn of(rest: &str, folder: bool) -> Option<Self> {
        let mut path = Vec::with_capacity(rest.len());
        for segment in rest.split('/').filter(|segment| !segment.is_empty()) {
            if !path.is_empty() {
                path.push(b'/');
            }
            let start = path.len();
            percent::decode(segment, &mut path)?;
            let decoded = &path[start..];
            let forbidden = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'/' | b'\\');
            if matches!(decoded, b"." | b"..") || decoded.iter().any(forbidden) {
                return None;
            }
        }
        Some(Self {
            path: path.into(),
            folder,
        })
    }

    /// Returns the path, for the file system. Empty for the folder itself.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// Reports whether the request asks for a folder, with a slash at the end of its path.
    pub const fn is_folder(&self) -> bool {
        self.folder
    }

    /// Reports whether the last segment has no dot, as in the paths of pages, in contrast to those of scripts and images. A missing script
    /// must stay missing: a page in its place would be an error in the browser that is harder to understand.
    pub fn is_page_like(&self) -> bool {
        let last = self.path.rsplit(|byte| *byte == b'/').next();
        self.folder || last.is_none_or(|last| !last.contains(&b'.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(rest: &str) -> Option<String> {
        let name = FileName::of(rest, rest.ends_with('/'))?;
        Some(name.as_path().to_string_lossy().into_owned())
    }

    #[test]
    fn a_name_is_decoded_once_and_has_no_empty_segments() {
        for (rest, name) in [
            ("", ""),
            ("/", ""),
            ("/a.txt", "a.txt"),
            ("/a//b/", "a/b"),
            ("/a%20b%25", "a b%"),
            ("/%2561", "%61"),
            ("/%C3%BC;v=1", "ü;v=1"),
            ("/...", "..."),
        ] {
            assert_eq!(named(rest).as_deref(), Some(name), "{rest}");
        }
    }

    #[test]
    fn a_name_that_leaves_its_folder_or_reads_in_two_ways_is_no_name() {
        for rest in [
            "/..",
            "/.",
            "/%2e%2e/x",
            "/%2E./x",
            "/a/.%2e/x",
            "/a%2f..%2fx",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a%",
            "/a%4",
            "/a%+1",
        ] {
            assert_eq!(named(rest), None, "{rest}");
        }
    }

    #[test]
    fn a_path_looks_like_a_page_if_its_last_segment_has_no_dot() {
        for (rest, is_page) in [
            ("", true),
            ("/users/7", true),
            ("/v1.2/users", true),
            ("/v1.2/", true),
            ("/app.js", false),
            ("/.env", false),
        ] {
            let name = FileName::of(rest, rest.ends_with('/')).unwrap();
            assert_eq!(name.is_page_like(), is_page, "{rest}");
        }
    }
}
