//! The table that serves now: one pointer, loaded once per request and swapped as a whole.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;
use arc_swap::{ArcSwap, Guard};

use crate::core::request::table::Table;

/// Origin of the live table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Origin {
    /// Received from control.
    Stream,
    /// Read from the cache on disk.
    Cache,
    /// No table was ever loaded: requests get a 503 with `Retry-After`.
    #[default]
    None,
}

impl Origin {
    /// Returns the name in `/version`, metrics and logs.
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
    /// The table that decides requests.
    pub table: Table,
    /// The snapshot that the table was compiled from.
    pub snapshot: SharedSnapshot,
    /// The origin of the table.
    pub origin: Origin,
    /// The time at which the table began to serve.
    pub since: Instant,
}

/// The pointer to the table that serves.
#[derive(Debug)]
pub struct Live {
    table: ArcSwap<LiveTable>,
    first: OnceLock<Instant>,
}

impl Live {
    /// Starts with an empty table of [`Origin::None`].
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

    /// Returns the table that serves now. Lock-free. To keep it for long, take the `Arc` out of the guard.
    pub fn load(&self) -> Guard<Arc<LiveTable>> {
        self.table.load()
    }

    /// Swaps in another table. Requests that have already loaded the previous one finish with it.
    pub fn publish(&self, next: LiveTable) {
        self.first.get_or_init(|| next.since);
        self.table.store(Arc::new(next));
    }

    /// Returns the time at which the first table began to serve. `None` if no table was ever loaded.
    pub fn first(&self) -> Option<Instant> {
        self.first.get().copied()
    }
}
