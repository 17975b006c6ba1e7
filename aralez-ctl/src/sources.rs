//! `sources release` and `sources take`: commit the files of documents.

use reqwest::Method;

use crate::args::{Format, Take};
use crate::client::Client;
use crate::exit::Failure;
use crate::interrupt::Interrupts;
use crate::output;
use crate::push::{Wait, follow, held_words, release_words};

/// Runs `sources release`: commits the files that control holds; with an id, only that hold.
pub(crate) async fn release(
    client: &Client,
    id: Option<&str>,
    format: Format,
) -> Result<(), Failure> {
    let query: Vec<_> = id.map(|id| ("held", id.to_owned())).into_iter().collect();
    let path = "/v1/sources/release";
    let asked = client.ask(Method::POST, path, &query, Vec::new());
    let answer = Interrupts::listen().or_answer(asked).await?;
    let problem = answer.problem();
    if problem.held.is_some() {
        return Err(Failure::refused(format!(
            "a different change of the files is held now\n{}",
            release_words(&problem)
        )));
    }
    let committed = answer.good()?;
    let revision = &committed["revision"];
    let line = format!("the files are committed as revision {revision}");
    output::print(format, &committed, &line)
}

/// Runs `sources take`: commits the files as they are on disk, even if a push replaced them.
pub(crate) async fn take(client: &Client, take: &Take, format: Format) -> Result<(), Failure> {
    let mut query = Vec::new();
    query.extend(take.message.clone().map(|message| ("message", message)));
    query.extend(take.force.then(|| ("force", "true".to_owned())));
    query.extend(take.held.clone().map(|id| ("held", id)));
    let path = "/v1/sources/take";
    let mut interrupts = Interrupts::listen();
    let asked = client.ask(Method::POST, path, &query, Vec::new());
    let answer = interrupts.or_answer(asked).await?;
    let problem = answer.problem();
    if problem.held.is_some() {
        let words = held_words(&problem, "aralez-ctl sources take");
        return Err(Failure::refused(words));
    }
    let committed = answer.good()?;
    output::say("the files on disk are the configuration again");
    follow(
        client,
        committed,
        take.wait.then_some(Wait {
            timeout: take.timeout,
            all: false,
        }),
        format,
        &mut interrupts,
    )
    .await
}
