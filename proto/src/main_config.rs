//! `main.yaml`: the static configuration of the daemons, one flat map that both may share.
//!
//! Text is parsed into typed values or faults. Unset keys have the defaults declared with them. Paths stay as written: relative paths are
//! relative to the working directory, as in the single-process Aralez.

use crate::main_config::keys::{MainKeys, OWNERS};
use crate::place::{DocumentFault, DocumentFaults};
use crate::reading::{FromYaml, Reader, report};
use crate::yaml::Spot;

mod changed_keys;
mod checks;
mod failure_rate;
mod into_setting;
mod keys;
mod owner;
mod secret;
mod values;

#[cfg(test)]
mod tests;

pub use crate::reading::{OneOrMany, duration};
pub use changed_keys::{ChangedKey, changes};
pub use failure_rate::FailureRate;
pub use keys::MainConfig;
pub use owner::Owner;
pub use secret::Secret;
pub use values::{ControlAddress, LogLevel};

/// The beginning of a file.
const FIRST: Spot = Spot { line: 1, column: 1 };

/// Reads a `main.yaml`. `file` is its name in faults. An empty text is an empty configuration.
///
/// # Errors
/// All faults together: unknown keys with the nearest known one, wrong types, bad addresses.
pub fn read(file: &str, text: &[u8]) -> Result<MainConfig, DocumentFaults> {
    let tree = crate::yaml::parse(text).map_err(|unreadable| {
        let mut reader = Reader::new(file);
        reader.fault(unreadable.at, unreadable.reason);
        report(reader.finish().0, 0)
    })?;
    let mut reader = Reader::new(file);
    let keys = match tree.root() {
        Some(root) => MainKeys::read(root, &mut reader).unwrap_or_default(),
        None => MainKeys::default(),
    };
    checks::check(&keys, &mut reader);
    let (faults, untold, idle) = reader.finish();
    if faults.is_empty() {
        Ok(MainConfig::of(keys, idle))
    } else {
        Err(report(faults, untold))
    }
}

/// Returns a fault of a key whose value is valid but unusable on this machine, such as a folder that does not exist. `text` is the `main.yaml`
/// that [`read`] accepted.
pub fn fault_of(file: &str, text: &[u8], key: &'static str, reason: String) -> DocumentFault {
    let tree = crate::yaml::parse(text).ok();
    let root = tree.as_ref().and_then(crate::yaml::Tree::root);
    let at = root.and_then(|root| root.get(key)).map(|node| node.at());
    let mut reader = Reader::new(file);
    reader.under(key, |reader| reader.fault_at(at.unwrap_or(FIRST), reason))
}

/// Returns the keys: each with its owner, and `true` if a running daemon applies a new value.
pub fn owned_keys() -> impl Iterator<Item = (&'static str, Owner, bool)> {
    OWNERS.iter().copied()
}

/// Returns the JSON Schema of the file.
pub(crate) fn schema() -> serde_json::Value {
    MainKeys::schema()
}
