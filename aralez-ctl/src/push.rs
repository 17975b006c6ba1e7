//! `push`: replaces the documents, and with `--wait` says the truth about what the fleet runs.

mod progress;
mod show;

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Problem, short};
use crate::args::{Format, Push};
use crate::client::{Answer, Client};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::validate::read_document;

use progress::{Decision, Progress, decide};
use show::Show;

/// Between two questions for progress: control answers each when there is news.
const POLL: Duration = Duration::from_millis(100);
/// How long control may wait for news.
const NEWS: Duration = Duration::from_secs(2);

/// What control says of a commit.
#[derive(Deserialize, Debug)]
struct Committed {
    generation: u64,
    revision: u64,
    root: String,
    changed: bool,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Runs the verb.
pub(crate) async fn run(client: &Client, push: &Push, format: Format) -> Result<(), Failure> {
    let name = push.file.display().to_string();
    let text = read_document(&push.file).map_err(Failure::refused)?;
    let mut query = Vec::new();
    query.extend(push.expect.map(|revision| ("expect", revision.to_string())));
    query.extend(push.message.clone().map(|message| ("message", message)));
    query.extend(push.force.then(|| ("force", "true".to_owned())));
    let answer = client.ask(Method::POST, "/v1/config", &query, text).await?;
    if !answer.status.is_success() {
        return Err(rejected(&answer, &name, format)?);
    }
    let committed = Committed::deserialize(&answer.body)
        .map_err(|error| Failure::refused(format!("control's answer does not read: {error}")))?;
    for warning in &committed.warnings {
        output::say(&format!("warning: {warning}"));
    }
    if !push.wait {
        return print(format, answer.body, &committed, "committed", &Value::Null);
    }
    let (progress, decision) = match wait(client, committed.revision, push.timeout, push.all).await
    {
        Ok(waited) => waited,
        Err(failure) => {
            // It is committed all the same, and programs are told so.
            let outcome = Decision::Unproven.name();
            print(format, answer.body, &committed, outcome, &Value::Null)?;
            return Err(failure);
        }
    };
    let outcome = decision.name();
    let nodes = progress.body.get("nodes").cloned().unwrap_or(Value::Null);
    print(format, answer.body, &committed, outcome, &nodes)?;
    decision.end(&progress.parsed, committed.revision, push.timeout)
}

/// A progress as it came and as it was read.
struct Heard {
    body: Value,
    parsed: Progress,
}

async fn wait(
    client: &Client,
    revision: u64,
    timeout: Duration,
    all: bool,
) -> Result<(Heard, Decision), Failure> {
    let path = format!("/v1/pushes/{revision}");
    let began = Instant::now();
    let mut show = Show::on_stderr();
    let mut heard = Heard {
        body: Value::Null,
        parsed: Progress::default(),
    };
    loop {
        let late = began.elapsed() >= timeout;
        match ask(client, &path, all, timeout.saturating_sub(began.elapsed())).await {
            Ok(answer) => {
                heard = Heard {
                    parsed: answer.parsed.after(&heard.parsed),
                    body: answer.body,
                }
            }
            // Control may restart meanwhile: what it committed is not lost, so it is asked again.
            Err(failure) if failure.exit == Exit::Unreached && !late => {}
            // Also where control was started again and another revision is the head: this one is no longer followed.
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
            Decision::Wait => tokio::time::sleep(POLL.min(timeout)).await,
            decided => return Ok((heard, decided)),
        }
    }
}

/// Asks for progress, at most as long as is left (and a second, so that the last answer comes).
async fn ask(client: &Client, path: &str, all: bool, left: Duration) -> Result<Heard, Failure> {
    let mut query = vec![("wait_ms", left.min(NEWS).as_millis().to_string())];
    query.extend(all.then(|| ("all", "true".to_owned())));
    let asked = client.ask(Method::GET, path, &query, Vec::new());
    let answer = tokio::time::timeout(left + Duration::from_secs(1), asked)
        .await
        .map_err(|_| Failure::new(Exit::Unreached, "control does not answer"))??;
    let body = answer.good()?;
    let parsed = Progress::deserialize(&body)
        .map_err(|error| Failure::refused(format!("control's answer does not read: {error}")))?;
    Ok(Heard { body, parsed })
}

fn print(
    format: Format,
    mut answer: Value,
    committed: &Committed,
    outcome: &str,
    nodes: &Value,
) -> Result<(), Failure> {
    answer["outcome"] = json!(outcome);
    if !nodes.is_null() {
        answer["nodes"] = nodes.clone();
    }
    let Committed {
        generation,
        revision,
        root,
        changed,
        ..
    } = committed;
    let how = if *changed {
        "committed"
    } else {
        "unchanged, still"
    };
    let line = format!(
        "{how} revision {revision} (generation {generation}, root {})",
        short(root)
    );
    output::print(format, &answer, &line)
}

/// What is said of a push that control did not take. Programs get it as data, too.
fn rejected(answer: &Answer, file: &str, format: Format) -> Result<Failure, Failure> {
    if format != Format::Table {
        let data = json!({"version": 1, "outcome": "rejected", "status": answer.status.as_u16(), "problem": answer.body});
        output::print(format, &data, "")?;
    }
    let problem = answer.problem();
    if answer.status == StatusCode::PRECONDITION_FAILED {
        return Ok(Failure::refused(lost(&problem)));
    }
    if problem.faults.is_empty() {
        let body = answer.body.clone();
        let status = answer.status;
        return Ok(Answer { status, body }
            .good()
            .err()
            .unwrap_or_else(|| Failure::refused("control refuses")));
    }
    Ok(Failure::refused(faults(problem, file)))
}

fn lost(problem: &Problem) -> String {
    let said = [&problem.title, &problem.detail];
    let said: Vec<&str> = said
        .into_iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let head = problem.head.as_ref().map_or_else(String::new, |head| {
        format!(
            " (the head is revision {}, root {})",
            head.revision,
            short(&head.root)
        )
    });
    format!("nothing was pushed: {}{head}", said.join(": "))
}

/// The faults, one a line, with the file named as the operator did.
fn faults(problem: Problem, file: &str) -> String {
    let lines = problem.faults.into_iter().map(|mut fault| {
        if fault.file == aralez_proto::document::DocumentSet::MAIN {
            file.clone_into(&mut fault.file);
        }
        fault.line()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_the_file_as_the_operator_did() {
        let problem = serde_json::from_value(json!({"faults": [
            {"file": "upstreams.yaml", "line": 2, "column": 3, "path": "a", "reason": "x"},
            {"file": "conf.d/b.yaml", "line": 1, "column": 1, "path": "", "reason": "y"},
        ]}));
        let text = faults(problem.unwrap(), "etc/mine.yaml");
        assert_eq!(text, "etc/mine.yaml:2:3: a: x\nconf.d/b.yaml:1:1: y");
    }

    #[test]
    fn a_lost_expectation_says_what_the_head_is() {
        let problem = serde_json::from_value(json!({
            "title": "the head moved", "detail": "expected 6",
            "head": {"generation": 1, "revision": 7, "root": "0123456789abcdef"},
        }));
        let text = lost(&problem.unwrap());
        assert!(
            text.contains("expected 6") && text.contains("revision 7, root 01234567"),
            "{text}"
        );
    }
}
