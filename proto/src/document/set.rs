//! Reading of a set of documents as a whole: every document, and each host once.

use std::collections::BTreeMap;

use crate::document::hosts::{self, HostEntry};
use crate::document::keys::{GlobalKeys, SCOPES};
use crate::document::{
    Authored, AuthoredHost, DocumentFault, DocumentFaults, DocumentSet, Surroundings,
};
use crate::model::{HostPattern, Settings};
use crate::place::Places;
use crate::reading::{Reader, report};
use crate::yaml::{self, Spot};

/// A host and the document that defines it.
struct SeenHost {
    host: AuthoredHost,
    overrides: bool,
    at: Spot,
    /// The document's name in faults.
    shown: String,
    file: String,
}

#[derive(Default)]
struct Set {
    settings: Settings,
    places: Places,
    hosts: BTreeMap<HostPattern, SeenHost>,
    faults: Vec<DocumentFault>,
    untold: usize,
    warnings: Vec<DocumentFault>,
}

/// Reads a set: the main document first, then the others by name.
pub(crate) fn read(
    documents: &DocumentSet,
    surroundings: &Surroundings,
    shown: &dyn Fn(&str) -> String,
) -> Result<Authored, DocumentFaults> {
    let mut set = Set::default();
    let main = |name: &str| name == DocumentSet::MAIN;
    let mut ordered: Vec<_> = documents.documents().iter().collect();
    ordered.sort_by_key(|(name, _)| !main(name));
    for (name, text) in ordered {
        set.document(name, text, surroundings, &shown(name));
    }
    if !set.faults.is_empty() {
        return Err(report(set.faults, set.untold));
    }
    Ok(Authored {
        settings: set.settings,
        places: set.places,
        hosts: set.hosts.into_values().map(|held| held.host).collect(),
        warnings: set.warnings,
    })
}

impl Set {
    fn document(&mut self, name: &str, text: &[u8], surroundings: &Surroundings, shown: &str) {
        let tree = yaml::parse(text);
        let mut reader = Reader::new(name);
        reader.shown = shown;
        reader.passwords = &*surroundings.passwords;
        reader.forbidden = Some(&surroundings.forbidden);
        reader.scopes = SCOPES;
        let root = match &tree {
            Ok(tree) => tree.root(),
            Err(unreadable) => {
                reader.fault(unreadable.at, unreadable.reason.clone());
                None
            }
        };
        if let Some(root) = root {
            let ((globals, entries), places) =
                reader.placing(|reader| hosts::document(root, reader));
            if name == DocumentSet::MAIN {
                self.settings = settings(globals);
                self.places = places;
            }
            for entry in entries {
                self.add(entry, &mut reader);
            }
        }
        self.finish(reader);
    }

    fn finish(&mut self, reader: Reader<'_>) {
        let (faults, untold, notes) = reader.finish();
        self.faults.extend(faults);
        self.untold += untold;
        self.warnings.extend(notes);
    }

    /// Adds a host. If two documents define it, the one with `override` wins, or the later one if both have it. Without `override`, or
    /// within one document, the second definition is a fault.
    fn add<'t>(&mut self, entry: HostEntry<'t>, reader: &mut Reader<'t>) {
        let held = SeenHost {
            at: entry.at,
            shown: reader.shown.to_owned(),
            file: reader.file().to_owned(),
            overrides: entry.overrides,
            host: entry.host,
        };
        let pattern = held.host.host.pattern.clone();
        let Some(first) = self.hosts.get(&pattern) else {
            self.hosts.insert(pattern, held);
            return;
        };
        let same_file = first.file == held.file;
        if !same_file && held.overrides {
            self.hosts.insert(pattern, held);
        } else if same_file || !first.overrides {
            let (at, shown) = (first.at, &first.shown);
            let reason = if same_file {
                format!("duplicate host {pattern}, already defined at {at}")
            } else {
                format!(
                    "duplicate host {pattern}, already defined at {shown}:{at} (set `override: true` on the one that should win)"
                )
            };
            let duplicate = |reader: &mut Reader<'t>| {
                reader.under(entry.key, |reader| reader.fault(entry.at, reason));
            };
            if entry.wrapped {
                reader.under("upstreams", duplicate);
            } else {
                duplicate(reader);
            }
        }
    }
}

fn settings(keys: GlobalKeys) -> Settings {
    Settings {
        rules: keys.rules.lower(),
        compat_0_9: keys.compat.is_some(),
    }
}
