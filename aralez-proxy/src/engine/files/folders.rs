//! The folders that a thread serves, kept open for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::FolderPath;
use aralez_runtime::beneath::{OpenFolder, Unusable};
use parking_lot::Mutex;

/// How long an open folder is used. A folder that takes its name, as in a deployment that switches a symlink, serves after that.
const FOR: Duration = Duration::from_secs(1);

/// The most folders that a thread keeps open. Each needs a file descriptor (`core::admission::descriptors`).
const KEPT: usize = 4;

/// The open folders of one thread. Opening a folder costs several system calls, so a busy one is opened once a second.
#[derive(Debug, Default)]
pub struct OpenFolders {
    kept: Mutex<Vec<KeptFolder>>,
}

#[derive(Debug)]
struct KeptFolder {
    path: FolderPath,
    folder: Arc<OpenFolder>,
    since: Instant,
}

impl OpenFolders {
    /// Returns a folder, opened below its root.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn get(
        &self,
        root: &FolderPath,
        path: &FolderPath,
        now: Instant,
    ) -> Result<Arc<OpenFolder>, Unusable> {
        let mut kept = self.kept.lock();
        kept.retain(|kept| now < kept.since + FOR);
        if let Some(known) = kept.iter().find(|kept| kept.path == *path) {
            return Ok(Arc::clone(&known.folder));
        }
        let folder = Arc::new(open(root, path)?);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(KeptFolder {
            path: path.clone(),
            folder: Arc::clone(&folder),
            since: now,
        });
        Ok(folder)
    }

    /// Closes the folders that are not used any more.
    pub fn sweep(&self, now: Instant) {
        self.kept.lock().retain(|kept| now < kept.since + FOR);
    }
}

/// Opens a folder below its root.
fn open(root: &FolderPath, path: &FolderPath) -> Result<OpenFolder, Unusable> {
    let opened = OpenFolder::open(root.as_path())?;
    match path.below(root) {
        None => Err(Unusable::Outside),
        Some("") => Ok(opened),
        Some(below) => opened.folder(below.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use aralez_runtime::beneath::FoundEntry;

    use super::*;

    fn path(path: &std::path::Path) -> FolderPath {
        path.to_str().unwrap().parse().unwrap()
    }

    #[test]
    fn a_folder_that_takes_the_name_of_another_serves_within_a_second() {
        let dir = tempfile::tempdir().unwrap();
        for (release, file) in [("1", "old"), ("2", "new")] {
            fs::create_dir(dir.path().join(release)).unwrap();
            fs::write(dir.path().join(release).join(file), file).unwrap();
        }
        let current = dir.path().join("current");
        symlink("1", &current).unwrap();
        let (root, current_path) = (path(dir.path()), path(&current));
        let (folders, now) = (OpenFolders::default(), Instant::now());
        let has = |name: &str, at: Instant| {
            let folder = folders.get(&root, &current_path, at).unwrap();
            matches!(folder.find(name.as_ref()), Ok(FoundEntry::File(..)))
        };
        assert!(has("old", now));
        fs::remove_file(&current).unwrap();
        symlink("2", &current).unwrap();
        assert!(has("old", now));
        assert!(has("new", now + FOR));
    }

    #[test]
    fn few_folders_are_kept_open_and_none_that_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let (folders, now) = (OpenFolders::default(), Instant::now());
        for number in 0..2 * KEPT {
            let folder = dir.path().join(number.to_string());
            fs::create_dir(&folder).unwrap();
            folders.get(&path(dir.path()), &path(&folder), now).unwrap();
        }
        assert_eq!(folders.kept.lock().len(), KEPT);
        folders.sweep(now + FOR);
        assert!(folders.kept.lock().is_empty());
    }
}
