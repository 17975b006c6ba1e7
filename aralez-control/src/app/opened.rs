//! Opens the ledger, the checkpoint and the publisher over both, and starts the sources.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result};
use aralez_proto::document::Surroundings;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::info;

use super::{Times, roster};
use crate::checkpoint::CheckpointFile;
use crate::core::checkpoint::Checkpoint;
use crate::core::fleet::SharedFleet;
use crate::core::layers::Discovered;
use crate::core::source::Source;
use crate::core::store::{FilesOnDisk, MainFile, Store};
use crate::ledger::Ledger;
use crate::passwords::PasswordHashes;
use crate::publisher::{Following, Publisher, PublisherParts};
use crate::settings::ControlSettings;
use crate::source::file::{FileSource, MainConfigFile, MainDocument, WriteEvents};

/// The open state of control.
pub(super) struct OpenState {
    pub(super) fleet: SharedFleet,
    pub(super) publisher: Publisher,
    checkpoint: CheckpointFile,
    /// Contents of the checkpoint at start.
    kept: Discovered,
    writers: WriteEvents,
    main_config: MainConfigFile,
}

impl OpenState {
    /// Reads the checkpoint in control's folder, and opens the publisher on the ledger with these endpoints.
    /// Documents may not name `main_config`.
    pub(super) fn open(
        settings: &ControlSettings,
        ledger: Ledger,
        times: &Times,
        main_config: MainConfigFile,
    ) -> Result<Self> {
        let fleet = SharedFleet::default();
        // Before the publisher opens the head, whose proof waits for these nodes.
        roster::recall(&ledger, &fleet);
        let (key, cluster) = (ledger.seal_key(), ledger.cluster_id());
        let passwords = Arc::new(PasswordHashes::new(&key));
        let mut checkpoint = CheckpointFile::new(&settings.control_dir(), key, cluster);
        let kept = checkpoint.read();
        let writers = WriteEvents::default();
        let path = settings.upstreams_conf.clone();
        let document = path.map(|path| {
            let document = MainDocument::new(path, writers.clone());
            document.withholding(main_config.clone())
        });
        let main_file = document.clone();
        let parts = PublisherParts {
            store: Box::new(ledger),
            main_file: main_file.map(|it| Box::new(it) as Box<dyn MainFile>),
            files: document.map(|it| Box::new(it) as Box<dyn FilesOnDisk>),
            heads: Arc::new(fleet.clone()),
            discovered: kept.clone(),
            surroundings: Surroundings {
                passwords,
                ..settings.surroundings()
            },
            hold: times.hold,
            settling: times.settling,
        };
        let publisher = Publisher::open(parts);
        Ok(Self {
            fleet,
            publisher: publisher
                .with_context(|| format!("{}", settings.control_dir().display()))?,
            checkpoint,
            kept,
            writers,
            main_config,
        })
    }

    /// Starts the source of files and the additional sources `beside`. They run until the returned value is dropped.
    pub(super) fn follow(
        &self,
        settings: &ControlSettings,
        patience: Duration,
        beside: Vec<Box<dyn Source>>,
    ) -> Result<Following> {
        let mut sources = beside;
        match &settings.upstreams_conf {
            Some(path) => {
                let (known, writers) = (self.publisher.known_files(), self.writers.clone());
                let files = FileSource::new(path, known, writers, patience);
                sources.push(Box::new(files.withholding(self.main_config.clone())));
            }
            None => info!("no upstreams_conf: configuration through the config API only"),
        }
        self.publisher.follow(sources).map_err(Error::msg)
    }

    /// Spawns the task that writes the discovered layer to the checkpoint: every `every` if it changed, and on shutdown.
    pub(super) fn keep(self, every: Duration, leaving: watch::Receiver<bool>) -> JoinHandle<()> {
        let Self {
            publisher,
            checkpoint,
            kept,
            ..
        } = self;
        let checkpoint = Box::new(checkpoint);
        tokio::spawn(async move {
            publisher
                .keep_discovered(checkpoint, kept, every, leaving)
                .await;
        })
    }
}
