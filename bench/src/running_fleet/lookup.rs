//! Route lookup in a table in isolation: no socket, no request.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::matcher::{PlainGet, RequestPath};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::core::request::registry::Registry;
use aralez_proxy::core::request::table::Table;

use super::sites::{self, PATHS, Sites};
use super::spread::rank;
use super::table::{self, Row};

/// Samples of the time that two clock reads take.
const CLOCK: usize = 10_000;
/// Hosts per document.
const PART: usize = 10_000;

/// Size of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct LookupExtent {
    /// Number of hosts in the table.
    pub hosts: usize,
    /// Number of lookups.
    pub lookups: usize,
}

/// Returns the time of each lookup, less the overhead of reading the clock.
///
/// # Panics
/// If a route is not found.
pub fn measure(extent: &LookupExtent) -> Vec<Duration> {
    let table = table(extent.hosts);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut asked = Vec::with_capacity(extent.lookups);
    for _ in 0..extent.lookups {
        let host = sites::host(random.below(extent.hosts));
        asked.push((host, format!("{}/more", sites::route(random.below(PATHS)))));
    }
    let clock = clock();
    let lookup = |(host, path): &(String, String)| {
        let path = RequestPath::parse(path).expect("the path is right");
        let start = Instant::now();
        let route = table
            .routes()
            .host(host)
            .and_then(|host| host.route(&path, &PlainGet).ok().flatten());
        let found = black_box(route).is_some();
        let took = start.elapsed();
        assert!(found, "{host}{} has a route", path.forwarded());
        took.saturating_sub(clock)
    };
    asked.iter().map(lookup).collect()
}

fn table(hosts: usize) -> Table {
    let any = ([127, 0, 0, 1], 1).into();
    let sites = Sites {
        hosts,
        servers: [any, ([127, 0, 0, 1], 2).into()],
        first: 0,
        all: 0,
    };
    let mut records = Vec::new();
    // In several documents: a single one with all hosts would exceed the size limit.
    for from in (0..hosts).step_by(PART) {
        let text = sites.part(from..hosts.min(from + PART));
        let set = DocumentSet::of_main(text.into());
        let authored =
            document::read(&set, &Surroundings::default()).expect("the document is right");
        records.extend(document::records(&authored, None).iter().cloned());
    }
    let records = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default());
    let snapshot = snapshot.expect("the snapshot is right");
    Table::build(&snapshot, &Registry::default())
}

/// Returns the median time that two clock reads take.
fn clock() -> Duration {
    let mut times: Vec<_> = (0..CLOCK).map(|_| Instant::now().elapsed()).collect();
    times.sort_unstable();
    times[CLOCK / 2]
}

/// Returns the table rows.
pub fn rows(extent: &LookupExtent, times: &[Duration]) -> Vec<Row> {
    let nanoseconds = |percent| rank(times, percent).as_nanos();
    vec![table::figure(
        &format!(
            "{} hosts x {PATHS} paths: lookup of host and path in the table, {} random requests: p50, p99",
            extent.hosts, extent.lookups
        ),
        format!("{} ns, {} ns", nanoseconds(50.0), nanoseconds(99.0)),
    )]
}

/// Reproducible pseudo-random numbers from a seed (xorshift64*).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// Returns the next number, below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize % end
    }
}
