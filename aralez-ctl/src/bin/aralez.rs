//! `aralez`: runs both daemons on one machine.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aralez_ctl::one_box::run(&aralez_ctl::one_box::OneBoxArgs::parse())
}
