//! `sources release`: lets the files through that control holds for a second look.

use reqwest::Method;

use crate::args::Format;
use crate::client::Client;
use crate::exit::Failure;
use crate::output;

/// Runs `sources release`.
pub(crate) async fn release(client: &Client, format: Format) -> Result<(), Failure> {
    let path = "/v1/sources/release";
    let answer = client.ask(Method::POST, path, &[], Vec::new()).await?;
    let committed = answer.good()?;
    let revision = &committed["revision"];
    let line = format!("the files are taken as they are: revision {revision}");
    output::print(format, &committed, &line)
}
