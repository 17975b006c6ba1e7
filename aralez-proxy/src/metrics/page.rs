//! Encoding of one metrics page.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::core::traffic::Histogram;

/// The page. The encoder appends `_total` to counter names.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        count(self.start(name, help, MetricType::Counter)?, value)
    }

    pub(super) fn counters<Label: AsRef<str>>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (Label, u64)>,
    ) -> fmt::Result {
        let mut metric = self.start(name, help, MetricType::Counter)?;
        for (value, total) in values {
            let labels = [(label, value.as_ref())];
            count(metric.encode_family(&labels)?, total)?;
        }
        Ok(())
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self.start(name, help, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> fmt::Result {
        let mut metric = self.start(name, help, MetricType::Gauge)?;
        for (value, now) in values {
            let labels = [(label, value)];
            metric.encode_family(&labels)?.encode_gauge(&now)?;
        }
        Ok(())
    }

    pub(super) fn labelled<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, String); N],
        value: u64,
    ) -> fmt::Result {
        let labels = labels.each_ref().map(|(key, value)| (*key, value.as_str()));
        let mut metric = self.start(name, help, MetricType::Gauge)?;
        metric.encode_family(&labels)?.encode_gauge(&value)
    }

    pub(super) fn histogram<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        times: &Histogram<N>,
    ) -> fmt::Result {
        let buckets = times.buckets();
        let total = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = self.start(name, help, MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(times.sum(), total, &buckets, None)
    }

    fn start<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }
}

fn count(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
}
