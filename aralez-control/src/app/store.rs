//! `aralez-control store`: the part of `aralez-ctl store` that works on a state folder which no control uses. Prints one line of JSON.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::args::StoreVerb;
use crate::ledger;

/// Name of control's folder in a `state_dir`.
const CONTROL: &str = "control";

/// Checks or restores a ledger.
///
/// # Errors
/// If the ledger cannot be read or restored. Damage that a check finds is printed and is no error.
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
    let found: Value = found.context("cannot encode the result")?;
    writeln!(std::io::stdout(), "{found}").context("cannot write to standard output")
}
