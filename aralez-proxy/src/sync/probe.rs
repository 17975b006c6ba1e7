//! Probes: check whether a control server is reachable, without sending it anything.

use std::time::Duration;

use aralez_proto::main_config::ControlAddress;
use tokio::task::JoinSet;

use super::stream;

/// Connect timeout. If a connect hangs, the next probe is due soon.
const LIMIT: Duration = Duration::from_millis(400);

/// The pending probes. They are aborted on drop.
#[derive(Debug, Default)]
pub(super) struct Probes(JoinSet<Option<usize>>);

impl Probes {
    /// Connects to a server and closes the connection immediately.
    pub(super) fn start(&mut self, server: usize, address: ControlAddress) {
        self.0.spawn(async move {
            let reached = stream::reach(&address, LIMIT).await;
            reached.is_ok().then_some(server)
        });
    }

    /// Returns the next server that was reached. Pending forever if there is none.
    pub(super) async fn reached(&mut self) -> usize {
        while let Some(ended) = self.0.join_next().await {
            if let Ok(Some(server)) = ended {
                return server;
            }
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    fn probes(path: &Path) -> Probes {
        let mut probes = Probes::default();
        probes.start(3, ControlAddress::Unix(path.to_owned()));
        probes
    }

    /// Returns the server a probe reached. `None` if there is none within twice the limit.
    async fn says(mut probes: Probes) -> Option<usize> {
        let reached = tokio::time::timeout(LIMIT * 2, probes.reached());
        reached.await.ok()
    }

    #[tokio::test]
    async fn a_probe_tells_a_server_that_accepts_from_one_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        assert_eq!(says(probes(&path)).await, None, "no socket at all");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(says(probes(&path)).await, Some(3));
        let (mut probe, _) = listener.accept().unwrap();
        let sent = std::io::Read::read(&mut probe, &mut [0]).unwrap();
        assert_eq!(sent, 0, "it closes at once and says nothing");
        drop(listener);
        assert_eq!(says(probes(&path)).await, None, "the socket of a dead one");
    }

    #[tokio::test]
    async fn a_probe_of_a_server_that_takes_nobody_ends_within_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        // The accept queue is full, and no one accepts from it.
        let mut waiting = Vec::new();
        while let Ok(stream) = tokio::net::UnixStream::connect(&path).await {
            waiting.push(stream);
        }
        let start = Instant::now();
        let mut probes = probes(&path);
        let ended = probes.0.join_next().await.unwrap().unwrap();
        assert_eq!(ended, None);
        assert!(start.elapsed() < LIMIT * 2);
    }
}
