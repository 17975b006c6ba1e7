//! The folders whose files an update serves: each must be one that this node serves, and must exist.
//!
//! They are checked when the update arrives, so that a push is refused by the node that could not serve it. A table from the cache serves in
//! any case: without it there would be none at all.

use std::collections::HashMap;
use std::path::Path;

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::model::{Action, FolderPath, VirtualHost};
use aralez_proto::record::{RecordKey, ResourceType};
use aralez_proto::snapshot::{Snapshot, Touched};
use aralez_runtime::beneath::{OpenFolder, Unusable};
use tracing::warn;

use crate::core::request::files::roots::FileRoots;

/// Checks the folders of the hosts that a change touched, or of all hosts.
///
/// # Errors
/// A fault for every route whose folder this node cannot serve.
pub(super) fn check(
    snapshot: &Snapshot,
    touched: Option<&Touched>,
    roots: &FileRoots,
) -> Result<(), Faults> {
    let hosts = snapshot.resources().hosts();
    let mut checker = Checker {
        roots,
        known: HashMap::new(),
        faults: Vec::new(),
    };
    match touched {
        Some(touched) => {
            let hosts = touched
                .hosts
                .iter()
                .filter_map(|pattern| hosts.get(pattern));
            hosts.for_each(|host| checker.check(host));
        }
        None => hosts.iter().for_each(|(_, host)| checker.check(host)),
    }
    Faults::check(checker.faults)
}

/// Logs the routes of a cached snapshot that this node cannot serve now.
pub(super) fn tell(snapshot: &Snapshot, roots: &FileRoots) {
    if let Err(faults) = check(snapshot, None, roots) {
        warn!(
            faults = faults.brief(),
            "routes of the cached snapshot answer 404"
        );
    }
}

struct Checker<'a> {
    roots: &'a FileRoots,
    /// The folders that were looked at, with the reasons why they cannot be served.
    known: HashMap<FolderPath, Option<String>>,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn check(&mut self, host: &VirtualHost) {
        for route in &host.routes {
            let Action::Files(files) = &route.action else {
                continue;
            };
            let roots = self.roots;
            let known = self.known.entry(files.folder.clone());
            let reason = known.or_insert_with(|| unusable(&files.folder, roots));
            if let Some(reason) = reason {
                let resource = RecordKey::new(ResourceType::VirtualHost, host.pattern.to_string());
                let field = format!("routes.{:?}.files", &*route.path);
                let fault = Fault::of(&resource, FaultCode::Invalid, &field, reason.as_str());
                self.faults.push(fault);
            }
        }
    }
}

/// Returns the reason why this node cannot serve a folder. `None` if it can.
fn unusable(folder: &FolderPath, roots: &FileRoots) -> Option<String> {
    let Some(root) = roots.root_of(folder) else {
        return Some(format!(
            "{folder} is not below a folder of this node's file_roots ({roots}); add it to `file_roots` in the main.yaml of the node and \
             restart its proxy, or serve a folder below them"
        ));
    };
    let below = folder.below(root).unwrap_or_default();
    let opened = OpenFolder::open(root.as_path()).and_then(|root| root.folder(Path::new(below)));
    match opened.err()? {
        Unusable::Missing => Some(format!("the folder {folder} does not exist on this node")),
        Unusable::Outside => Some(format!(
            "the folder {folder} leaves {root}, a folder of file_roots, through a symlink"
        )),
        reason => Some(format!("the folder {folder} {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use aralez_proto::convert::host_record;
    use aralez_proto::model::{Files, HostPattern, Route};
    use aralez_proto::rules::Rules;
    use aralez_proto::snapshot::Limits;
    use aralez_proto::version::Version;

    use super::*;

    fn path(path: &Path) -> FolderPath {
        path.to_str().unwrap().parse().unwrap()
    }

    fn faults(folders: &[&Path], roots: &[&Path]) -> Vec<String> {
        let routes = (0..).zip(folders).map(|(number, folder)| Route {
            path: format!("/{number}").into(),
            matches: None,
            rules: Rules::default(),
            action: Action::Files(Files {
                folder: path(folder),
                spa: false,
                precompressed: false,
            }),
        });
        let host = VirtualHost {
            pattern: HostPattern::CatchAll,
            rules: Rules::default(),
            routes: routes.collect(),
        };
        let records = [host_record(&host)].into_iter().collect();
        let version = Version::default();
        let snapshot = Snapshot::complete(version, records, &Limits::default()).unwrap();
        let roots = FileRoots::new(roots.iter().map(|root| path(root)).collect());
        let touched = Touched {
            hosts: [HostPattern::CatchAll].into_iter().collect(),
            ..Touched::default()
        };
        let whole = check(&snapshot, None, &roots);
        assert_eq!(whole, check(&snapshot, Some(&touched), &roots));
        let untouched = check(&snapshot, Some(&Touched::default()), &roots);
        assert_eq!(untouched, Ok(()));
        let faults = whole.err().map(Faults::into_vec).unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_folder_that_this_node_cannot_serve_is_a_fault_of_its_route() {
        let dir = tempfile::tempdir().unwrap();
        let (root, other) = (dir.path().join("root"), dir.path().join("other"));
        fs::create_dir_all(root.join("app")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(root.join("file"), "").unwrap();
        symlink("app", root.join("inside")).unwrap();
        symlink(root.join("app"), root.join("absolute")).unwrap();
        symlink("../other", root.join("out")).unwrap();
        let below = |name: &str| root.join(name);
        let good = [
            root.clone(),
            below("app"),
            below("inside"),
            below("absolute"),
        ];
        let good: Vec<&Path> = good.iter().map(AsRef::as_ref).collect();
        assert_eq!(faults(&good, &[&root]), [""; 0]);
        let (file, out, none) = (below("file"), below("out"), below("none"));
        let bad = faults(&[&other, &file, &out, &none], &[&root]);
        let (root, other) = (root.display(), other.display());
        for (fault, (number, reason)) in bad.iter().zip([
            (
                0,
                format!("{other} is not below a folder of this node's file_roots ({root});"),
            ),
            (
                1,
                format!("the folder {root}/file does not exist on this node"),
            ),
            (
                2,
                format!("the folder {root}/out leaves {root}, a folder of file_roots,"),
            ),
            (
                3,
                format!("the folder {root}/none does not exist on this node"),
            ),
        ]) {
            let field = format!("routes.\"/{number}\".files: {reason}");
            assert!(fault.contains(&field), "{fault} does not contain {field}");
        }
        assert_eq!(bad.len(), 4);
    }
}
