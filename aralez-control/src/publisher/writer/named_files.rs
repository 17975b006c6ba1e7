//! The files that documents name, as part of their set.
//!
//! The file source finds them with the documents, once it knows their names; until then a set of files waits. A push names files as they are
//! on disk when it arrives.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::document::{DocumentFaults, DocumentSet, FoundFile, NamedFiles};
use aralez_proto::model::RelativePath;

use super::Writer;
use super::build::{Built, NotBuilt};
use crate::core::commit::{Confirmation, Rejected};

impl Writer {
    /// Announces to the file source the files to find.
    pub(super) fn want_files(&mut self, named: BTreeSet<RelativePath>) {
        if **self.files.wanted() != named {
            self.files.want(Arc::new(named));
            self.outlets.wanted.send_replace(self.wanted());
        }
    }

    /// Builds the next revision from a set that contains exactly the files that its documents name.
    pub(super) fn build_exactly(&self, documents: &DocumentSet) -> Result<Built, NotBuilt> {
        let number = (self.store.generation(), self.head_revision() + 1);
        let built = self.basis().build(documents, number)?;
        let mut paths = documents.files().paths();
        match paths.all(|path| built.named.contains(path)) {
            true => Ok(built),
            false => Err(NotBuilt::OtherFiles {
                named: built.named,
                faults: DocumentFaults(Vec::new()),
            }),
        }
    }

    /// Commits documents with `commit`; if they name other files than those of the set, with the files that they name: those of the set, or
    /// all of them as they are on disk now.
    pub(super) fn with_named_files<T>(
        &mut self,
        documents: &mut DocumentSet,
        mut commit: impl FnMut(&mut Self, &DocumentSet) -> Result<T, NotBuilt>,
    ) -> Result<T, Rejected> {
        let committed = match commit(self, documents) {
            Err(NotBuilt::OtherFiles { named, .. }) => {
                let files = match has_all(documents, &named) {
                    true => documents.files().only(&named),
                    false => self.on_disk(&named),
                };
                *documents = documents.clone().with_files(files);
                commit(self, documents)
            }
            committed => committed,
        };
        committed.map_err(NotBuilt::into_rejected)
    }

    fn on_disk(&self, named: &BTreeSet<RelativePath>) -> NamedFiles {
        let none = |_: &RelativePath| -> FoundFile {
            Err("cannot be read: control has no configuration folder, because upstreams_conf is not set".into())
        };
        match &self.on_disk {
            Some(disk) => disk.named(named),
            None => NamedFiles::collect(named, none),
        }
    }

    /// Commits a set of files that the source found. Returns `None` if the source has yet to find files that the documents name.
    pub(super) fn take_found(&mut self, documents: &DocumentSet) -> Option<Result<(), Rejected>> {
        let mut taken = self.take_files(documents, Confirmation::ByTime);
        if let Err(NotBuilt::OtherFiles { named, .. }) = &taken {
            if !has_all(documents, named) {
                // Those wanted so far stay so until the documents are valid: a typo must not lose the content of a file that is gone.
                let wanted = named.union(self.files.wanted()).cloned().collect();
                self.want_files(wanted);
                return None;
            }
            let files = documents.files().only(named);
            self.want_files(named.clone());
            taken = self.take_files(&documents.clone().with_files(files), Confirmation::ByTime);
        }
        Some(taken.map(drop).map_err(NotBuilt::into_rejected))
    }
}

fn has_all(documents: &DocumentSet, named: &BTreeSet<RelativePath>) -> bool {
    named
        .iter()
        .all(|path| documents.files().get(path).is_some())
}
