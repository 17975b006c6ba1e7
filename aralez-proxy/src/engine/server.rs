//! Start and stop of the engine.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::core::request::listener_role::ListenerRole;
use crate::engine::accept::defer_accept;
use crate::engine::accept::listener::Bound;
use crate::engine::threads::Threads;
use crate::engine::threads::context::Engine;

/// Parameters of the engine.
#[derive(Debug)]
pub struct Options {
    /// Bound listeners, and what they serve. The caller binds them, so that a port in use is reported before anything runs.
    pub listeners: Vec<(TcpListener, ListenerRole)>,
    /// Number of serving threads.
    pub threads: NonZeroUsize,
}

/// The running engine.
#[derive(Debug)]
pub struct Server {
    threads: Threads,
    /// Duplicate handles of the listeners, for socket options and for a successor. Empty after the close.
    listeners: Vec<TcpListener>,
    /// Any listener uses deferred accept.
    defers: bool,
}

impl Server {
    /// Starts serving.
    ///
    /// # Errors
    /// If a thread cannot be spawned, or a listener cannot be used.
    pub fn start(engine: Engine, options: Options) -> std::io::Result<Self> {
        let defer = engine.limits.defer_accept;
        let mut bound = Vec::with_capacity(options.listeners.len());
        let mut handles = Vec::with_capacity(options.listeners.len());
        let mut defers = false;
        for (listener, role) in options.listeners {
            let listener = Bound::new(listener, role, defer)?;
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

    /// Returns the listeners, for a successor. Empty after the close.
    pub fn listeners(&self) -> &[TcpListener] {
        &self.listeners
    }

    /// Disables deferred accept, since the kernel resets the connections it holds when a listener closes. Returns how long the listeners
    /// must stay open until it holds none.
    pub fn stop_deferring(&self) -> Duration {
        for listener in &self.listeners {
            // A system without this option has deferred nothing.
            let _ = defer_accept::accept_at_once(listener);
        }
        if self.defers {
            defer_accept::RUNS_OUT
        } else {
            Duration::ZERO
        }
    }

    /// Accepts what is in the accept queues, then closes the listeners and the idle connections. Resolves when the listeners are closed;
    /// active exchanges continue.
    pub fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.listeners.clear();
        self.threads.close()
    }

    /// Stops everything, aborting active exchanges.
    pub fn stop(self) {
        self.threads.stop();
    }
}
