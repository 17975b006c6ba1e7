//! Writes an accepted snapshot: each of its two parts only if that part changed.
//!
//! The other part is written first. If the process dies between the two writes, the older documents serve with the newer endpoints;
//! endpoints that only the older documents reference are still in the file.

use aralez_proto::record::Record;
use aralez_proto::snapshot::Snapshot;
use aralez_runtime::{clock, random};

use super::file::{self, CachePart, Header};
use super::{Cache, KeptParts};
use crate::core::sync::snapshot_cache::NotCached;
use crate::core::sync::snapshot_parts::{OrphanedEndpoint, orphans_after};

impl Cache {
    pub(super) fn keep_parts(&mut self, snapshot: &Snapshot) -> Result<(), NotCached> {
        let (version, records) = (snapshot.version(), snapshot.records());
        let left = self.left_after(snapshot);
        let documents = self
            .folder
            .holds(CachePart::Authored, version.authored_root);
        // If the documents need not be written, the other part has to carry the version.
        if documents
            || !self.folder.holds(CachePart::Other, records.other_root())
            || left != self.kept.left
        {
            self.write_part(CachePart::Other, snapshot, records.other(), &left)?;
        }
        if !documents {
            self.write_part(CachePart::Authored, snapshot, records.authored(), &[])?;
        }
        self.kept = KeptParts {
            records: records.clone(),
            left,
        };
        self.folder.prune(&self.marks);
        Ok(())
    }

    /// Returns the endpoints of removed pools, as long as any stored documents have those pools.
    fn left_after(&self, snapshot: &Snapshot) -> Vec<OrphanedEndpoint> {
        let kept = &self.kept;
        let records = snapshot.records();
        let mut left = orphans_after(
            kept.left.clone(),
            &kept.records,
            records,
            snapshot.version(),
        );
        let ages = self.folder.of_part(CachePart::Authored);
        let ages = ages.map(|entry| {
            (
                entry.header.version.generation,
                entry.header.version.revision,
            )
        });
        let oldest = ages.min();
        left.retain(|left| oldest.is_some_and(|oldest| oldest < left.since));
        left
    }

    fn write_part<'r>(
        &mut self,
        part: CachePart,
        snapshot: &Snapshot,
        records: impl Iterator<Item = &'r Record>,
        left: &[OrphanedEndpoint],
    ) -> Result<(), NotCached> {
        let key = self.key()?;
        let root = match part {
            CachePart::Authored => snapshot.records().authored_root(),
            CachePart::Other => snapshot.records().other_root(),
        };
        let header = Header {
            cluster: self.marks.cluster.clone(),
            part,
            part_root: root,
            version: snapshot.version(),
            written_unix_ms: self.folder.next_stamp(clock::unix_ms()),
            writer: self.writer.clone(),
        };
        let content = file::encode(&header, records, left, &key, random::bytes())
            .map_err(|error| NotCached(error.to_string()))?;
        self.folder.write(header, &content)
    }
}
