//! What `make prove` measured, as rows of one table: a file for each proof in `target/proof`.

use std::path::PathBuf;

/// Whether the long form was asked for (`ARALEZ_PROVE=1`).
pub fn proves() -> bool {
    std::env::var_os("ARALEZ_PROVE").is_some()
}

/// One of two numbers: the small one in `make test`, the full one in `make prove`.
pub fn amount(small: u64, full: u64) -> u64 {
    if proves() { full } else { small }
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Row<'a> {
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

impl Row<'_> {
    /// Prints the row; in the long form keeps it as `target/proof/NAME.md`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn keep(&self, name: &str) {
        let met = if self.met { "yes" } else { "no" };
        let command = format!(
            "ARALEZ_PROVE=1 cargo test -p aralez-tests --test {}",
            self.test
        );
        let Self {
            what,
            goal,
            measured,
            ..
        } = self;
        let line = format!("| {what} | {goal} | {measured} | {met} | `{command}` |\n");
        print!("{line}");
        if !proves() {
            return;
        }
        let folder = target().join("proof");
        std::fs::create_dir_all(&folder).expect("a folder of the target can be made");
        std::fs::write(folder.join(format!("{name}.md")), line).expect("a row is written");
    }
}

/// Cargo's target folder: tests lie in `target/PROFILE/deps`.
fn target() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let folder = here.ancestors().nth(3);
    folder.expect("tests lie in target/PROFILE/deps").to_owned()
}
