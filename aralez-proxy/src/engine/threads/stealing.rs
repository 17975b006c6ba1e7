//! Pingora's listeners on one runtime whose threads take work from each other.

use std::num::NonZeroUsize;
use std::os::fd::IntoRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pingora::listeners::{L4BufferSettings, ListenerConfig};
use pingora::server::{Fds, ListenFds};
use pingora::services::Service as _;
use pingora::services::listening::Service;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Threads;
use crate::engine::listener::Bound;
use crate::engine::mount::Mount;
use crate::engine::worker::{Engine, Worker};

/// How often connections to endpoints that wait are looked at.
const SWEEP: Duration = Duration::from_millis(500);

/// How long tasks get after everything is done or given up.
const STOP_RUNTIME: Duration = Duration::from_secs(1);

/// The runtime.
#[derive(Debug)]
pub struct Stealing {
    runtime: Runtime,
    close: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

impl Stealing {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the system gives no threads, or a listener has no address.
    pub fn start(
        engine: Arc<Engine>,
        listeners: Vec<Bound>,
        threads: NonZeroUsize,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.get())
            .thread_name("serve")
            .enable_all()
            .build()?;
        let worker = Arc::new(Worker::new(engine));
        let (close, closing) = watch::channel(false);
        let mut accepting = Vec::new();
        for listener in listeners {
            let mount = Mount {
                worker: Arc::clone(&worker),
                count: Arc::default(),
            };
            accepting.push(listen(&runtime, mount, listener, closing.clone())?);
        }
        runtime.spawn(async move {
            let mut beat = tokio::time::interval(SWEEP);
            loop {
                beat.tick().await;
                worker.sweep();
            }
        });
        Ok(Self {
            runtime,
            close,
            accepting,
        })
    }
}

fn listen(
    runtime: &Runtime,
    mount: Mount,
    listener: Bound,
    closing: watch::Receiver<bool>,
) -> std::io::Result<JoinHandle<()>> {
    let socket = listener.into_socket();
    let address = socket.local_addr()?.to_string();
    let mut service = Service::new("http".to_owned(), mount);
    // The loop has buffers of its own, so Pingora needs none.
    let unbuffered = L4BufferSettings::unbuffered();
    service.add_listener(ListenerConfig::tcp(&address).l4_buffer(unbuffered));
    // Pingora finds the socket in this table under its address instead of binding one.
    let mut fds = Fds::new();
    fds.add(address, socket.into_raw_fd());
    let table: ListenFds = shared(fds);
    Ok(runtime.spawn(async move {
        service.start_service(Some(table), closing, 1).await;
    }))
}

impl Threads for Stealing {
    fn close(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.close.send_replace(true);
        let accepting = std::mem::take(&mut self.accepting);
        Box::pin(async move {
            for listener in accepting {
                // It can only fail by a panic, which the panic hook has told.
                let _ = listener.await;
            }
        })
    }

    fn stop(self: Box<Self>) {
        self.close.send_replace(true);
        self.runtime.shutdown_timeout(STOP_RUNTIME);
    }
}

/// Pingora's table is behind a lock whose crate it does not re-export; its type follows from where the value goes.
fn shared<T, Lock: From<T>>(value: T) -> Arc<Lock> {
    Arc::new(Lock::from(value))
}
