//! The report: Markdown that is readable as plain text.

use std::fmt::Write;

use super::compare::{Cell, Sample, Series};
use super::idle::{self, Held};
use super::options::Kind;
use super::statistics::{Ratio, median};

/// Maximum number of system calls listed by name.
const NAMED: usize = 6;
/// Highest acceptable ratio of our processor time to that of the other build.
const NOT_WORSE: f64 = 1.03;

/// Returns a table with one line per cell: our processor time relative to that of the other proxies, and whether the goal is met.
pub fn goals(cells: &[Cell]) -> String {
    let mut text = "| scenario | workers | connections | CPU / nginx | goal | CPU / HAProxy | goal | CPU / pingora | p99 / nginx | p99 / HAProxy | CPU / before | goal | CPU / plain | goal |\n\
                    |---|--:|--:|---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for cell in cells {
        let nginx = ratio(cell, Kind::Nginx, |sample| sample.processor);
        let haproxy = ratio(cell, Kind::Haproxy, |sample| sample.processor);
        let before = ratio(cell, Kind::Before, |sample| sample.processor);
        let plain = ratio(cell, Kind::Plain, |sample| sample.processor);
        let columns = [
            cell.scenario.title().to_owned(),
            cell.workers.to_string(),
            cell.connections.to_string(),
            shown(nginx),
            goal(nginx, cell.scenario.goal_nginx()),
            shown(haproxy),
            goal(haproxy, cell.scenario.goal_haproxy()),
            shown(ratio(cell, Kind::Pingora, |sample| sample.processor)),
            shown(ratio(cell, Kind::Nginx, |sample| sample.p99)),
            shown(ratio(cell, Kind::Haproxy, |sample| sample.p99)),
            shown(before),
            goal(before, Some(NOT_WORSE)),
            shown(plain),
            goal(plain, cell.scenario.goal_plain()),
        ];
        text += &line(&columns);
    }
    text
}

/// Returns a table with the medians of each proxy in a cell.
pub fn details(cell: &Cell) -> String {
    let mut text = format!(
        "### {}, {} worker{}, {} connections\n\n\
         | proxy | CPU µs/request | p50 µs | p99 µs | requests/s | cores busy | MiB | origin connects per 1,000 | failed | calls/request | most frequent calls |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
        cell.scenario.title(),
        cell.workers,
        if cell.workers == 1 { "" } else { "s" },
        cell.connections,
    );
    for series in &cell.series {
        text += &line(&row(series));
    }
    for series in &cell.series {
        for reason in series.reasons.iter().take(3) {
            let _ = write!(text, "\n{} failed: {reason}\n", series.kind.title());
        }
    }
    text
}

/// Returns a table of the memory that idle connections use.
pub fn memory(held: &[Held]) -> String {
    let mut text =
        "| proxy | workers | idle connections | KiB each | goal | MiB without | MiB with |\n\
                    |---|--:|--:|--:|---|--:|--:|\n"
            .to_owned();
    for one in held {
        let goal = match one.kind {
            Kind::Ours => verdict(one.each(), idle::GOAL, 0),
            _ => String::new(),
        };
        let mib = |bytes: u64| format!("{:.1}", bytes as f64 / 1024.0 / 1024.0);
        let columns = [
            one.kind.title().to_owned(),
            one.workers.to_string(),
            one.connections.to_string(),
            format!("{:.2}", one.each()),
            goal,
            mib(one.before),
            mib(one.with),
        ];
        text += &line(&columns);
    }
    text
}

fn row(series: &Series) -> [String; 11] {
    let middle = |of: fn(&Sample) -> f64| median(&series.values(of));
    let failed: f64 = series.values(|sample| sample.failed).iter().sum();
    let (calls, names) = calls(series);
    [
        series.kind.title().to_owned(),
        format!("{:.2}", middle(|sample| sample.processor)),
        format!("{:.0}", middle(|sample| sample.p50)),
        format!("{:.0}", middle(|sample| sample.p99)),
        format!("{:.0}", middle(|sample| sample.rate)),
        format!("{:.2}", middle(|sample| sample.busy)),
        format!("{:.1}", middle(|sample| sample.memory)),
        format!("{:.1}", middle(|sample| sample.connects)),
        format!("{failed:.0}"),
        calls,
        names,
    ]
}

/// Returns the number of system calls per request, and the most frequent ones.
fn calls(series: &Series) -> (String, String) {
    let Some((calls, requests)) = &series.calls else {
        return (String::new(), String::new());
    };
    let each = |count: u64| count as f64 / (*requests).max(1) as f64;
    let mut names: Vec<_> = calls.iter().collect();
    names.sort_by(|a, b| b.1.cmp(a.1));
    let names = names
        .into_iter()
        .filter(|(_, count)| each(**count) >= 0.05)
        .take(NAMED)
        .map(|(name, count)| format!("{name} {:.2}", each(*count)));
    (
        format!("{:.2}", each(calls.values().sum())),
        names.collect::<Vec<_>>().join(", "),
    )
}

fn ratio(cell: &Cell, other: Kind, of: fn(&Sample) -> f64) -> Option<Ratio> {
    let (ours, other) = (cell.of(Kind::Ours)?, cell.of(other)?);
    Ratio::of(&ours.values(of), &other.values(of))
}

fn shown(ratio: Option<Ratio>) -> String {
    ratio.map_or(String::new(), |ratio| {
        format!(
            "{:.2} ({:.2}..{:.2})",
            ratio.median, ratio.least, ratio.most
        )
    })
}

fn goal(ratio: Option<Ratio>, goal: Option<f64>) -> String {
    match (ratio, goal) {
        (Some(ratio), Some(goal)) => verdict(ratio.median, goal, 2),
        _ => String::new(),
    }
}

fn verdict(value: f64, goal: f64, digits: usize) -> String {
    let verdict = if value <= goal { "met" } else { "missed" };
    format!("≤ {goal:.digits$}: {verdict}")
}

fn line(columns: &[String]) -> String {
    format!("| {} |\n", columns.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::super::scenario::Scenario;
    use super::*;

    fn series(kind: Kind, processor: &[f64]) -> Series {
        let sample = |processor: &f64| Sample {
            processor: *processor,
            p99: 100.0,
            ..Sample::default()
        };
        Series {
            kind,
            samples: processor.iter().map(sample).collect(),
            reasons: Vec::new(),
            calls: Some(([("recvfrom".to_owned(), 200)].into(), 100)),
        }
    }

    fn cell() -> Cell {
        Cell {
            scenario: Scenario::KeepAlive,
            workers: 1,
            connections: 8,
            series: vec![
                series(Kind::Ours, &[9.0, 9.5]),
                series(Kind::Nginx, &[10.0, 10.0]),
                series(Kind::Haproxy, &[12.0, 10.0]),
            ],
        }
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        let text = goals(&[cell()]);
        let line = text.lines().last().unwrap();
        assert!(
            line.contains("0.93 (0.90..0.95) | ≤ 0.90: missed"),
            "{line}"
        );
        assert!(line.contains("0.85 (0.75..0.95) | ≤ 0.90: met"), "{line}");
        let columns = |line: &str| line.matches('|').count();
        assert_eq!(columns(line), columns(text.lines().next().unwrap()));
    }

    #[test]
    fn each_proxy_has_a_line_with_its_medians() {
        let text = details(&cell());
        assert!(text.contains("| aralez | 9.25 | 0 | 100 |"), "{text}");
        assert!(text.contains("| 2.00 | recvfrom 2.00 |"), "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
    }
}
