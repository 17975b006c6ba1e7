//! Formats the rounds as a table.

use std::fmt::Write as _;
use std::time::Duration;

use super::good::Latency;
use super::kind::Side;
use super::round::{RoundRow, Span};

/// Formats one Markdown row per round.
pub fn of(rows: &[RoundRow]) -> String {
    let mut text = String::from(
        "| slow peer | side | limit | closed after, client | closed after, endpoint | answer | good p50 / p99 | memory |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let side = match row.kind.side {
            Side::Client => "client",
            Side::Endpoint => "endpoint",
        };
        let answers = row.answers.iter();
        let answers: Vec<_> = answers
            .map(|(answer, count)| format!("{count} x {answer}"))
            .collect();
        let kind = &row.kind;
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "| {} | {side} | {} {} | {} | {} | {} | {} | {} |",
            kind.name,
            kind.key,
            seconds(kind.limit),
            range(row.clients),
            range(row.endpoint),
            answers.join(", "),
            latency(&row.good),
            mebibytes(row.memory),
        );
    }
    text
}

/// Returns the problems of all rounds, one per line.
pub fn problems(rows: &[RoundRow]) -> Vec<String> {
    let lines = rows.iter().flat_map(|row| {
        let name = row.kind.name;
        let problems = row.problems.iter();
        problems.map(move |problem| format!("{name}: {problem}"))
    });
    lines.collect()
}

/// Formats the median and the 99th percentile.
pub fn latency(latency: &Latency) -> String {
    match latency.count {
        0 => "-".to_owned(),
        _ => format!(
            "{:.1} / {:.1} ms",
            latency.p50.as_secs_f64() * 1e3,
            latency.p99.as_secs_f64() * 1e3
        ),
    }
}

/// Formats bytes as MiB.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn range(span: Span) -> String {
    match span {
        None => "-".to_owned(),
        Some((least, most)) => format!("{:.2}..{}", least.as_secs_f64(), seconds(most)),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
