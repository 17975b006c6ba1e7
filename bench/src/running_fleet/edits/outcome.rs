//! Costs of edits, as table rows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::EditsExtent;
use crate::running_fleet::sites::PATHS;
use crate::running_fleet::spread::{median, words};
use crate::running_fleet::table::{self, Row};

/// Result of the measurement.
#[derive(Clone, Debug, Default)]
pub struct EditsOutcome {
    /// Socket bytes in both directions, for each edit and each proxy it reached.
    pub edit_bytes: Vec<u64>,
    /// Control's processor time for each edit until the commit. It does not depend on the number of nodes.
    pub reading: Vec<Duration>,
    /// Control's processor time after the commit, for each edit that reached one node.
    pub alone: Vec<Duration>,
    /// The same for each edit that reached all nodes.
    pub together: Vec<Duration>,
    /// Socket bytes in both directions, for each reconnect of a proxy that runs the newest version.
    pub return_bytes: Vec<u64>,
    /// Duration of each apply while no other proxy applied, from the proxies' logs.
    pub applies: Vec<Duration>,
    /// The same while all proxies applied on the same cores.
    pub crowded: Vec<Duration>,
    /// Time from the start of a process to its first response, without control.
    pub starts: Vec<Duration>,
}

impl EditsOutcome {
    /// Returns control's processor time per additional node for an edit.
    pub fn each_node(&self, extent: &EditsExtent) -> Duration {
        let more = median(&self.together).saturating_sub(median(&self.alone));
        more / u32::try_from(extent.nodes - 1).unwrap_or(1).max(1)
    }

    /// Returns the table rows.
    pub fn rows(&self, extent: &EditsExtent) -> Vec<Row> {
        let size = format!("{} hosts x {PATHS} paths", extent.hosts);
        vec![
            self.edit_row(&size),
            self.control_row(&size, extent),
            self.return_row(&size),
            self.apply_row(&size, extent),
            self.start_row(&size),
        ]
    }

    fn edit_row(&self, size: &str) -> Row {
        let edit = self.edit_bytes.iter().max().copied().unwrap_or(0);
        table::goal(
            &format!("{size}: one-host edit, socket bytes per proxy, both directions, maximum"),
            "≤ 4,096",
            format!("{edit} ({})", spread(&self.edit_bytes)),
            edit <= 4096,
        )
    }

    fn control_row(&self, size: &str, extent: &EditsExtent) -> Row {
        let each = self.each_node(extent);
        table::goal(
            &format!(
                "{size}: one-host edit, control's CPU time per node: slope from 1 to {} nodes after the commit, medians of {} edits",
                extent.nodes, extent.edits
            ),
            "≤ 5 ms",
            format!(
                "{}; before the commit {}, after it with one node {}",
                words(each),
                words(median(&self.reading)),
                words(median(&self.alone))
            ),
            each <= Duration::from_millis(5),
        )
    }

    fn return_row(&self, size: &str) -> Row {
        let back = self.return_bytes.iter().max().copied().unwrap_or(0);
        table::goal(
            &format!(
                "{size}: reconnect without changes, socket bytes, both directions, maximum of {}",
                self.return_bytes.len()
            ),
            "≤ 1,024",
            back.to_string(),
            back <= 1024,
        )
    }

    fn apply_row(&self, size: &str, extent: &EditsExtent) -> Row {
        let applies = most(&self.applies);
        table::goal(
            &format!(
                "{size}: time to apply a one-host edit, as logged by the proxy, maximum of {}",
                self.applies.len()
            ),
            "≤ 5 ms",
            format!(
                "{} (p50 {}); {} proxies on the same cores applying at the same time: maximum {}, p50 {}",
                words(applies),
                words(median(&self.applies)),
                extent.nodes,
                words(most(&self.crowded)),
                words(median(&self.crowded))
            ),
            applies <= Duration::from_millis(5),
        )
    }

    fn start_row(&self, size: &str) -> Row {
        let starts = most(&self.starts);
        table::goal(
            &format!(
                "{size}: cold start from the cache without control, process start → first response, maximum of {}",
                self.starts.len()
            ),
            "≤ 300 ms",
            format!("{} (p50 {})", words(starts), words(median(&self.starts))),
            starts <= Duration::from_millis(300),
        )
    }
}

fn most(times: &[Duration]) -> Duration {
    times.iter().max().copied().unwrap_or_default()
}

/// Formats the three most frequent numbers with their counts.
fn spread(numbers: &[u64]) -> String {
    let mut counts = BTreeMap::new();
    for number in numbers {
        *counts.entry(*number).or_insert(0) += 1;
    }
    let mut counts: Vec<(u64, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown = counts.iter().take(3);
    let shown: Vec<_> = shown
        .map(|(number, count)| format!("{count} x {number}"))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_costs_is_the_slope_and_not_the_reading() {
        let extent = EditsExtent {
            hosts: 1,
            nodes: 5,
            edits: 2,
            repeats: 0,
        };
        let outcome = EditsOutcome {
            alone: vec![Duration::from_millis(500); 2],
            together: vec![Duration::from_millis(508); 2],
            ..EditsOutcome::default()
        };
        assert_eq!(outcome.each_node(&extent), Duration::from_millis(2));
    }
}
