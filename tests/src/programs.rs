//! Programs of other projects, which `make programs` builds.

use std::path::PathBuf;

use crate::files::workspace;

/// Returns the path of a program: from where `make programs` builds it (`target/programs`), or else from `PATH`.
///
/// # Panics
/// If it is in neither.
pub fn program(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::iter::once(workspace().join(target).join("programs"))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name));
    found
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: `make programs` builds it"))
}
