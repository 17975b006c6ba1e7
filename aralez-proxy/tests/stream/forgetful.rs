//! A proxy that cannot write its cache continues to serve, and reports the problem until a write succeeds.

use std::sync::atomic::{AtomicBool, Ordering};

use aralez_proto::hash::Digest;
use aralez_proxy::core::sync::snapshot_cache::{CachedState, NotCached};

use super::*;

/// A cache whose writes fail while `full` is set.
struct Forgetful {
    full: Arc<AtomicBool>,
}

impl SnapshotCache for Forgetful {
    fn boot(&mut self, _: &Limits) -> CachedState {
        CachedState::default()
    }

    fn pin(&mut self, _: &[u8]) {}

    fn swap(&mut self, _: Digest) {}

    fn proved(&mut self, _: Digest) {}

    fn clean_exit(&mut self) {}

    fn save_marks(&mut self) -> Result<(), NotCached> {
        Ok(())
    }

    fn keep(&mut self, _: &Snapshot) -> Result<(), NotCached> {
        if self.full.load(Ordering::SeqCst) {
            return Err(NotCached("no space left on device".to_owned()));
        }
        Ok(())
    }
}

/// F-10: the problem is reported until the next successful write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_does_not_stop_serving_and_is_told_until_it_is_over() {
    let folder = TempDir::new().unwrap();
    let mut control = control(folder.path());
    let full = Arc::new(AtomicBool::new(true));
    let memory = Forgetful {
        full: Arc::clone(&full),
    };
    let proxy = Proxy::with(folder.path(), Box::new(memory));
    let (mut session, _) = control.accept().await;
    let first = snapshot(2);
    session.welcome(1, &first).await;
    session.update(1, None, &first).await;
    session.ack().await;
    let told = session.status(|status| !status.troubles.is_empty()).await;
    assert_eq!(told.troubles, ["no space left on device"]);
    assert_eq!((proxy.running().0, told.persisted), (first.version(), None));
    full.store(false, Ordering::SeqCst);
    session.update(2, Some(&first), &snapshot(3)).await;
    session.ack().await;
    let status = proxy
        .status(|status| status.persisted == Some(snapshot(3).version()))
        .await;
    assert!(status.troubles.is_empty());
    proxy.stop();
}
