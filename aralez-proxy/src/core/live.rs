//! What serves now: one pointer, loaded once per request, swapped as a whole.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;
use arc_swap::{ArcSwap, Guard};

use crate::core::request::table::Table;

/// Where the live table came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Origin {
    /// Control sent it.
    Stream,
    /// The cache on disk had it.
    Cache,
    /// Nothing was ever loaded: answer 503 with `Retry-After`.
    #[default]
    None,
}

impl Origin {
    /// The name in `/version`, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Cache => "cache",
            Self::None => "none",
        }
    }
}

/// A table with the snapshot that it was compiled from.
#[derive(Debug)]
pub struct LiveTable {
    /// What requests are decided by.
    pub table: Table,
    /// What the table says, as control said it.
    pub snapshot: SharedSnapshot,
    /// Where it came from.
    pub origin: Origin,
    /// When it began to serve.
    pub since: Instant,
}

/// The one pointer to the table that serves.
#[derive(Debug)]
pub struct Live {
    table: ArcSwap<LiveTable>,
    first: OnceLock<Instant>,
}

impl Live {
    /// Nothing is loaded yet.
    pub fn new(now: Instant) -> Self {
        Self {
            table: ArcSwap::from_pointee(LiveTable {
                table: Table::empty(),
                snapshot: SharedSnapshot::default(),
                origin: Origin::None,
                since: now,
            }),
            first: OnceLock::new(),
        }
    }

    /// What serves now. Lock-free. A request that outlives the hook which loaded it takes the `Arc` out of the guard.
    pub fn load(&self) -> Guard<Arc<LiveTable>> {
        self.table.load()
    }

    /// Serves another table from here on. Requests that began before finish by the one they loaded.
    pub fn publish(&self, next: LiveTable) {
        self.first.get_or_init(|| next.since);
        self.table.store(Arc::new(next));
    }

    /// When the first table began to serve; `None`: nothing was ever loaded.
    pub fn first(&self) -> Option<Instant> {
        self.first.get().copied()
    }
}
