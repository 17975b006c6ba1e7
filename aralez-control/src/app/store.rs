//! `aralez-control store`: what `aralez-ctl store` runs on a state folder that no control uses. Prints one line of JSON.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::StoreVerb;
use crate::ledger;

/// The folder of control below a `state_dir`.
const CONTROL: &str = "control";

/// Checks or restores a ledger.
///
/// # Errors
/// Where it cannot be read or restored. Damage that was found is printed and is no error.
pub(super) fn run(verb: &StoreVerb) -> Result<()> {
    let found = match verb {
        StoreVerb::Check { state_dir } => {
            let checked = ledger::check(&state_dir.join(CONTROL))?;
            serde_json::to_value(checked)
        }
        StoreVerb::Restore {
            file,
            state_dir,
            force,
        } => {
            let restored = ledger::restore(file, &state_dir.join(CONTROL), *force)?;
            serde_json::to_value(restored)
        }
    };
    let found: Value = found.context("cannot say what was found")?;
    writeln!(std::io::stdout(), "{found}").context("cannot write to standard output")
}
