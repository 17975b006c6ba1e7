//! Tests that prove a promise on a small scale in `make test`, and in full in `make prove`, which keeps their rows.

use std::path::PathBuf;

use super::Row;

/// Reports whether the full scale was requested (`ARALEZ_PROVE=1`).
pub fn proves() -> bool {
    std::env::var_os("ARALEZ_PROVE").is_some()
}

/// Returns `small` in `make test` and `full` in `make prove`.
pub fn amount(small: u64, full: u64) -> u64 {
    if proves() { full } else { small }
}

/// The result of a test.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    /// The measured quantity.
    pub what: &'a str,
    /// The promised value.
    pub goal: &'a str,
    /// The measured value.
    pub measured: &'a str,
    /// True if the promise was kept.
    pub met: bool,
    /// The test target that repeats the measurement.
    pub test: &'a str,
}

impl Kept<'_> {
    /// Prints the row, and in `make prove` keeps it as `target/proof/NAME.md`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn keep(&self, name: &str) {
        let row = Row {
            what: self.what.to_owned(),
            goal: self.goal.to_owned(),
            measured: self.measured.to_owned(),
            met: Some(self.met),
            command: format!(
                "ARALEZ_PROVE=1 cargo test -p aralez-tests --test {}",
                self.test
            ),
        };
        print!("{}", row.line());
        if proves() {
            let path = target().join("proof").join(format!("{name}.md"));
            super::write(&path, &[row]).expect("a row is written");
        }
    }
}

/// Returns cargo's target directory: tests are in `target/PROFILE/deps`.
fn target() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let folder = here.ancestors().nth(3);
    folder.expect("tests lie in target/PROFILE/deps").to_owned()
}
