//! The node's counts as Prometheus text.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::core::traffic::{Event, Histogram, Traffic};

#[cfg(test)]
mod tests;

/// A registry that shows this traffic.
pub fn registry(traffic: Arc<Traffic>) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Shown(traffic)));
    registry
}

#[derive(Debug)]
struct Shown(Arc<Traffic>);

impl Collector for Shown {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let traffic = &*self.0;
        let mut page = Page(encoder);
        page.counter("aralez_requests", "Requests received", traffic.requests())?;
        let statuses = traffic
            .by_status()
            .map(|(status, n)| (status.to_string(), n));
        page.counters(
            "aralez_responses",
            "Responses sent, by status",
            "status",
            statuses,
        )?;
        page.counters(
            "aralez_requests_by_method",
            "Requests received, by method",
            "method",
            traffic.by_method(),
        )?;
        page.counters(
            "aralez_requests_by_version",
            "Requests received, by version",
            "version",
            traffic.by_version(),
        )?;
        let counted = [
            (
                "aralez_errors",
                "Requests that did not end as HTTP intends",
                Event::Error,
            ),
            ("aralez_retries", "Tries at another endpoint", Event::Retry),
            (
                "aralez_endpoint_connects",
                "New connections to endpoints",
                Event::Connected,
            ),
            (
                "aralez_endpoint_reuses",
                "Requests sent on a kept connection",
                Event::Reused,
            ),
            (
                "aralez_endpoint_connect_failures",
                "Endpoints that could not be connected to",
                Event::ConnectFailed,
            ),
            (
                "aralez_panics",
                "Panics, each contained in its task",
                Event::Panic,
            ),
        ];
        for (name, help, event) in counted {
            page.counter(name, help, traffic.events(event))?;
        }
        let in_flight = traffic.in_flight() as u64;
        page.gauge(
            "aralez_requests_in_flight",
            "Requests that are being served",
            in_flight,
        )?;
        page.histogram(
            "aralez_request_latency_seconds",
            "From the request's head to the end of its response",
            &traffic.request_latency,
        )?;
        page.histogram(
            "aralez_response_latency_seconds",
            "From the request's head to the head of its response",
            &traffic.response_latency,
        )
    }
}

/// One page of metrics as it is written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    fn counters<L: AsRef<str>>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl Iterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            let labels = [(label, value.as_ref())];
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    fn histogram<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        times: &Histogram<N>,
    ) -> fmt::Result {
        let buckets = times.buckets();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(times.sum(), count, &buckets, None)
    }
}
