//! Servers of other projects, which `make prove` builds.

use std::path::{Path, PathBuf};

use crate::files::workspace;

/// Returns the path of a server: from `PATH`, or from where `make prove` builds it (`target/servers`).
///
/// # Panics
/// If it is in neither.
pub fn server(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || workspace().join("target"),
        |folder| workspace().join(folder),
    );
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path)
        .chain([target.join("servers")])
        .map(|folder: PathBuf| folder.join(name));
    let is_there = |file: &PathBuf| Path::is_file(file);
    found
        .find(is_there)
        .unwrap_or_else(|| panic!("{name} is missing: `make prove` builds it"))
}
