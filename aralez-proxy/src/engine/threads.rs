//! How the engine's work is spread over threads.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use super::listener::Bound;
use super::worker::Engine;

mod per_core;
mod stealing;

pub use per_core::PerCore;
pub use stealing::Stealing;

/// Threads that serve.
pub trait Threads: Send + Sync + std::fmt::Debug {
    /// Closes the listeners and the connections on which nothing runs; resolves when that is done. What runs goes on.
    fn close(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Stops everything, cutting off what still runs.
    fn stop(self: Box<Self>);
}

/// Which way the work is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Model {
    /// One thread for each core, each with its own runtime, connections and pool. Nothing is shared while a request runs.
    #[default]
    PerCore,
    /// Pingora's listeners on one runtime whose threads take work from each other. It is measured beside the other, and where the
    /// listeners for TLS will be.
    Stealing,
}

impl Model {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where the system gives no threads, or a listener cannot be used.
    pub fn start(
        self,
        engine: Arc<Engine>,
        listeners: Vec<Bound>,
        threads: NonZeroUsize,
    ) -> std::io::Result<Box<dyn Threads>> {
        Ok(match self {
            Self::PerCore => Box::new(PerCore::start(&engine, &listeners, threads)?),
            Self::Stealing => Box::new(Stealing::start(engine, listeners, threads)?),
        })
    }
}
