//! The checkpoint of what sources found: written while control runs, and at its end.

use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use super::Publisher;
use crate::core::checkpoint::Checkpoint;
use crate::core::layers::Discovered;

/// Between two writes: what is found meanwhile is lost where control is killed, and found again.
pub const CHECKPOINT: Duration = Duration::from_secs(30);

impl Publisher {
    /// Keeps what sources find: `every` so often where it changed, and once more when control leaves. `kept` is what was read at the start.
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
    /// `None` while it is written, and for good where that ended in a defect.
    checkpoint: Option<Box<dyn Checkpoint>>,
    kept: Discovered,
}

impl Keeper {
    /// Writes this where it is not what is kept, on a thread that may take its time.
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
                warn!("what sources found is not kept, a restart would begin without it: {reason}");
            }
        }
    }
}
