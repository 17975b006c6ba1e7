//! `push`: replaces the documents, and with `--wait` reports what the fleet runs.

mod commit;
mod held;
mod open;
mod progress;
mod show;

use aralez_proto::document::DocumentSet;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::answer::{Problem, short};
use crate::args::{Format, Push};
use crate::client::{Body, Client, HttpAnswer};
use crate::exit::Failure;
use crate::interrupt::Interrupts;
use crate::output;
use crate::validate::Documents;

pub(crate) use commit::{Wait, follow};
pub(crate) use held::{release_words, words as held_words};

/// Media type of a body that is a set of documents.
const SET: &str = "application/vnd.aralez.documents+json";

/// Runs the verb.
pub(crate) async fn run(client: &Client, push: &Push, format: Format) -> Result<(), Failure> {
    let documents = Documents::pushed(&push.file).map_err(Failure::refused)?;
    let mut query = Vec::new();
    query.extend(push.expect.map(|revision| ("expect", revision.to_string())));
    query.extend(push.message.clone().map(|message| ("message", message)));
    query.extend(push.force.then(|| ("force", "true".to_owned())));
    query.extend(push.held.clone().map(|id| ("held", id)));
    let body = body(&documents)?;
    let mut interrupts = Interrupts::listen();
    let asked = client.ask_with(Method::POST, "/v1/config", &query, body);
    let answer = interrupts.or_answer(asked).await?;
    if !answer.status.is_success() {
        return Err(rejected(&answer, push, &documents, format)?);
    }
    follow(
        client,
        answer.body,
        push.wait.then_some(Wait {
            timeout: push.timeout,
            all: push.all,
        }),
        format,
        &mut interrupts,
    )
    .await
}

/// Encodes the body: a single document as it is, a set as JSON.
fn body(documents: &Documents) -> Result<Body, Failure> {
    let texts = documents.set.documents();
    if let (1, Some(text)) = (texts.len(), texts.get(DocumentSet::MAIN))
        && !documents.folder
    {
        return Ok(Body {
            kind: "application/yaml",
            bytes: text.to_vec(),
        });
    }
    let mut named = serde_json::Map::new();
    for (name, text) in texts {
        let text = std::str::from_utf8(text).map_err(|error| {
            Failure::refused(format!("{}: not UTF-8: {error}", documents.shown(name)))
        })?;
        named.insert(name.clone(), json!(text));
    }
    Ok(Body {
        kind: SET,
        bytes: json!({ "documents": named }).to_string().into_bytes(),
    })
}

/// Returns the failure for a push that control rejected, and prints the rejection as data for programs.
fn rejected(
    answer: &HttpAnswer,
    push: &Push,
    documents: &Documents,
    format: Format,
) -> Result<Failure, Failure> {
    if format != Format::Table {
        let data = json!({"version": 1, "outcome": "rejected", "status": answer.status.as_u16(), "problem": answer.body});
        output::print(format, &data, "")?;
    }
    let problem = answer.problem();
    let words = if answer.status == StatusCode::PRECONDITION_FAILED {
        head_moved(&problem)
    } else if problem.held.is_some() {
        held::words(&problem, &held::pushed(push))
    } else if problem.faults.is_empty() {
        let (status, body) = (answer.status, answer.body.clone());
        let refused = HttpAnswer { status, body }.good().err();
        refused.map_or_else(|| "refused by control".to_owned(), |failure| failure.words)
    } else {
        faults(problem, documents)
    };
    Ok(Failure::refused(words).printed())
}

fn head_moved(problem: &Problem) -> String {
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

/// Formats the faults, one a line, with file names as the operator wrote them.
fn faults(problem: Problem, documents: &Documents) -> String {
    let lines = problem.faults.into_iter().map(|mut fault| {
        if documents.set.documents().contains_key(&fault.file) {
            fault.file = documents.shown(&fault.file);
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
        let documents = Documents {
            set: DocumentSet::of_main(bytes::Bytes::new()),
            main: "etc/mine.yaml".into(),
            base: "etc".into(),
            folder: false,
        };
        let text = faults(problem.unwrap(), &documents);
        assert_eq!(text, "etc/mine.yaml:2:3: a: x\nconf.d/b.yaml:1:1: y");
    }

    #[test]
    fn a_lost_expectation_says_what_the_head_is() {
        let problem = serde_json::from_value(json!({
            "title": "the head moved", "detail": "expected 6",
            "head": {"generation": 1, "revision": 7, "root": "0123456789abcdef"},
        }));
        let text = head_moved(&problem.unwrap());
        assert!(
            text.contains("expected 6") && text.contains("revision 7, root 01234567"),
            "{text}"
        );
    }
}
