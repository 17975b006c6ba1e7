//! The hosts that a push drops because it lacks documents of the head, as `push upstreams.yaml` does beside a `conf.d`.

use std::collections::BTreeMap;
use std::fmt;

use aralez_proto::document::{Authored, DocumentSet};
use aralez_proto::model::HostPattern;

/// How many hosts are named in one line.
const NAMED: usize = 3;

/// The hosts of one document that go with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// The document that the new set lacks.
    pub document: String,
    /// The hosts that no other document has; at least one.
    pub hosts: Vec<HostPattern>,
}

impl fmt::Display for Dropped {
    /// `drops 5 hosts that conf.d/a.yaml brought: a.test, b.test, c.test and 2 more`
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
            "drops {count} host{s} that {} brought: {}",
            self.document,
            named.join(", ")
        )?;
        match count.saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What `after`, read from `documents`, drops of `before`. Hosts that go from a document that stays are an edit, and not listed.
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
    use aralez_proto::document::{self, Rules};

    use super::*;

    fn set(texts: &[(&str, &str)]) -> DocumentSet {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned().into());
        texts.iter().map(owned).collect()
    }

    fn host(name: &str) -> String {
        format!("{name}: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n")
    }

    fn read(documents: &DocumentSet) -> Authored {
        document::read(documents, &Rules::default()).unwrap()
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
                "drops 4 hosts that conf.d/c.yaml brought: c1.a, c2.a, c3.a and 1 more",
                "drops 1 host that conf.d/d.yaml brought: d.a",
            ]
        );
        assert_eq!(dropped(&read(&before), &read(&before), &before), []);
    }
}
