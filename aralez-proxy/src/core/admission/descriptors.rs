//! The number of connections that the open-file limit (`RLIMIT_NOFILE`) allows.
//!
//! A client connection needs one descriptor, and each request one more for its endpoint connection or its file. Idle endpoint connections in
//! pools need one each. A reserve is kept for everything that must keep working when clients use up the rest: admin endpoint, cache, stream
//! to control, logs.

use std::num::NonZeroUsize;

/// Descriptors reserved for everything except client and endpoint connections.
const RESERVE: usize = 64;

/// Descriptors of one thread: its runtime, its listener handles, and the folders that it serves.
const PER_THREAD: usize = 14;

/// Pools may hold at most one in this many of the descriptors left for connections.
const POOLS_PART: usize = 4;

/// The proxy cannot serve with fewer descriptors than this.
const LEAST: usize = 8;

/// The configured limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Demand {
    /// `max_connections`; `None` if unlimited.
    pub connections: Option<NonZeroUsize>,
    /// Idle endpoint connections per thread.
    pub pool: usize,
    /// Number of serving threads.
    pub threads: NonZeroUsize,
}

/// The limits that the available descriptors allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    /// Descriptors for client connections and the requests on them.
    pub descriptors: usize,
    /// Maximum number of concurrent client connections.
    pub connections: NonZeroUsize,
    /// Idle endpoint connections per thread.
    pub pool: usize,
}

/// Fits `demand` into `files` descriptors. `None` if these are too few to serve at all.
pub fn fit(files: usize, demand: Demand) -> Option<Allowed> {
    let threads = demand.threads.get();
    let reserve = RESERVE.min(files / 2);
    let left = files.saturating_sub(reserve.saturating_add(threads.saturating_mul(PER_THREAD)));
    let pool = demand.pool.min(left / POOLS_PART / threads);
    let descriptors = left - pool * threads;
    // The last connection still needs a descriptor for its request.
    let most = descriptors.saturating_sub(1);
    let asked = demand.connections.map_or(most, NonZeroUsize::get);
    let connections = NonZeroUsize::new(most.min(asked))?;
    (descriptors >= LEAST).then_some(Allowed {
        descriptors,
        connections,
        pool,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(files: usize, connections: usize, threads: usize) -> Option<(usize, usize, usize)> {
        let demand = Demand {
            connections: NonZeroUsize::new(connections),
            pool: 128,
            threads: NonZeroUsize::new(threads).unwrap(),
        };
        fit(files, demand).map(|allowed| {
            let connections = allowed.connections.get();
            (allowed.descriptors, connections, allowed.pool)
        })
    }

    #[test]
    fn connections_fit_beside_pools_and_the_reserve() {
        assert_eq!(allowed(1 << 20, 50_000, 2), Some((1_048_228, 50_000, 128)));
        assert_eq!(allowed(20_000, 50_000, 2), Some((19_652, 19_651, 128)));
        assert_eq!(allowed(20_000, 0, 2), Some((19_652, 19_651, 128)));
        assert_eq!(allowed(20_000, 100, 2), Some((19_652, 100, 128)));
        assert_eq!(allowed(1_024, 50_000, 2), Some((700, 699, 116)));
        assert_eq!(allowed(120, 50_000, 2), Some((24, 23, 4)));
    }

    #[test]
    fn what_is_allowed_never_takes_the_reserve_whatever_is_asked_for() {
        for files in [64, 100, 256, 1_024, 65_536, usize::MAX] {
            for threads in [1, 2, 8, 64] {
                let Some((descriptors, connections, pool)) = allowed(files, 0, threads) else {
                    continue;
                };
                let taken = descriptors + pool * threads + threads * PER_THREAD;
                assert!(taken + RESERVE.min(files / 2) <= files, "{files} {threads}");
                assert!(connections < descriptors);
            }
        }
    }

    #[test]
    fn too_few_to_serve_at_all_are_told() {
        assert_eq!(allowed(20, 50_000, 1), None);
        assert_eq!(allowed(256, 50_000, 64), None);
    }
}
