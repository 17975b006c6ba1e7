//! The node's counts as Prometheus text.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

use crate::core::live::{Live, Origin};
use crate::core::traffic::{Tally, Traffic, TrafficEvent};

mod connections;
mod page;
#[cfg(test)]
mod tests;

use page::Page;

/// The sources of the metrics.
pub struct Observed {
    /// Traffic counters.
    pub traffic: Arc<Traffic>,
    /// The live table.
    pub live: Arc<Live>,
    /// Returns the number of clients that are counted for limits.
    pub limit_keys: Box<dyn Fn() -> usize + Send + Sync>,
    /// Returns whether the stream to control is open.
    pub connected: Box<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").finish_non_exhaustive()
    }
}

/// Returns a registry that reads the sources at every scrape.
pub fn registry(observed: Observed) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(observed));
    registry
}

impl Collector for Observed {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        let tally = self.traffic.sum();
        requests(&mut page, &tally)?;
        events(&mut page, &tally)?;
        connections::show(&mut page, &tally)?;
        let help = "Clients counted for rate_limit and x4xx_limit, per host or path";
        page.gauge("aralez_limit_keys", help, (self.limit_keys)() as u64)?;
        snapshot(&mut page, &self.live)?;
        let connected = u64::from((self.connected)());
        let help = "Whether the stream to control is open";
        page.gauge("aralez_control_connected", help, connected)
    }
}

/// Help text of `aralez_requests`.
const REQUESTS: &str =
    "Requests received: every head that was read, and every head that was refused with a response";

fn requests(page: &mut Page<'_>, tally: &Tally) -> fmt::Result {
    page.counter("aralez_requests", REQUESTS, tally.requests())?;
    let statuses = tally.by_status();
    let statuses = statuses.map(|(status, count)| (status.to_string(), count));
    let help = "Final responses sent to clients, by status; at most one per request of aralez_requests, none if the client left";
    page.counters("aralez_responses", help, "status", statuses)?;
    let help = "Requests received, by method; OTHER counts other methods and requests whose head was refused";
    let methods = tally.by_method();
    page.counters("aralez_requests_by_method", help, "method", methods)?;
    let help = "Requests received, by version; OTHER counts requests whose head was refused";
    let versions = tally.by_version();
    page.counters("aralez_requests_by_version", help, "version", versions)?;
    let help = "Time from the request head to the end of the response or tunnel; excludes requests whose head was refused";
    let times = &tally.request_latency;
    page.histogram("aralez_request_latency_seconds", help, times)?;
    let help = "Time from the request head to the response head";
    let times = &tally.response_latency;
    page.histogram("aralez_response_latency_seconds", help, times)
}

/// Plain event counters: name, help text, event.
const EVENTS: [(&str, &str, TrafficEvent); 13] = [
    (
        "aralez_errors",
        "Requests that failed: connect failure, timeout, invalid response, truncation, abort or client disconnect",
        TrafficEvent::Error,
    ),
    ("aralez_retries", "Request retries", TrafficEvent::Retry),
    (
        "aralez_endpoint_connects",
        "New connections to endpoints",
        TrafficEvent::Connected,
    ),
    (
        "aralez_endpoint_reuses",
        "Requests sent on a reused endpoint connection",
        TrafficEvent::Reused,
    ),
    (
        "aralez_endpoint_connect_failures",
        "Failed connects to endpoints, except for local failures",
        TrafficEvent::ConnectFailed,
    ),
    (
        "aralez_endpoint_connect_local_failures",
        "Failed connects to endpoints for lack of file descriptors, local ports or memory",
        TrafficEvent::ConnectLocal,
    ),
    (
        "aralez_endpoint_stale",
        "Keep-alive connections that the endpoint had closed when a request was sent on them",
        TrafficEvent::Stale,
    ),
    (
        "aralez_endpoint_unexpected_data",
        "Keep-alive connections on which the endpoint sent unsolicited data",
        TrafficEvent::UnexpectedData,
    ),
    (
        "aralez_truncated",
        "Responses that the client did not receive completely",
        TrafficEvent::Truncated,
    ),
    (
        "aralez_clients_gone",
        "Clients that disconnected before their response was complete",
        TrafficEvent::ClientGone,
    ),
    (
        "aralez_client_connections_accepted",
        "Client connections accepted",
        TrafficEvent::Accepted,
    ),
    (
        "aralez_client_connections_evicted",
        "Idle client connections closed to accept new ones at a connection limit",
        TrafficEvent::Evicted,
    ),
    (
        "aralez_panics",
        "Panics, each contained in its task",
        TrafficEvent::Panic,
    ),
];

fn events(page: &mut Page<'_>, tally: &Tally) -> fmt::Result {
    for (name, help, event) in EVENTS {
        page.counter(name, help, tally.events(event))?;
    }
    let help = "Requests in flight";
    page.gauge("aralez_requests_in_flight", help, tally.in_flight() as u64)
}

fn snapshot(page: &mut Page<'_>, live: &Live) -> fmt::Result {
    let live = live.load();
    let version = live.snapshot.version();
    let labels = [
        ("generation", version.generation.to_string()),
        ("revision", version.revision.to_string()),
        // Not the root of all records: every endpoint change would start a new time series.
        ("authored_root", version.authored_root.to_string()),
    ];
    page.labelled("aralez_snapshot_info", "The serving snapshot", &labels, 1)?;
    let sources = [Origin::Stream, Origin::Cache, Origin::None]
        .map(|origin| (origin.name(), u64::from(origin == live.origin)));
    let help = "Origin of the serving snapshot";
    page.gauges("aralez_snapshot_source", help, "source", sources)?;
    let help = "Time for which this snapshot has been serving";
    let age = live.since.elapsed().as_secs();
    page.gauge("aralez_snapshot_age_seconds", help, age)
}
