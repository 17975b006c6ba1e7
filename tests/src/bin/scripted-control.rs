//! `aralez-control` with one additional source: a script that tests write next to `main.yaml`. Everything else is composed as in the
//! product.

use std::process::ExitCode;

use aralez_control::app;
use aralez_control::args::Args;
use aralez_tests::scripted_source::ScriptedSource;
use clap::Parser;

fn main() -> ExitCode {
    let args = Args::parse();
    let config = args.config.clone().unwrap_or_default();
    let script = ScriptedSource::beside(&config);
    match app::run(&args, vec![Box::new(script)]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("scripted-control: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
