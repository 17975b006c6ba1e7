//! The files that documents name: below the folder of the main document only.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use aralez_proto::document::{FileRoom, MAX_FILE_BYTES};
use aralez_proto::model::RelativePath;
use aralez_runtime::beneath::{self, Unusable};
use aralez_runtime::withheld::{Withheld, WithheldFile};

use super::{Cached, FileScanner, Stamp, parent_of, read_as};
use crate::source::file::settle::Found;

impl FileScanner {
    /// Returns the folder that contains all files.
    pub(in super::super) fn configuration_folder(&self) -> &Path {
        parent_of(&self.main)
    }

    /// Returns the paths of the files that the documents name, whether they exist or not.
    pub(in super::super) fn named_paths(&self) -> impl Iterator<Item = PathBuf> {
        let folder = self.configuration_folder();
        self.wanted.iter().map(|path| folder.join(path.as_str()))
    }

    pub(super) fn named(
        &self,
        seen: &mut BTreeMap<PathBuf, Cached>,
    ) -> BTreeMap<RelativePath, Found> {
        if self.wanted.is_empty() {
            return BTreeMap::new();
        }
        let mut withheld = self.main_config.withheld();
        // So far only documents were seen; one that cannot be read is withheld all the same.
        for document in std::iter::once(&self.main).chain(seen.keys()) {
            withheld.add(document, WithheldFile::Document);
        }
        let mut room = FileRoom::default();
        let paths = self.wanted.iter();
        paths
            .map(|path| {
                let found = self.named_file(path, (&mut room, &withheld), seen);
                (path.clone(), found)
            })
            .collect()
    }

    fn named_file(
        &self,
        path: &RelativePath,
        (room, withheld): (&mut FileRoom, &Withheld),
        seen: &mut BTreeMap<PathBuf, Cached>,
    ) -> Found {
        if room.is_exceeded() {
            return Found::Trouble(FileRoom::exceeded().to_string());
        }
        let folder = self.configuration_folder();
        let found = self.read_with(folder.join(path.as_str()), seen, |_, cached| {
            let file = beneath::open(folder, path).map_err(not_found)?;
            let allowed = withheld.check(&file);
            allowed.map_err(|reason| Found::Trouble(reason.to_string()))?;
            read_opened(&file, cached).map_err(not_found)
        });
        if let Found::Text(file) = &found
            && let Err(reason) = room.take(file.text.clone())
        {
            return Found::Trouble(reason.to_string());
        }
        found
    }
}

fn not_found(reason: Unusable) -> Found {
    match reason {
        Unusable::Missing => Found::Missing,
        reason => Found::Trouble(reason.to_string()),
    }
}

/// Reads a file, which is opened every time, unlike a document: its path may lead out of the folder by now.
fn read_opened(file: &File, cached: Option<&Cached>) -> Result<Cached, Unusable> {
    let stamp = Stamp::of(&file.metadata()?);
    if let Some(cached) = cached.filter(|cached| cached.settled && cached.stamp == stamp) {
        return Ok(cached.clone());
    }
    let text = beneath::read_opened(file, MAX_FILE_BYTES)?;
    Ok(read_as(file, stamp, text, cached)?)
}
