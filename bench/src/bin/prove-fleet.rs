//! Measures a full-size fleet against its promises. `make prove` runs it; `--help` lists the sizes.
#![allow(clippy::print_stdout)]

use anyhow::{Context, Result, anyhow};
use aralez_bench::fleet_size::options::{FleetOptions, Measurement};
use aralez_bench::fleet_size::stage::FleetStage;
use aralez_bench::fleet_size::{connects, discovery, refusing, removals, restart, slow};
use aralez_tests::proof::{self, Row};
use clap::Parser;

/// The same allocator as in the proxy: thousands of nodes share two cores with the control that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let options = FleetOptions::parse();
    let rows = measured(&options).await.map_err(|reason| anyhow!(reason))?;
    if let Some(out) = &options.out {
        proof::write(out, &rows).with_context(|| format!("cannot write {}", out.display()))?;
    }
    Ok(())
}

async fn measured(options: &FleetOptions) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    on_one_stage(options, &mut rows).await?;
    if options.measures(Measurement::Connects) {
        let measured = connects::measure(options).await?;
        take(&mut rows, connects::rows(&measured, options));
    }
    if options.measures(Measurement::Discovery) {
        let measured = discovery::measure(options).await?;
        take(&mut rows, discovery::rows(&measured, options));
    }
    if options.measures(Measurement::Refusing) {
        let measured = refusing::measure(options).await?;
        take(&mut rows, refusing::rows(&measured, options));
    }
    Ok(rows)
}

/// Runs the measurements that share one fleet, since it takes a while until all nodes have joined.
async fn on_one_stage(options: &FleetOptions, rows: &mut Vec<Row>) -> Result<(), String> {
    let chosen = [
        Measurement::Removals,
        Measurement::Restart,
        Measurement::Slow,
    ];
    if !chosen
        .iter()
        .any(|measurement| options.measures(*measurement))
    {
        return Ok(());
    }
    let mut stage = FleetStage::start(options).await?;
    if options.measures(Measurement::Removals) {
        let measured = removals::measure(&mut stage, options).await?;
        take(rows, removals::rows(&measured, options));
    }
    if options.measures(Measurement::Slow) {
        let measured = slow::measure(&mut stage, options).await?;
        take(rows, slow::rows(&measured, options));
    }
    if options.measures(Measurement::Restart) {
        let measured = restart::measure(&mut stage, options).await?;
        take(rows, restart::rows(&measured, options));
    }
    Ok(())
}

/// Prints new rows immediately and collects them.
fn take(rows: &mut Vec<Row>, new: Vec<Row>) {
    new.iter().for_each(|row| print!("{}", row.line()));
    rows.extend(new);
}
