//! The hosts that a push drops because it lacks documents of the head, as `push upstreams.yaml` does if there is also a `conf.d`.

use std::collections::BTreeMap;
use std::fmt;

use aralez_proto::document::{Authored, DocumentSet};
use aralez_proto::model::HostPattern;

/// Maximum number of documents with a line of their own.
const DOCUMENTS: usize = 10;
/// Maximum number of hosts named in one line.
const NAMED: usize = 3;

/// The hosts that are removed with one document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// The document that the new set lacks.
    pub document: String,
    /// The hosts that no document of the new set has; at least one.
    pub hosts: Vec<HostPattern>,
}

impl fmt::Display for Dropped {
    /// `drops 5 hosts defined in conf.d/a.yaml: a.test, b.test, c.test and 2 more`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.hosts.len();
        let s = if count == 1 { "" } else { "s" };
        let named: Vec<String> = self
            .hosts
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        write!(
            f,
            "drops {count} host{s} defined in {}: {}",
            self.document,
            named.join(", ")
        )?;
        match count.saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Returns one line per document; documents beyond a limit share one line.
pub fn lines(dropped: &[Dropped]) -> Vec<String> {
    let named = dropped.iter().take(DOCUMENTS).map(Dropped::to_string);
    let more = dropped.get(DOCUMENTS..).filter(|more| !more.is_empty());
    let more = more.map(|more| {
        let hosts: usize = more.iter().map(|dropped| dropped.hosts.len()).sum();
        format!(
            "drops {hosts} hosts defined in {} more documents",
            more.len()
        )
    });
    named.chain(more).collect()
}

/// Returns the hosts of `before` that `after`, read from `documents`, lacks together with their document. Hosts removed from a document
/// that stays are an edit and are not listed.
pub fn dropped(before: &Authored, after: &Authored, documents: &DocumentSet) -> Vec<Dropped> {
    let kept: std::collections::BTreeSet<_> =
        after.hosts.iter().map(|host| &host.host.pattern).collect();
    let mut by_document = BTreeMap::<&str, Vec<HostPattern>>::new();
    for host in &before.hosts {
        let document: &str = &host.document;
        let pattern = &host.host.pattern;
        if !documents.documents().contains_key(document) && !kept.contains(pattern) {
            by_document
                .entry(document)
                .or_default()
                .push(pattern.clone());
        }
    }
    let dropped = by_document.into_iter();
    dropped
        .map(|(document, hosts)| Dropped {
            document: document.to_owned(),
            hosts,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use aralez_proto::document::{self, Surroundings};

    use super::*;

    fn set(texts: &[(&str, &str)]) -> DocumentSet {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned().into());
        texts.iter().map(owned).collect()
    }

    fn host(name: &str) -> String {
        format!("{name}: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n")
    }

    fn read(documents: &DocumentSet) -> Authored {
        document::read(documents, &Surroundings::default()).unwrap()
    }

    #[test]
    fn many_documents_are_told_in_a_bounded_number_of_lines() {
        let names: Vec<String> = (0..12)
            .map(|number| format!("conf.d/{number:02}.yaml"))
            .collect();
        let texts: Vec<String> = (0..12)
            .map(|number| host(&format!("h{number}.a")))
            .collect();
        let documents = names
            .iter()
            .map(String::as_str)
            .zip(texts.iter().map(String::as_str));
        let before = set(&documents.collect::<Vec<_>>());
        let after = DocumentSet::default();
        let lines = lines(&dropped(&read(&before), &read(&after), &after));
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[10], "drops 2 hosts defined in 2 more documents");
    }

    #[test]
    fn the_hosts_of_documents_that_the_new_set_lacks_are_named_and_edits_are_not() {
        let many: String = ["c1.a", "c2.a", "c3.a", "c4.a", "moved.a"]
            .map(host)
            .concat();
        let before = set(&[
            ("upstreams.yaml", &(host("main.a") + &host("edited-away.a"))),
            ("conf.d/c.yaml", &many),
            ("conf.d/d.yaml", &host("d.a")),
        ]);
        let after = set(&[("upstreams.yaml", &(host("main.a") + &host("moved.a")))]);
        let lost = dropped(&read(&before), &read(&after), &after);
        let lines: Vec<String> = lost.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "drops 4 hosts defined in conf.d/c.yaml: c1.a, c2.a, c3.a and 1 more",
                "drops 1 host defined in conf.d/d.yaml: d.a",
            ]
        );
        assert_eq!(dropped(&read(&before), &read(&before), &before), []);
    }
}
