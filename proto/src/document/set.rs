//! Reading of a set of documents as a whole: every document, and each host once.

use std::collections::BTreeMap;

use crate::document::dead_networks::{self, ClientLists, RuledScope};
use crate::document::hosts::{self, HostEntry};
use crate::document::keys::{GlobalKeys, SCOPES};
use crate::document::redirect_loops::{self, RedirectingHost};
use crate::document::{
    Authored, AuthoredHost, DocumentFault, DocumentSet, ReadDocuments, Surroundings,
};
use crate::model::{HostPattern, Settings};
use crate::place::Places;
use crate::reading::{NamedPaths, Reader, report};
use crate::yaml::{self, Spot};

/// A host and the document that defines it.
struct SeenHost {
    host: AuthoredHost,
    /// By index of the route, a fault at its `redirect_to` without a reason.
    redirects: Vec<(usize, DocumentFault)>,
    overrides: bool,
    /// It is listed under `upstreams`.
    wrapped: bool,
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
    named: NamedPaths,
}

/// Reads a set: the main document first, then the others by name.
pub(crate) fn read(
    documents: &DocumentSet,
    surroundings: &Surroundings,
    shown: &dyn Fn(&str) -> String,
) -> ReadDocuments {
    let mut set = Set {
        named: NamedPaths::new(documents.files().clone()),
        ..Set::default()
    };
    let main = |name: &str| name == DocumentSet::MAIN;
    let mut ordered: Vec<_> = documents.documents().iter().collect();
    ordered.sort_by_key(|(name, _)| !main(name));
    for (name, text) in ordered {
        set.document(name, text, surroundings, &shown(name));
    }
    // Routes with faults are missing, so redirects would lead to others.
    if set.faults.is_empty() {
        set.find_loops();
        set.find_dead_networks(&shown(DocumentSet::MAIN));
    }
    let authored = match set.faults.is_empty() {
        true => Ok(Authored {
            settings: set.settings,
            places: set.places,
            hosts: set.hosts.into_values().map(|held| held.host).collect(),
            warnings: set.warnings,
        }),
        false => Err(report(set.faults, set.untold)),
    };
    ReadDocuments {
        authored,
        named: set.named.into_paths(),
    }
}

impl Set {
    fn document(&mut self, name: &str, text: &[u8], surroundings: &Surroundings, shown: &str) {
        let tree = yaml::parse(text);
        let mut reader = Reader::new(name);
        reader.shown = shown;
        reader.passwords = &*surroundings.passwords;
        reader.issuer = surroundings.issuer;
        reader.forbidden = Some(&surroundings.forbidden);
        reader.named = std::mem::take(&mut self.named);
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
        self.named = std::mem::take(&mut reader.named);
        self.finish(reader);
    }

    /// Finds the redirects that lead clients in a loop.
    fn find_loops(&mut self) {
        let hosts = self.hosts.values().map(|held| RedirectingHost {
            host: &held.host.host,
            redirects: &held.redirects,
        });
        let found = redirect_loops::find(hosts);
        self.faults.extend(found.faults);
        self.warnings.extend(found.warnings);
    }

    /// Finds the networks of `allow` that `deny` contains. `main`: the name of the main document in faults.
    fn find_dead_networks(&mut self, main: &str) {
        let top = RuledScope {
            rules: &self.settings.rules,
            places: &self.places,
        };
        let lists = ClientLists::default().narrowed_by(top.rules);
        let of_hosts = self.hosts.values().flat_map(|held| {
            dead_networks::at_a_host(&lists, &held.host, (&held.shown, held.wrapped))
        });
        let found: Vec<_> = dead_networks::at_the_top(top, main)
            .into_iter()
            .chain(of_hosts)
            .collect();
        self.warnings.extend(found);
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
            wrapped: entry.wrapped,
            host: entry.host,
            redirects: entry.redirects,
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
