//! What a test proves in small in `make test` and in full in `make prove`, where its row is kept.

use std::path::PathBuf;

use super::Row;

/// Whether the long form was asked for (`ARALEZ_PROVE=1`).
pub fn proves() -> bool {
    std::env::var_os("ARALEZ_PROVE").is_some()
}

/// One of two numbers: the small one in `make test`, the full one in `make prove`.
pub fn amount(small: u64, full: u64) -> u64 {
    if proves() { full } else { small }
}

/// What a test came to.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    /// What was measured.
    pub what: &'a str,
    /// What it should be.
    pub goal: &'a str,
    /// What it is.
    pub measured: &'a str,
    /// Whether that is good enough.
    pub met: bool,
    /// The test target that shows it again.
    pub test: &'a str,
}

impl Kept<'_> {
    /// Prints the row; in the long form keeps it as `target/proof/NAME.md`.
    ///
    /// # Panics
    /// When it cannot be written.
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

/// Cargo's target folder: tests lie in `target/PROFILE/deps`.
fn target() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let folder = here.ancestors().nth(3);
    folder.expect("tests lie in target/PROFILE/deps").to_owned()
}
