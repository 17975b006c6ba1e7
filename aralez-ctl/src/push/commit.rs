//! After a commit: prints it immediately, then waits for the nodes if requested.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::open::filled;
use super::progress::{Decision, Progress, decide};
use super::show::Show;
use crate::answer::{Dropped, short};
use crate::args::Format;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupts;
use crate::output::{self, Growing};

/// Pause between requests for progress. Control holds each request until there is news.
const POLL: Duration = Duration::from_millis(100);
/// Limit on the time for which control holds a request.
const NEWS: Duration = Duration::from_secs(2);

/// The wait after a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    /// Limit on the wait.
    pub(crate) timeout: Duration,
    /// Also wait for nodes that were away before the commit.
    pub(crate) all: bool,
}

/// Control's answer to a commit.
#[derive(Deserialize, Debug)]
struct Committed {
    generation: u64,
    revision: u64,
    root: String,
    changed: bool,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    drops: Vec<Dropped>,
}

impl Committed {
    fn line(&self) -> String {
        let how = if self.changed {
            "committed"
        } else {
            "unchanged:"
        };
        format!(
            "{how} revision {} (generation {}, root {})",
            self.revision,
            self.generation,
            short(&self.root)
        )
    }

    fn say_warnings(&self) {
        for warning in &self.warnings {
            output::say(&format!("warning: {warning}"));
        }
        for dropped in &self.drops {
            output::say(&format!("warning: the push {}", dropped.words()));
        }
        if !self.drops.is_empty() {
            output::say(
                "to keep them, push the folder (`aralez-ctl push DIR`); to return to the files, run `aralez-ctl sources take`",
            );
        }
    }
}

/// Prints the commit that control answered with, and waits for the nodes; does not wait if `wait` is `None`.
pub(crate) async fn follow(
    client: &Client,
    answer: Value,
    wait: Option<Wait>,
    format: Format,
    interrupts: &mut Interrupts,
) -> Result<(), Failure> {
    let committed = Committed::deserialize(&answer)
        .map_err(|error| Failure::refused(format!("cannot parse control's answer: {error}")))?;
    committed.say_warnings();
    let Some(wait) = wait else {
        let mut answer = answer;
        answer["outcome"] = json!("committed");
        return output::print(format, &answer, &committed.line());
    };
    // Printed before the wait, so that the revision is known whatever happens.
    let printed = Growing::begin(format, &answer, &committed.line())?;
    let mut heard = LastProgress::default();
    let waited = tokio::select! {
        waited = wait_for(client, committed.revision, wait, &mut heard) => waited,
        name = interrupts.next() => Err(Failure::new(
            Exit::Unproven,
            format!("interrupted by {name}: revision {} is committed, but not proven", committed.revision),
        )),
    };
    let decision = waited
        .as_ref()
        .map_or(Decision::Unproven, |decision| *decision);
    let mut last = json!({"outcome": decision.name()});
    for key in ["nodes", "turned_away"] {
        if let Some(value) = heard.body.get(key) {
            last[key] = value.clone();
        }
    }
    printed.end(&last)?;
    if decision == Decision::Proven {
        // Nodes that control turned away are not part of the proof.
        for node in &heard.parsed.turned_away {
            output::say(&format!("warning: {}", node.line().trim_end()));
        }
    }
    let ended =
        waited.and_then(|decision| decision.end(&heard.parsed, committed.revision, wait.timeout));
    ended.map_err(Failure::printed)
}

/// The last progress: as received, and parsed.
#[derive(Default)]
struct LastProgress {
    body: Value,
    parsed: Progress,
    /// The answer listed all nodes, not only the open ones.
    whole: bool,
}

async fn wait_for(
    client: &Client,
    revision: u64,
    Wait { timeout, all }: Wait,
    heard: &mut LastProgress,
) -> Result<Decision, Failure> {
    let path = format!("/v1/pushes/{revision}");
    let began = Instant::now();
    let mut show = Show::on_stderr();
    let mut last = false;
    loop {
        let late = began.elapsed() >= timeout;
        let left = timeout.saturating_sub(began.elapsed());
        let before = Some(&heard.body).filter(|_| !last);
        match ask(client, &path, all, left, before).await {
            Ok(answer) => {
                *heard = LastProgress {
                    parsed: answer.parsed.after(&heard.parsed),
                    ..answer
                }
            }
            // Control may be restarting. The commit is durable, so ask again.
            Err(failure) if failure.exit == Exit::Unreached && !late => {
                tokio::time::sleep(POLL.min(timeout)).await;
            }
            // This includes a control that was restarted with another head: it has no proof of this revision.
            Err(failure) => {
                let words = format!(
                    "revision {revision} is committed, but not proven: {}",
                    failure.words
                );
                return Err(Failure::new(Exit::Unproven, words));
            }
        }
        show.progress(&heard.parsed);
        match decide(&heard.parsed, late) {
            Decision::Wait => {
                last = false;
                tokio::time::sleep(POLL.min(timeout)).await;
            }
            // The final result must rest on an answer that lists all nodes.
            _ if !heard.whole => last = true,
            decided => return Ok(decided),
        }
    }
}

/// Requests the progress, for at most `left` and one second more, so that the last answer arrives. With an earlier answer `before`,
/// requests only the open nodes if that suffices.
async fn ask(
    client: &Client,
    path: &str,
    all: bool,
    left: Duration,
    before: Option<&Value>,
) -> Result<LastProgress, Failure> {
    let mut news = left.min(NEWS);
    if let Some(before) = before.filter(|before| !before.is_null()) {
        let open = request_progress(client, path, (all, "open"), (left, news)).await?;
        if let Some(filled) = filled(open, before) {
            return parsed(filled, false);
        }
        // The first request has just waited for news.
        news = Duration::ZERO;
    }
    let whole = request_progress(client, path, (all, "all"), (left, news)).await?;
    parsed(whole, true)
}

async fn request_progress(
    client: &Client,
    path: &str,
    (all, nodes): (bool, &str),
    (left, news): (Duration, Duration),
) -> Result<Value, Failure> {
    let wait = news.as_millis().to_string();
    let mut query = vec![("wait_ms", wait), ("nodes", nodes.to_owned())];
    query.extend(all.then(|| ("all", "true".to_owned())));
    let asked = client.ask(Method::GET, path, &query, Vec::new());
    let answer = tokio::time::timeout(left + Duration::from_secs(1), asked)
        .await
        .map_err(|_| Failure::new(Exit::Unreached, "timeout waiting for control"))??;
    answer.good()
}

fn parsed(body: Value, whole: bool) -> Result<LastProgress, Failure> {
    let parsed = Progress::deserialize(&body)
        .map_err(|error| Failure::refused(format!("cannot parse control's answer: {error}")))?;
    Ok(LastProgress {
        body,
        parsed,
        whole,
    })
}
