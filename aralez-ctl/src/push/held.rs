//! The message for a change that control holds: what it would remove, and the command that confirms it. Pure.

use std::path::Path;

use crate::answer::{Dropped, Loss, Problem};
use crate::args::Push;

/// Formats the losses, then the confirming command on a separate line, for commands that take `--held ID` or `--force`.
pub(crate) fn words(problem: &Problem, command: &str) -> String {
    let id = problem.held.as_deref().unwrap_or_default();
    format!(
        "{}\n  {command} --held {id}\nor use --force; repeating the command does not confirm it",
        confirm_by(problem)
    )
}

/// Formats the losses, then the line that confirms the release of held files.
pub(crate) fn release_words(problem: &Problem) -> String {
    let id = problem.held.as_deref().unwrap_or_default();
    format!("{}\n  aralez-ctl sources release {id}", confirm_by(problem))
}

fn confirm_by(problem: &Problem) -> String {
    let losses = problem.removes.iter().map(Loss::words);
    let dropped = problem.drops.iter().map(Dropped::words);
    let gone = problem.gone.iter().map(|name| format!("lacks {name}"));
    let all: Vec<String> = losses.chain(dropped).chain(gone).collect();
    let minutes = problem.expires_in_ms.unwrap_or_default().div_ceil(60_000);
    format!(
        "held, nothing was changed: the change {}\nto confirm it within {minutes} minutes, run",
        all.join("\n  and "),
    )
}

/// Returns the command line of this push, with the flags that matter for its repetition. `--timeout` only limits a wait.
pub(super) fn pushed(push: &Push) -> String {
    let mut command = format!("aralez-ctl push {}", quoted(&push.file));
    if let Some(revision) = push.expect {
        command.push_str(&format!(" --expect {revision}"));
    }
    if let Some(message) = &push.message {
        command.push_str(&format!(" --message {}", quoted(Path::new(message))));
    }
    if push.wait {
        command.push_str(" --wait");
    }
    if push.all {
        command.push_str(" --all");
    }
    command
}

/// Quotes a word for a POSIX shell, if it needs quotes.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_push_shows_what_goes_and_the_line_that_confirms_it() {
        let problem = serde_json::from_value(serde_json::json!({
            "held": "0123456789ab", "expires_in_ms": 599_990,
            "removes": [{"of": "hosts", "name": "", "before": 12, "removed": 9}],
            "drops": [{"document": "conf.d/a.yaml", "hosts": ["a.test", "b.test", "c.test", "d.test"]}],
        }));
        let text = words(&problem.unwrap(), "aralez-ctl push x.yaml");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "held, nothing was changed: the change removes 9 of 12 hosts",
                "  and drops 4 hosts defined in conf.d/a.yaml: a.test, b.test, c.test and 1 more",
                "to confirm it within 10 minutes, run",
                "  aralez-ctl push x.yaml --held 0123456789ab",
                "or use --force; repeating the command does not confirm it",
            ]
        );
    }

    #[test]
    fn words_for_the_shell_are_quoted_where_they_must_be() {
        assert_eq!(quoted(Path::new("etc/a.yaml")), "etc/a.yaml");
        assert_eq!(quoted(Path::new("it's here")), r"'it'\''s here'");
        assert_eq!(quoted(Path::new("")), "''");
    }
}
