//! The role of a listener: the routes, or the file server of the node.

use std::sync::Arc;
use std::time::Instant;

use aralez_decision::pseudonym::Pseudonym;
use aralez_proto::convert::host_record;
use aralez_proto::fault::Faults;
use aralez_proto::model::{Action, Files, FolderPath, HostPattern, Route, VirtualHost};
use aralez_proto::rules::Rules;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use crate::core::live::{LiveTable, Origin};
use crate::core::request::registry::Registry;
use crate::core::request::table::Table;

/// The table that decides about the requests of a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ListenerRole {
    /// The routes of the live table.
    #[default]
    Routes,
    /// The file server of this node: `file_server_folder`.
    FileServer,
}

/// The file server of a node: a table of its own, which serves one folder to every host and never changes.
#[derive(Debug)]
pub struct FileServer {
    /// Its table.
    pub live: Arc<LiveTable>,
    /// Its name in `CDN-Loop`. It differs from the node's: a request that the node forwards to its own file server is no loop.
    pub name: Pseudonym,
}

impl FileServer {
    /// Creates the file server of a folder.
    ///
    /// # Errors
    /// Only if this release has a defect.
    pub fn new(folder: FolderPath, name: Pseudonym, now: Instant) -> Result<Self, Faults> {
        let files = Files {
            folder,
            spa: false,
            precompressed: false,
        };
        let host = VirtualHost {
            pattern: HostPattern::CatchAll,
            rules: Rules::default(),
            routes: vec![Route {
                path: "/".into(),
                matches: None,
                rules: Rules::default(),
                action: Action::Files(files),
            }],
        };
        let records = [host_record(&host)].into_iter().collect();
        let snapshot = Snapshot::complete(Version::default(), records, &Limits::default())?;
        Ok(Self {
            live: Arc::new(LiveTable {
                table: Table::build(&snapshot, &Registry::default()),
                snapshot: Arc::new(snapshot),
                origin: Origin::Stream,
                since: now,
            }),
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_server_serves_its_folder_to_every_host() {
        let folder: FolderPath = "/srv/www".parse().unwrap();
        let server =
            FileServer::new(folder.clone(), Pseudonym::new([7; 8]), Instant::now()).unwrap();
        let host = server.live.table.routes().host("any.test").unwrap();
        let routes: Vec<_> = host.routes().collect();
        assert_eq!(routes.len(), 1);
        assert!(matches!(&routes[0].action, Action::Files(files) if files.folder == folder));
    }
}
