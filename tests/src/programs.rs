//! Programs of other projects: those of the system, which `make test-deps` installs, and those that `make programs` builds.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::files::workspace;
use crate::process::text;

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

/// Runs a program until it exits. Returns its output without white space at its ends.
///
/// # Panics
/// If it does not start, fails, or writes no UTF-8.
pub fn output_of(program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> String {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `make test-deps` installs it",
            program.display()
        )
    });
    let shown = program.display();
    assert!(output.status.success(), "{shown}: {}", text(&output));
    let output = String::from_utf8(output.stdout);
    output.expect("the output is text").trim().to_owned()
}
