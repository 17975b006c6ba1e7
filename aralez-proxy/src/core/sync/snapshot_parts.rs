//! The two parts of a snapshot, which are stored separately: the part that documents make, of which older versions are kept, and the newest
//! discovered and operational part. Pure: no I/O.
//!
//! Composed, they are closed under reference: an endpoint whose pool is not in these documents is left out. It is kept as long as stored
//! documents contain its pool, so that a fallback to these documents finds its endpoints.

use std::sync::Arc;

use aralez_proto::record::{Change, Record, RecordKey, RecordSet, ResourceType};
use aralez_proto::version::Version;

/// An endpoint whose pool is not in the newest documents, kept for the older documents that have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrphanedEndpoint {
    /// The endpoint at the time its pool was removed.
    pub record: Record,
    /// The first generation and revision without its pool.
    pub since: (u64, u64),
}

/// The discovered and operational part of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct OtherPart {
    /// The version of the snapshot that it belongs to.
    pub version: Version,
    /// Its records.
    pub records: RecordSet,
    /// Endpoints that only older documents need.
    pub left: Vec<OrphanedEndpoint>,
}

/// The records of a snapshot under their version, and the endpoints that were left out.
#[derive(Debug)]
pub struct Composed {
    /// The version, with the roots of `records`.
    pub version: Version,
    /// Closed under reference, unless the documents themselves are not.
    pub records: RecordSet,
    /// The endpoints whose pool is not in these documents.
    pub left: Vec<OrphanedEndpoint>,
}

/// Combines the records of documents with the newest other part, if there is one.
pub fn compose((content, authored): (Version, RecordSet), other: Option<OtherPart>) -> Composed {
    let other = other.unwrap_or_default();
    let of = other.version;
    let since = (of.generation, of.revision);
    let found = other.records.other().map(|record| OrphanedEndpoint {
        record: record.clone(),
        since,
    });
    // If both parts were written with the same documents, every endpoint has its pool: skip the look-ups.
    let together = authored.authored_root() == of.authored_root;
    let has_pool = |left: &OrphanedEndpoint| is_closed(&left.record, &authored);
    let (mut served, mut left): (Vec<OrphanedEndpoint>, Vec<OrphanedEndpoint>) =
        found.partition(|found| together || has_pool(found));
    let (back, gone): (Vec<OrphanedEndpoint>, Vec<OrphanedEndpoint>) =
        other.left.into_iter().partition(has_pool);
    served.extend(back);
    left.extend(gone);
    let added: Vec<Change> = served
        .into_iter()
        .map(|served| Change::Put(served.record))
        .collect();
    let records = match added.is_empty() {
        true => authored,
        false => authored.with(&added),
    };
    Composed {
        version: named(joined(content, of), &records),
        records,
        left,
    }
}

/// Returns the endpoints to keep when `next` replaces `before`: those whose pool is not in `next`.
pub fn orphans_after(
    left: Vec<OrphanedEndpoint>,
    before: &RecordSet,
    next: &RecordSet,
    version: Version,
) -> Vec<OrphanedEndpoint> {
    let since = (version.generation, version.revision);
    let gone = before.delta_to(next).into_iter().filter_map(|change| {
        let Change::Delete(key) = change else {
            return None;
        };
        let record = before.get(&key)?.clone();
        Some(OrphanedEndpoint { record, since })
    });
    let gone: Vec<OrphanedEndpoint> = gone
        .filter(|gone| gone.record.key.kind == ResourceType::Endpoint)
        .collect();
    let mut all: Vec<OrphanedEndpoint> = left.into_iter().chain(gone).collect();
    all.retain(|left| !is_closed(&left.record, next));
    all
}

/// Returns whether everything that a record refers to is present.
fn is_closed(record: &Record, among: &RecordSet) -> bool {
    match record.key.endpoint() {
        Some((pool, _)) => {
            let pool = RecordKey::new(ResourceType::Pool, Arc::<str>::from(pool));
            among.get(&pool).is_some()
        }
        None => true,
    }
}

/// Returns the version of documents combined with an other part that was written under `of`. If both have the same documents, the newer
/// version wins; the counter of the operational layer has no meaning in another generation.
fn joined(content: Version, of: Version) -> Version {
    let same = content.authored_root == of.authored_root && of.order(&content).is_ge();
    let name = if same { of } else { content };
    let counts = name.generation == of.generation;
    Version {
        sequence: if counts { of.sequence } else { 0 },
        operational: if counts { of.operational } else { 0 },
        ..name
    }
}

const fn named(version: Version, records: &RecordSet) -> Version {
    Version {
        root: records.root(),
        authored_root: records.authored_root(),
        ..version
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::model::EndpointOwner;

    use super::*;

    fn record(kind: ResourceType, name: &str) -> Record {
        Record::new(RecordKey::new(kind, name), name.as_bytes().to_vec().into())
    }

    fn pool(name: &str) -> Record {
        record(ResourceType::Pool, name)
    }

    fn endpoint(pool: &str) -> Record {
        let kind = ResourceType::of_endpoints(EndpointOwner::Source);
        record(kind, &format!("{pool} 127.0.0.1:1"))
    }

    fn version(generation: u64, revision: u64, operational: u64) -> Version {
        Version {
            generation,
            revision,
            operational,
            ..Version::default()
        }
    }

    fn set(records: &[Record]) -> RecordSet {
        records.iter().cloned().collect()
    }

    fn other(version: Version, records: &[Record]) -> OtherPart {
        OtherPart {
            version,
            records: set(records),
            left: Vec::new(),
        }
    }

    #[test]
    fn older_documents_are_joined_with_the_newest_endpoints_of_their_pools() {
        let certificate = record(ResourceType::Certificate, "c");
        let newest = [endpoint("old"), endpoint("new"), certificate.clone()];
        let of = Version {
            authored_root: [9; 32].into(),
            ..version(1, 6, 3)
        };
        let composed = compose(
            (version(1, 4, 2), set(&[pool("old")])),
            Some(other(of, &newest)),
        );
        let expected = set(&[pool("old"), endpoint("old"), certificate]);
        assert_eq!(composed.version, named(version(1, 4, 3), &expected));
        assert_eq!(composed.records.root(), expected.root());
        let left: Vec<&Record> = composed.left.iter().map(|left| &left.record).collect();
        assert_eq!(left, [&endpoint("new")]);
    }

    #[test]
    fn documents_that_a_newer_revision_did_not_change_start_under_its_name() {
        let documents = set(&[pool("p")]);
        let of = Version {
            authored_root: documents.authored_root(),
            ..version(1, 6, 3)
        };
        let content = Version {
            authored_root: documents.authored_root(),
            ..version(1, 4, 2)
        };
        let composed = compose((content, documents.clone()), Some(other(of, &[])));
        assert_eq!(composed.version, named(version(1, 6, 3), &documents));
        let restored = Version {
            generation: 2,
            revision: 1,
            ..content
        };
        let composed = compose((restored, documents.clone()), Some(other(of, &[])));
        assert_eq!(composed.version, named(version(2, 1, 0), &documents));
    }

    #[test]
    fn endpoints_of_a_pool_that_goes_are_kept_for_the_documents_that_have_it() {
        let before = set(&[pool("p"), endpoint("p")]);
        let after = set(&[pool("q"), endpoint("q")]);
        let left = orphans_after(Vec::new(), &before, &after, version(1, 5, 0));
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].since, (1, 5));
        let newest = OtherPart {
            left: left.clone(),
            ..other(version(1, 5, 0), &[endpoint("q")])
        };
        let fallen_back = compose((version(1, 4, 0), set(&[pool("p")])), Some(newest));
        assert_eq!(fallen_back.records.root(), before.root());
        // Pool `p` is back, so its endpoint is no longer kept; pool `q` is removed, so its endpoint is.
        assert_eq!(
            orphans_after(left, &after, &before, version(1, 6, 0)).len(),
            1
        );
    }

    #[test]
    fn an_endpoint_that_went_while_its_pool_stays_is_not_kept() {
        let before = set(&[pool("p"), endpoint("p")]);
        let left = orphans_after(Vec::new(), &before, &set(&[pool("p")]), version(1, 5, 0));
        assert!(left.is_empty());
    }
}
