//! Compares our proxy with nginx, HAProxy and a minimal pingora-proxy. `make bench` runs it; `--help` lists the options.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use aralez_bench::contest::affinity::Cores;
use aralez_bench::contest::compare::{self, Cell};
use aralez_bench::contest::contestant::ContestStage;
use aralez_bench::contest::idle::{self, Held};
use aralez_bench::contest::options::{ContestOptions, Kind};
use aralez_bench::contest::report;
use aralez_tests::process::raise_open_files;
use clap::Parser;

fn main() -> Result<ExitCode> {
    let options = ContestOptions::parse();
    raise_open_files().context("cannot raise the limit of open files")?;
    let stage = ContestStage {
        cores: Cores::here()?,
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        before: options.before.clone(),
        lines: options.proxy_lines.clone(),
    };
    let mut cells = Vec::new();
    let mut held = Vec::new();
    for workers in options.workers.iter().copied() {
        for scenario in options.chosen() {
            for connections in options.connections.iter().copied() {
                let cell = compare::cell(&stage, &options, (scenario, workers, connections))
                    .with_context(|| format!("{}, {workers} workers", scenario.title()))?;
                eprintln!("{}", report::details(&cell));
                cells.push(cell);
            }
        }
        if options.idle > 0 {
            held.extend(idle::measure(&stage, &options, workers)?);
        }
    }
    let text = whole(&stage, &options, &cells, &held);
    println!("{text}");
    if let Some(out) = &options.out {
        std::fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(outcome(&cells))
}

/// A failed request through our proxy fails the benchmark; a missed goal is a result.
fn outcome(cells: &[Cell]) -> ExitCode {
    let ours = cells.iter().filter_map(|cell| cell.of(Kind::Ours));
    let failed = ours.flat_map(|series| series.values(|sample| sample.failed));
    match failed.sum::<f64>() > 0.0 {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn whole(stage: &ContestStage, options: &ContestOptions, cells: &[Cell], held: &[Held]) -> String {
    let mut text = format!("# Benchmark\n\n{}\n", conditions(stage, options));
    if !cells.is_empty() && options.proxies.contains(&Kind::Ours) {
        text += &format!(
            "## Goals\n\nCPU time per request of aralez divided by that of the other proxy: median of the pairs' ratios \
             (minimum..maximum).\n\n{}\n",
            report::goals(cells)
        );
    }
    if !held.is_empty() {
        text += &format!(
            "## Idle keep-alive connections\n\n{}\n",
            report::memory(held)
        );
    }
    text += "## Each scenario\n\nMedians of the rounds.\n";
    for cell in cells {
        text += &format!("\n{}", report::details(cell));
    }
    text
}

fn conditions(stage: &ContestStage, options: &ContestOptions) -> String {
    let pinned = match stage.is_pinned(1) {
        true => {
            "With 1 worker the proxy has a dedicated core; load and origin, one thread, run on another."
        }
        false => "There is one core: proxy, load and origin share it.",
    };
    let extra = match options.proxy_lines.is_empty() {
        true => String::new(),
        false => format!(" aralez with {:?}.", options.proxy_lines),
    };
    format!(
        "{} cores, Linux {}; {}; {}.{extra}\n\n{} rounds of {} s for each proxy and cell, after {} s of warm-up; the proxies \
         alternate. {pinned} With more workers, all processes share all cores, so the load competes with the proxy. System calls are \
         counted over {} requests under strace, which slows the proxy and so enlarges batches: calls that wait are undercounted. All \
         proxies forward request bodies unbuffered. The minimal pingora-proxy has one endpoint and no hosts; the others look up each \
         host by name. Memory is PSS.\n",
        stage.cores.count(),
        rustix::system::uname().release().to_string_lossy(),
        version("nginx", "-v"),
        version("haproxy", "-v"),
        options.pairs,
        options.seconds,
        options.warm,
        options.traced,
    )
}

/// Returns the first line of the version that a program prints.
fn version(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| aralez_tests::process::text(&output));
    let text = text.unwrap_or_else(|_| format!("no {program}"));
    let first = text.lines().next().unwrap_or_default();
    first.split(" - ").next().unwrap_or_default().to_owned()
}
