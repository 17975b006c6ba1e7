//! A relay between two sockets, TCP or unix, that fails on demand and counts the bytes that pass.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::loopback::Listener;

/// The faults that a relay injects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Closes all connections immediately, new ones too.
    pub cut: bool,
    /// The relay's listening socket is removed: connects fail. Only for a relay between unix sockets.
    pub socket_removed: bool,
    /// Nothing passes, and no connection closes.
    pub stall: bool,
    /// Delay of each read before it is forwarded.
    pub delay: Duration,
    /// Maximum rate in each direction of each connection.
    pub bytes_per_second: Option<u64>,
    /// A connection closes once this many bytes have come back on it.
    pub cut_after: Option<u64>,
    /// A connection closes once this many more bytes have come back on it, counted from when this was set.
    pub cut_within: Option<u64>,
}

/// Traffic since the relay started or [`RelayCounts::forget`] was called.
#[derive(Debug, Default)]
pub struct RelayCounts {
    connections: AtomicU64,
    forth: AtomicU64,
    back: AtomicU64,
}

impl RelayCounts {
    /// Returns the number of accepted connections.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns the bytes that passed from the connecting side to the target.
    pub fn forth(&self) -> u64 {
        self.forth.load(Ordering::Relaxed)
    }

    /// Returns the bytes that passed from the target to the connecting side.
    pub fn back(&self) -> u64 {
        self.back.load(Ordering::Relaxed)
    }

    /// Resets all counters to zero.
    pub fn forget(&self) {
        for counter in [&self.connections, &self.forth, &self.back] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// A running relay. Dropping it closes every connection through it.
#[derive(Debug)]
pub struct FaultProxy {
    faults: watch::Sender<Faults>,
    severed: watch::Sender<u64>,
    counts: Arc<RelayCounts>,
    task: JoinHandle<()>,
    address: Option<SocketAddr>,
}

#[derive(Clone, Debug)]
enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FaultProxy {
    /// Starts a relay from a new loopback port to `target`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn tcp(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let mut relay = Self::spawn(Target::Tcp(target), move |relay| async move {
            relay.accept(listener).await;
        });
        relay.address = Some(address);
        relay
    }

    /// Starts a relay from a socket at `path` to the one at `target`.
    ///
    /// # Panics
    /// If the path cannot be bound.
    pub fn unix(path: &Path, target: &Path) -> Self {
        let bind = |path: &Path| UnixListener::bind(path).expect("a socket path can be bound");
        let (path, first) = (path.to_owned(), bind(path));
        Self::spawn(Target::Unix(target.to_owned()), move |relay| async move {
            let mut faults = relay.faults.clone();
            let mut listener = first;
            loop {
                let accepting = relay.accept(listener);
                tokio::select! {
                    () = accepting => return,
                    gone = faults.wait_for(|faults| faults.socket_removed) => if gone.is_err() { return },
                }
                let _ = std::fs::remove_file(&path);
                if faults
                    .wait_for(|faults| !faults.socket_removed)
                    .await
                    .is_err()
                {
                    return;
                }
                listener = bind(&path);
            }
        })
    }

    /// Returns the address on which a TCP relay listens.
    ///
    /// # Panics
    /// For a unix relay.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("a TCP relay has an address")
    }

    /// Returns the traffic counters.
    pub fn counts(&self) -> &RelayCounts {
        &self.counts
    }

    /// Sets the faults from now on, also for open connections.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// Removes all faults.
    pub fn heal(&self) {
        self.set(Faults::default());
    }

    /// Closes every connection, and new ones until [`FaultProxy::heal`].
    pub fn cut(&self) {
        self.set(Faults {
            cut: true,
            ..Faults::default()
        });
        self.sever();
    }

    /// Closes every connection, and refuses new ones until [`FaultProxy::heal`].
    pub fn remove_socket(&self) {
        self.set(Faults {
            socket_removed: true,
            ..Faults::default()
        });
    }

    /// Closes every connection that is open now; new ones are not affected.
    pub fn sever(&self) {
        self.severed.send_modify(|count| *count += 1);
    }

    /// Lets nothing pass until [`FaultProxy::heal`].
    pub fn stall(&self) {
        self.set(Faults {
            stall: true,
            ..Faults::default()
        });
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(
        target: Target,
        accept: impl FnOnce(Relay) -> F,
    ) -> Self {
        let (faults, watched) = watch::channel(Faults::default());
        let (severed, cuts) = watch::channel(0);
        let counts = Arc::new(RelayCounts::default());
        let relay = Relay {
            target,
            faults: watched,
            severed: cuts,
            counts: Arc::clone(&counts),
        };
        Self {
            faults,
            severed,
            counts,
            task: tokio::spawn(accept(relay)),
            address: None,
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Debug)]
struct Relay {
    target: Target,
    faults: watch::Receiver<Faults>,
    severed: watch::Receiver<u64>,
    counts: Arc<RelayCounts>,
}

impl Relay {
    /// Accepts connections. Dropping the future closes them and the listener.
    async fn accept(&self, listener: impl Listener) {
        let mut connections = JoinSet::new();
        while let Ok(stream) = listener.next().await {
            connections.spawn(self.clone().connection(stream));
        }
    }

    async fn connection(self, near: impl AsyncRead + AsyncWrite) {
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        let (mut faults, mut severed) = (self.faults.clone(), self.severed.clone());
        severed.mark_unchanged();
        let cut = faults.wait_for(|faults| faults.cut);
        tokio::select! {
            _ = cut => {}
            // A counter, not a state: a cut that heals immediately must still close the connections that were open.
            _ = severed.changed() => {}
            () = self.pass(near) => {}
        }
    }

    async fn pass(&self, near: impl AsyncRead + AsyncWrite) {
        match &self.target {
            Target::Tcp(address) => {
                let Ok(far) = TcpStream::connect(address).await else {
                    return;
                };
                let _ = far.set_nodelay(true);
                self.both_ways(near, far).await;
            }
            Target::Unix(path) => {
                let Ok(far) = UnixStream::connect(path).await else {
                    return;
                };
                self.both_ways(near, far).await;
            }
        }
    }

    async fn both_ways(&self, near: impl AsyncRead + AsyncWrite, far: impl AsyncRead + AsyncWrite) {
        let (near_read, near_write) = tokio::io::split(near);
        let (far_read, far_write) = tokio::io::split(far);
        let forth = self.one_way(near_read, far_write, &self.counts.forth, false);
        let back = self.one_way(far_read, near_write, &self.counts.back, true);
        // EOF in either direction closes both: a dead peer is dead for both halves.
        tokio::select! {
            () = forth => {}
            () = back => {}
        }
    }

    async fn one_way(
        &self,
        from: impl AsyncRead,
        to: impl AsyncWrite,
        count: &AtomicU64,
        limited: bool,
    ) {
        tokio::pin!(from, to);
        let mut faults = self.faults.clone();
        let mut passed = 0;
        let mut within = Within::default();
        let mut bytes = vec![0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            let now = match faults.wait_for(|faults| !faults.stall).await {
                Ok(now) => *now,
                Err(_) => return,
            };
            tokio::time::sleep(now.delay + transfer_time(read, now.bytes_per_second)).await;
            let limits = [now.cut_after, within.limit(now.cut_within, passed)];
            let limit = limits.into_iter().flatten().min().filter(|_| limited);
            let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(passed));
            let sent = read.min(usize::try_from(left).unwrap_or(usize::MAX));
            if to.write_all(&bytes[..sent]).await.is_err() || to.flush().await.is_err() {
                return;
            }
            passed += sent as u64;
            count.fetch_add(sent as u64, Ordering::Relaxed);
            if sent < read {
                return;
            }
        }
    }
}

/// The byte count from which [`Faults::cut_within`] is measured: the count at the first read after the fault was set.
#[derive(Clone, Copy, Debug, Default)]
struct Within {
    fault: Option<u64>,
    from: u64,
}

impl Within {
    fn limit(&mut self, fault: Option<u64>, passed: u64) -> Option<u64> {
        if self.fault != fault {
            *self = Self {
                fault,
                from: passed,
            };
        }
        fault.map(|more| self.from + more)
    }
}

fn transfer_time(bytes: usize, per_second: Option<u64>) -> Duration {
    per_second.map_or(Duration::ZERO, |rate| {
        Duration::from_micros(bytes as u64 * 1_000_000 / rate.max(1))
    })
}
