//! Measures what users of a running fleet experience: changes under load, the latency of a save, and the cost of size. `make prove` runs
//! it.
//!
//! Each part prints its rows and writes them to `target/proof/PART.md`.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use aralez_bench::contest::affinity::Cores;
use aralez_bench::contest::contestant::ContestStage;
use aralez_bench::contest::options::ContestOptions;
use aralez_bench::running_fleet::table::{self, Row};
use aralez_bench::running_fleet::{changes, edits, hosts, large, lookup, saves};
use aralez_tests::process::raise_open_files;
use clap::{Parser, Subcommand};

/// Measures what users of a running fleet experience.
#[derive(Parser, Debug)]
struct Arguments {
    /// The folder for the tables; default: `proof` next to the folder of this binary.
    #[arg(long, global = true)]
    out: Option<PathBuf>,
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand, Debug)]
enum Part {
    /// Changes of a host under load: failures, mixed responses, connections, latencies.
    Changes {
        /// Intervals with changes, and as many without.
        #[arg(long, default_value_t = 10)]
        rounds: u32,
        /// Changes in each interval.
        #[arg(long, default_value_t = 100)]
        changes: u32,
        /// Milliseconds from one change to the next.
        #[arg(long, default_value_t = 150)]
        every: u64,
        /// The nice value of control.
        #[arg(long, default_value_t = 10)]
        nice: i32,
        /// Proxies.
        #[arg(long, default_value_t = 2)]
        proxies: usize,
        /// Connections to each proxy.
        #[arg(long, default_value_t = 8)]
        connections: usize,
        /// Milliseconds that a connection pauses after each answer.
        #[arg(long, default_value_t = 5)]
        pause: u64,
    },
    /// Latency from a save until all of many proxies serve it.
    Saves {
        /// Proxies.
        #[arg(long, default_value_t = 20)]
        proxies: usize,
        /// Saves of each size.
        #[arg(long, default_value_t = 50)]
        saves: u64,
        /// Approximate sizes of the documents in kB, ascending.
        #[arg(long, value_delimiter = ',', default_value = "4,32,256,1000")]
        sizes: Vec<usize>,
    },
    /// Latency of a large document from save to answer.
    Large {
        /// Hosts.
        #[arg(long, default_value_t = 10_000)]
        hosts: usize,
        /// Repetitions of each kind of save.
        #[arg(long, default_value_t = 5)]
        repeats: u64,
    },
    /// Cost of one edited host among many, of a reconnect, and of a cold start.
    Edits {
        /// Hosts.
        #[arg(long, default_value_t = 10_000)]
        hosts: usize,
        /// Proxies.
        #[arg(long, default_value_t = 9)]
        nodes: usize,
        /// Edits that affect one proxy, and as many that affect all.
        #[arg(long, default_value_t = 12)]
        edits: usize,
        /// Reconnects, and cold starts.
        #[arg(long, default_value_t = 5)]
        repeats: usize,
    },
    /// Cost of a request among 100,000 hosts, and of the lookup alone.
    Hosts {
        /// Rounds of each kind.
        #[arg(long, default_value_t = 12)]
        pairs: usize,
        /// Duration of a measured round in seconds.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Connections.
        #[arg(long, default_value_t = 8)]
        connections: usize,
        /// Lookups in the table alone.
        #[arg(long, default_value_t = 1_000_000)]
        lookups: usize,
    },
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    raise_open_files().context("cannot raise the limit of open files")?;
    let (name, rows) = measure(&arguments.part)?;
    let folder = match arguments.out {
        Some(folder) => folder,
        None => default_folder()?,
    };
    let command = command();
    let path = table::write(&folder, name, &rows, &command)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    println!("{}{}", table::markdown(&rows, &command), path.display());
    Ok(ExitCode::SUCCESS)
}

fn measure(part: &Part) -> Result<(&'static str, Vec<Row>)> {
    match part {
        Part::Hosts {
            pairs,
            seconds,
            connections,
            lookups,
        } => Ok((
            "hosts",
            many_hosts(*pairs, *seconds, *connections, *lookups)?,
        )),
        part => runtime()?.block_on(of_a_fleet(part)),
    }
}

async fn of_a_fleet(part: &Part) -> Result<(&'static str, Vec<Row>)> {
    Ok(match part {
        Part::Changes {
            rounds,
            changes,
            every,
            nice,
            proxies,
            connections,
            pause,
        } => {
            let extent = changes::ChangesExtent {
                rounds: *rounds,
                changes: *changes,
                every: Duration::from_millis(*every),
                nice: *nice,
                proxies: *proxies,
                connections: *connections,
                pause: Duration::from_millis(*pause),
            };
            ("changes", changes::measure(&extent).await.rows())
        }
        Part::Saves {
            proxies,
            saves,
            sizes,
        } => {
            let extent = saves::SavesExtent {
                proxies: *proxies,
                saves: *saves,
                sizes: sizes.iter().map(|kilobytes| kilobytes * 1000).collect(),
            };
            let measured = saves::measure(&extent).await;
            ("saves", saves::rows(&extent, &measured))
        }
        Part::Large { hosts, repeats } => {
            let extent = large::LargeExtent {
                hosts: *hosts,
                repeats: *repeats,
            };
            ("large", large::measure(&extent).await.rows(&extent))
        }
        Part::Edits {
            hosts,
            nodes,
            edits,
            repeats,
        } => {
            let extent = edits::EditsExtent {
                hosts: *hosts,
                nodes: *nodes,
                edits: *edits,
                repeats: *repeats,
            };
            ("edits", edits::measure(&extent).await.rows(&extent))
        }
        Part::Hosts { .. } => anyhow::bail!("part `hosts` does not use a fleet"),
    })
}

fn many_hosts(pairs: usize, seconds: f64, connections: usize, lookups: usize) -> Result<Vec<Row>> {
    let mut options = ContestOptions::parse_from(["bench"]);
    (options.pairs, options.seconds) = (pairs, seconds);
    let stage = ContestStage {
        before: None,
        cores: Cores::here()?,
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
        lines: Vec::new(),
    };
    let measured = hosts::measure(&stage, &options, connections)?;
    let mut rows = measured.rows(&options, connections);
    let extent = lookup::LookupExtent {
        hosts: 100_000,
        lookups,
    };
    rows.extend(lookup::rows(&extent, &lookup::measure(&extent)));
    Ok(rows)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// Returns `target/proof` for `target/release/prove-changes`.
fn default_folder() -> Result<PathBuf> {
    let binary = std::env::current_exe()?;
    let target = binary.ancestors().nth(2);
    let target = target.context("this binary is not in a target folder; set --out")?;
    Ok(target.join("proof"))
}

/// Returns the command line, with the bare name of the binary.
fn command() -> String {
    let arguments = std::env::args().skip(1);
    std::iter::once("prove-changes".to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
