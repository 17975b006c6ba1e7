//! `aralez-ctl`: see the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aralez_ctl::run(aralez_ctl::args::Args::parse())
}
