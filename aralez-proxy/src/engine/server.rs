//! Running the engine.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::accept::defer_accept;
use crate::engine::accept::listener::Bound;
use crate::engine::threads::Threads;
use crate::engine::threads::context::Engine;

/// What the engine is started with.
#[derive(Debug)]
pub struct Options {
    /// Bound listeners: a port that is taken is the caller's error, before anything runs.
    pub listeners: Vec<TcpListener>,
    /// Threads that serve requests.
    pub threads: NonZeroUsize,
}

/// The running engine.
#[derive(Debug)]
pub struct Server {
    threads: Threads,
    /// Second handles of the listeners, for their options and for a successor; gone after the close.
    listeners: Vec<TcpListener>,
    /// Whether the kernel holds connections of any of them.
    defers: bool,
}

impl Server {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the system gives no threads, or a listener cannot be used.
    pub fn start(engine: Engine, options: Options) -> std::io::Result<Self> {
        let defer = engine.limits.defer_accept;
        let mut bound = Vec::with_capacity(options.listeners.len());
        let mut handles = Vec::with_capacity(options.listeners.len());
        let mut defers = false;
        for listener in options.listeners {
            let listener = Bound::new(listener, defer)?;
            handles.push(listener.handle()?);
            defers |= listener.defers();
            bound.push(listener);
        }
        Ok(Self {
            threads: Threads::start(&Arc::new(engine), bound, options.threads)?,
            listeners: handles,
            defers,
        })
    }

    /// The listeners, for a successor; none after the close.
    pub fn listeners(&self) -> &[TcpListener] {
        &self.listeners
    }

    /// Connections are accepted when they are established from here on: what the kernel holds back when a listener closes is reset. Gives back
    /// how long the listeners have to stay open until it holds none any more.
    pub fn stop_deferring(&self) -> Duration {
        for listener in &self.listeners {
            // A system that cannot do this has deferred nothing.
            let _ = defer_accept::accept_at_once(listener);
        }
        if self.defers {
            defer_accept::RUNS_OUT
        } else {
            Duration::ZERO
        }
    }

    /// Accepts what is in the accept queues, closes the listeners and the connections on which nothing runs; resolves when the listeners are
    /// closed. What runs goes on.
    pub fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.listeners.clear();
        self.threads.close()
    }

    /// Stops everything, cutting off what still runs.
    pub fn stop(self) {
        self.threads.stop();
    }
}
