//! Progress for people: one line per node, redrawn in place on a terminal, printed once per change elsewhere.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use super::progress::{NodeProgress, Progress, State};

/// Shows progress on standard error.
#[derive(Debug)]
pub(super) struct Show {
    in_place: bool,
    drawn: usize,
    last: BTreeMap<String, State>,
}

impl Show {
    /// Redraws in place if standard error is a terminal that can.
    pub(super) fn on_stderr() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            in_place: io::stderr().is_terminal() && !dumb,
            drawn: 0,
            last: BTreeMap::new(),
        }
    }

    /// Prints the states of the nodes if they changed.
    pub(super) fn progress(&mut self, progress: &Progress) {
        let news = self.next(progress);
        // A failed write is ignored: the exit code reports the result.
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(news.as_bytes());
        let _ = stderr.flush();
    }

    fn next(&mut self, progress: &Progress) -> String {
        let states = |node: &NodeProgress| (node.node.clone(), node.state);
        let now: BTreeMap<_, _> = progress.nodes.iter().map(states).collect();
        if now == self.last {
            return String::new();
        }
        let text = if self.in_place {
            self.redrawn(progress)
        } else {
            changed(&self.last, progress)
        };
        self.last = now;
        text
    }

    fn redrawn(&mut self, progress: &Progress) -> String {
        let up = match self.drawn {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\x1b[J"),
        };
        self.drawn = progress.nodes.len();
        progress
            .nodes
            .iter()
            .fold(up, |text, node| text + &line(node))
    }
}

fn changed(last: &BTreeMap<String, State>, progress: &Progress) -> String {
    let news = |node: &&NodeProgress| last.get(&node.node) != Some(&node.state);
    progress.nodes.iter().filter(news).map(line).collect()
}

fn line(node: &NodeProgress) -> String {
    // Node names come from the network: strip control characters, which could drive the terminal.
    let name: String = node.node.chars().filter(|c| !c.is_control()).collect();
    format!("  {name}: {}\n", node.state.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(nodes: &[(&str, State)]) -> Progress {
        let of = |(name, state): &(&str, State)| NodeProgress {
            node: (*name).to_owned(),
            state: *state,
            ..NodeProgress::default()
        };
        Progress {
            nodes: nodes.iter().map(of).collect(),
            ..Progress::default()
        }
    }

    fn show(in_place: bool) -> Show {
        Show {
            in_place,
            drawn: 0,
            last: BTreeMap::new(),
        }
    }

    #[test]
    fn off_a_terminal_every_change_is_one_line() {
        let mut show = show(false);
        let first = progress(&[("a", State::Pending), ("b", State::Pending)]);
        assert_eq!(show.next(&first), "  a: pending\n  b: pending\n");
        assert_eq!(show.next(&first), "");
        let second = progress(&[("a", State::Pending), ("b", State::Applied)]);
        assert_eq!(show.next(&second), "  b: applied\n");
    }

    #[test]
    fn on_a_terminal_the_nodes_are_redrawn_in_place() {
        let mut show = show(true);
        assert_eq!(
            show.next(&progress(&[("a", State::Pending)])),
            "  a: pending\n"
        );
        let second = progress(&[("a", State::Applied), ("b", State::Lost)]);
        assert_eq!(show.next(&second), "\x1b[1A\x1b[J  a: applied\n  b: lost\n");
    }
}
