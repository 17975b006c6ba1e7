//! Route actions that this release does not enforce. They are only checked.

use crate::reading::{keys, scalar_or_map};

scalar_or_map!(
    /// `files`
    Files, "a folder, or a map of folder, spa, precompressed", String, FilesKeys
);

keys! {
    /// A folder to serve.
    FilesKeys "in files";
    @checked {
        /// The folder.
        folder => String,
        /// Answer a miss with index.html.
        spa => bool,
        /// Send NAME.br, NAME.zst and NAME.gz where they exist.
        precompressed => bool,
    }
}
