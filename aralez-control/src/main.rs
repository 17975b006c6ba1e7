//! `aralez-control`: reads its arguments and runs the app.

use std::io::Write;
use std::process::ExitCode;

use aralez_control::app;
use aralez_control::args::Args;
use clap::Parser;

fn main() -> ExitCode {
    // Wrong usage ends here, with status 2.
    let args = Args::parse();
    // The sources of this release are those that main.yaml asks for.
    match app::run(&args, Vec::new()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Where even standard error is gone, the exit status is all that is left to say.
            let _ = writeln!(std::io::stderr(), "aralez-control: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
