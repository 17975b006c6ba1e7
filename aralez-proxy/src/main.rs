//! `aralez-proxy`: the data plane.

use std::io::Write;
use std::process::ExitCode;

use aralez_proxy::app;
use aralez_proxy::args::Args;
use clap::Parser;

/// Returns memory to the system after a burst of clients has left, and is faster than the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FAULT: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(reason) = args.not_yet() {
        return say(reason, USAGE);
    }
    match app::run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&format!("{error:#}"), FAULT),
    }
}

fn say(line: &str, code: u8) -> ExitCode {
    // If stderr is closed there is no other place to report to.
    let _ = writeln!(std::io::stderr(), "aralez-proxy: {line}");
    ExitCode::from(code)
}
