//! Running the engine.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::listener::Bound;
use super::threads::Threads;
use super::worker::Engine;

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
pub struct Server(Threads);

impl Server {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the system gives no threads, or a listener cannot be used.
    pub fn start(engine: Engine, options: Options) -> std::io::Result<Self> {
        let defer = engine.limits.defer_accept;
        let listeners = options.listeners.into_iter();
        let listeners: std::io::Result<Vec<_>> = listeners
            .map(|listener| Bound::new(listener, defer))
            .collect();
        let threads = Threads::start(&Arc::new(engine), &listeners?, options.threads)?;
        Ok(Self(threads))
    }

    /// Closes the listeners and the connections on which nothing runs; resolves when that is done. What runs goes on.
    pub fn close(&mut self) -> impl Future<Output = ()> + use<> {
        self.0.close()
    }

    /// Stops everything, cutting off what still runs.
    pub fn stop(self) {
        self.0.stop();
    }
}
