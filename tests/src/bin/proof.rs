//! Joins the measured rows into one table: `proof target/proof tests/PROOF.md`. `make prove` runs it last.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use aralez_tests::proof;
use clap::Parser;

/// Joins the measured rows into one table.
#[derive(Debug, Parser)]
struct Options {
    /// Directory of the measured rows.
    rows: PathBuf,
    /// File to write the table to.
    table: PathBuf,
}

fn main() -> Result<()> {
    let Options { rows, table } = Options::parse();
    let joined = proof::join(&rows).with_context(|| format!("no rows in {}", rows.display()))?;
    let text = format!(
        "# Promises and measurements\n\nMeasured on {}, shared by control, proxies, nodes and load. `make prove` regenerates this file.\n\n\
         {joined}",
        proof::machine()?
    );
    std::fs::write(&table, &text).with_context(|| format!("cannot write {}", table.display()))?;
    println!("{text}");
    Ok(())
}
