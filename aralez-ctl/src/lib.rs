//! The library behind the commands `aralez-ctl` and `aralez`.
//!
//! Verbs read arguments, call control over HTTP or start the daemons as processes, and finish with an [`exit::Exit`]. The crate holds no
//! state and imports neither daemon: it knows documents through `aralez_proto`.

pub mod args;
pub mod exit;
pub mod one_box;

mod answer;
mod client;
mod configuration;
mod explain;
mod interrupt;
mod issue_token;
mod nodes;
mod output;
mod push;
mod routes;
mod schema;
mod sources;
mod status;
mod store;
mod supervisor;
mod table;
mod up;
mod validate;

use std::process::ExitCode;

use args::{Args, NodeVerb, SourcesVerb, StoreVerb, Verb};
use client::Client;
use exit::{Exit, Failure};

/// Runs `aralez-ctl`.
pub fn run(args: Args) -> ExitCode {
    let format = args.global.output;
    let done = block_on(dispatch(args)).map_err(|failure| output::failed(format, failure));
    end(done)
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    tokio.block_on(command)
}

/// Prints the failure, if any, and returns the exit code.
fn end(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            output::say(&failure.words);
            failure.exit.into()
        }
    }
}

async fn dispatch(args: Args) -> Result<(), Failure> {
    let Args { global, verb } = args;
    let format = global.output;
    match verb {
        Verb::Up(up) => up::run(up).await,
        Verb::Validate(validate) => validate::run(&validate, format),
        Verb::Schema { file } => schema::run(file, format),
        Verb::Explain(asked) => explain::run(&global, &asked).await,
        Verb::Routes(asked) => routes::run(&global, &asked).await,
        Verb::Push(push) => push::run(&Client::of(&global)?, &push, format).await,
        Verb::IssueToken(asked) => issue_token::run(&global, asked).await,
        Verb::Status => status::run(&Client::of(&global)?, format).await,
        Verb::Nodes => nodes::run(&Client::of(&global)?, format).await,
        Verb::Sources { verb } => match verb {
            SourcesVerb::Release { id } => {
                sources::release(&Client::of(&global)?, id.as_deref(), format).await
            }
            SourcesVerb::Take(take) => sources::take(&Client::of(&global)?, &take, format).await,
        },
        Verb::Store { verb } => match verb {
            StoreVerb::Backup { file } => store::backup(&Client::of(&global)?, &file, format).await,
            StoreVerb::Restore {
                file,
                state_dir,
                force,
            } => store::restore(&file, &state_dir, force, format).await,
            StoreVerb::Check { state_dir } => store::check(state_dir, format).await,
        },
        Verb::Node { verb } => match verb {
            NodeVerb::Retry { node } => nodes::retry(&Client::of(&global)?, &node, format).await,
            NodeVerb::Forget { node } => nodes::forget(&Client::of(&global)?, &node, format).await,
        },
    }
}
