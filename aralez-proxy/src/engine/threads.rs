//! The serving threads, by default one per core, each with its own current-thread runtime, connections and pool. A connection and all its
//! requests stay on one thread.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::engine::accept::dispatch::{Acceptor, Dispatched, ThreadHandle};
use crate::engine::accept::entry::Incoming;
use crate::engine::accept::listener::{self, Bound};
use crate::engine::threads::context::{Engine, ThreadContext};

pub mod context;

/// Interval at which idle endpoint connections are checked.
const SWEEP: Duration = Duration::from_millis(500);

/// The serving threads.
#[derive(Debug)]
pub struct Threads {
    threads: Vec<JoinHandle<()>>,
    close: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    /// Closes when every listener is closed.
    listening: Option<mpsc::Receiver<()>>,
}

impl Threads {
    /// Starts serving.
    ///
    /// # Errors
    /// If a thread cannot be spawned, or a listener cannot be used.
    pub fn start(
        engine: &Arc<Engine>,
        listeners: Vec<Bound>,
        count: NonZeroUsize,
    ) -> std::io::Result<Self> {
        let (close, closing) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let (open, listening) = mpsc::channel(1);
        let (handles, inboxes): (Vec<_>, Vec<_>) =
            (0..count.get()).map(|_| ThreadHandle::new()).unzip();
        let handles: Arc<[ThreadHandle<Incoming>]> = handles.into();
        let mut threads = Vec::with_capacity(count.get());
        // The first thread accepts for all: if every thread accepted, one connection would wake them all.
        let mut listeners = Some(listeners);
        for (own, arrivals) in inboxes.into_iter().enumerate() {
            let acceptor = Acceptor {
                worker: Arc::new(ThreadContext::new(Arc::clone(engine))),
                threads: Arc::clone(&handles),
                own,
                closing: closing.clone(),
            };
            let thread = Thread {
                runtime: tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?,
                acceptor,
                listeners: listeners.take().unwrap_or_default(),
                arrivals,
                open: open.clone(),
                stopped: stopped.clone(),
            };
            let name = format!("serve-{own}");
            threads.push(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(|| thread.run())?,
            );
        }
        Ok(Self {
            threads,
            close,
            stop,
            listening: Some(listening),
        })
    }

    /// Closes the listeners and the idle connections. Resolves when the listeners are closed; active exchanges continue.
    pub fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.close.send_replace(true);
        let listening = self.listening.take();
        async move {
            if let Some(mut listening) = listening {
                // Nothing is ever sent: the channel closes when the last listener task drops its sender.
                let _ = listening.recv().await;
            }
        }
    }

    /// Stops everything, aborting active exchanges.
    pub fn stop(self) {
        self.close.send_replace(true);
        self.stop.send_replace(true);
        for thread in self.threads {
            // A join fails only after a panic, which the panic hook has logged.
            let _ = thread.join();
        }
    }
}

/// Initial state of one thread.
struct Thread {
    runtime: Runtime,
    acceptor: Acceptor,
    listeners: Vec<Bound>,
    arrivals: mpsc::UnboundedReceiver<Dispatched<Incoming>>,
    open: mpsc::Sender<()>,
    stopped: watch::Receiver<bool>,
}

impl Thread {
    fn run(self) {
        let Self {
            runtime,
            acceptor,
            listeners,
            arrivals,
            open,
            mut stopped,
        } = self;
        let worker = Arc::clone(&acceptor.worker);
        runtime.block_on(async move {
            for listener in listeners {
                let (acceptor, open) = (acceptor.clone(), open.clone());
                tokio::spawn(async move {
                    listener::accept(acceptor, listener).await;
                    drop(open);
                });
            }
            drop(open);
            tokio::spawn(acceptor.receive(arrivals));
            let looking = Arc::clone(&worker);
            tokio::spawn(async move { looking.unwatched.look().await });
            tokio::spawn(async move {
                let mut beat = tokio::time::interval(SWEEP);
                loop {
                    beat.tick().await;
                    worker.sweep();
                }
            });
            // A dropped sender counts as stop.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        // Dropping the runtime aborts the remaining tasks.
    }
}
