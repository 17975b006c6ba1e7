//! The checkpoint of discovered endpoints: written while control runs, and at shutdown.

use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use super::Publisher;
use crate::core::checkpoint::Checkpoint;
use crate::core::layers::Discovered;

/// Interval between writes. Endpoints found since the last write are lost if control is killed, and found again later.
pub const CHECKPOINT: Duration = Duration::from_secs(30);

impl Publisher {
    /// Writes discovered endpoints to the checkpoint: at interval `every` if they changed, and once more at shutdown. `kept` is the content
    /// that was read at the start.
    pub async fn keep_discovered(
        &self,
        checkpoint: Box<dyn Checkpoint>,
        kept: Discovered,
        every: Duration,
        mut leaving: watch::Receiver<bool>,
    ) {
        let mut keeper = Keeper {
            checkpoint: Some(checkpoint),
            kept,
        };
        loop {
            let left = leaving.wait_for(|leaving| *leaving);
            let ends = tokio::time::timeout(every, left).await.is_ok();
            if let Ok(found) = self.work(|writer| writer.worth_keeping()).await {
                keeper.keep(found).await;
            }
            if ends {
                return;
            }
        }
    }
}

struct Keeper {
    /// `None` while a write runs, and permanently if the write panicked.
    checkpoint: Option<Box<dyn Checkpoint>>,
    kept: Discovered,
}

impl Keeper {
    /// Writes `found` if it differs from the last checkpoint, on a blocking thread.
    async fn keep(&mut self, found: Discovered) {
        let Some(mut checkpoint) = self.checkpoint.take_if(|_| found != self.kept) else {
            return;
        };
        let write = move || {
            let written = checkpoint.write(&found);
            (checkpoint, written.map(|()| found))
        };
        let Ok((checkpoint, written)) = tokio::task::spawn_blocking(write).await else {
            return;
        };
        self.checkpoint = Some(checkpoint);
        match written {
            Ok(found) => self.kept = found,
            Err(reason) => {
                warn!(
                    "checkpoint of discovered endpoints not written, a restart would begin without them: {reason}"
                );
            }
        }
    }
}
