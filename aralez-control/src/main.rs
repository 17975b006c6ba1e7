//! `aralez-control`: reads its arguments and runs the app.

use std::io::Write;
use std::process::ExitCode;

use aralez_control::app;
use aralez_control::args::Args;
use clap::Parser;

fn main() -> ExitCode {
    // Wrong usage exits here, with status 2.
    let args = Args::parse();
    // Sources come only from main.yaml in this release.
    match app::run(&args, Vec::new()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // If standard error is gone, only the exit status remains.
            let _ = writeln!(std::io::stderr(), "aralez-control: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
