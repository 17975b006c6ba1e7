//! Checks of nodes against the promises, from outside the state machines.

use std::time::Duration;

use aralez_proto::fault::FaultCode;
use aralez_proto::record::RecordSet;
use aralez_proto::snapshot::Snapshot;
use aralez_proto::version::Version;
use aralez_proxy::core::live::LiveTable;
use aralez_proxy::core::request::table::Table;
use aralez_proxy::core::sync::trial::LastExit;

use super::proxies::shown;
use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::content;

/// Maximum number of refusals that a node keeps.
const MOST_REFUSALS: usize = 8;
/// About one in this many swaps is compared with a table built from scratch, which costs more than all other checks.
const WHOLE_JUDGED: u64 = 5;
/// A content that served this long counts as good.
const PROOF: Duration = Duration::from_secs(60);

impl World {
    /// Records and judges the version that a node runs, if it changed.
    pub(super) fn begins_to_run(&mut self, node: usize) {
        let at = &self.nodes[node];
        let runs = at.process.as_ref().and_then(|process| process.runs());
        let before = at.last_ran();
        if runs == before {
            return;
        }
        let first = at.ran.last().is_none_or(|(_, version)| version.is_none());
        self.nodes[node].ran.push((self.now, runs));
        let Some(runs) = runs else { return };
        self.note(|| format!("n{node} runs {runs}"));
        if let Some(before) = before {
            if runs.order(&before).is_lt() {
                self.breaks(Promise::NeverBackwards, || {
                    format!("n{node} went from {before} to {runs}")
                });
            }
            if runs.root == before.root {
                return;
            }
        }
        let new = before.is_none_or(|before| before.authored_root != runs.authored_root);
        if !(first && self.had(node, runs)) {
            self.judge_origin(node, runs, before);
        }
        if new {
            self.nodes[node].applied_at = self.now;
        }
        self.judge_content(node, runs, new);
    }

    /// Reports whether the process already had this content when it started.
    fn had(&self, node: usize, runs: Version) -> bool {
        let process = self.nodes[node].process.as_ref();
        process.is_some_and(|process| process.at_first.root() == runs.root)
    }

    /// Checks the origin of a content: it must have arrived completely, from a control of the node's cluster that is not behind the node.
    fn judge_origin(&mut self, node: usize, runs: Version, before: Option<Version>) {
        let at = &self.nodes[node];
        let process = at.process.as_ref();
        let Some(sender) = process.and_then(|process| process.came.get(&runs.root).copied()) else {
            return self.breaks_for(
                Promise::WholeOrNothing,
                node,
                "runs a content that never arrived completely",
            );
        };
        let control = &self.controls[sender.control];
        if at
            .cluster
            .as_deref()
            .is_some_and(|own| own != control.cluster)
        {
            return self.breaks_for(
                Promise::OnlyNewerOwn,
                node,
                "runs what another cluster sent",
            );
        }
        if let (Some(head), Some(before)) = (sender.head, before)
            && head.order(&before).is_lt()
        {
            self.breaks(Promise::OnlyNewerOwn, || {
                format!(
                    "n{node} ran {before} and took {runs} from c{} whose head is {head}",
                    sender.control
                )
            });
        }
    }

    /// Checks the content that a node runs; `new` if its authored part changed.
    fn judge_content(&mut self, node: usize, runs: Version, new: bool) {
        let at = &self.nodes[node];
        let Some(process) = &at.process else { return };
        let live = process.live.load();
        let snapshot = &live.snapshot;
        let refuses = !at
            .setup
            .limits
            .allow(snapshot.records(), snapshot.resources())
            || (at.setup.is_old && !content::poison(snapshot).is_empty());
        let wrong = wrong_with(&live, self.run.events.is_multiple_of(WHOLE_JUDGED));
        let deadly = at.setup.is_fragile && content::is_deadly(snapshot);
        let again =
            new && at.suspects.contains(&runs.authored_root) && !self.is_last_resort(node, runs);
        drop(live);
        if let Some(wrong) = wrong {
            self.breaks(Promise::ClosedAndTrue, || {
                format!("n{node} runs {runs}: {wrong}")
            });
        }
        if refuses {
            self.breaks_for(Promise::NeverRunsRefused, node, "runs what it refuses");
        }
        if again {
            self.breaks_for(
                Promise::SuspectNotRunAgain,
                node,
                "runs a suspect content again",
            );
        }
        if deadly {
            let life = self.nodes[node].life;
            let after = self.random.millis(1_000, 40_000);
            self.plan(after, Happening::Dies { node, life });
        }
    }

    /// Reports whether a start had to fall back to a suspect content because the disk held no other usable one.
    fn is_last_resort(&self, node: usize, runs: Version) -> bool {
        let at = &self.nodes[node];
        let state = at.disk.state();
        let others = state.files.iter().filter(|file| {
            !file.damaged
                && !at.suspects.contains(&file.version.authored_root)
                && state.composed(file, &at.setup.limits).is_ok()
        });
        self.had(node, runs) && others.count() == 0
    }

    /// Before a start, forgets what the node can no longer know from its disk.
    pub(super) fn judge_boot(&mut self, node: usize) {
        let lost = self.nodes[node].disk.state().marks.is_none();
        if lost {
            self.nodes[node].suspects.clear();
            self.nodes[node].ended_by = None;
        }
        // A node without memory trusts the first cluster that it meets.
        let state = self.nodes[node].disk.state();
        let pinned = state
            .marks
            .as_ref()
            .is_some_and(|marks| !marks.cluster.is_empty());
        let remembers = pinned || state.files.iter().any(|file| !file.damaged);
        drop(state);
        if !remembers {
            self.nodes[node].cluster = None;
        }
    }

    /// Records that a process is about to die without a clean exit, and counts the death against the content on trial, if any.
    pub(super) fn note_death(&mut self, node: usize, seen: LastExit) {
        let at = &mut self.nodes[node];
        let runs = at.process.as_ref().and_then(|process| process.runs());
        let young = self.now < at.applied_at + PROOF;
        let state = at.disk.state();
        let boot = at.process.as_ref().map(|process| &process.identity.boot_id);
        // A trial that could not be written cannot be counted.
        let open = state.marks.as_ref().zip(runs).filter(|(marks, runs)| {
            let on_trial = marks
                .trials
                .iter()
                .any(|trial| trial.root == runs.authored_root && trial.open);
            young && on_trial && Some(&marks.boot_id) == boot
        });
        let ended_by = open.map(|(_, runs)| runs.authored_root);
        drop(state);
        let before = at.ended_by.take();
        let Some(root) = ended_by else { return };
        let count = before
            .filter(|(other, _)| *other == root)
            .map_or(0, |(_, count)| count)
            + if seen == LastExit::Fault { 2 } else { 1 };
        at.ended_by = Some((root, count));
        if count >= 4 && !at.suspects.contains(&root) {
            at.suspects.push(root);
            self.note(|| format!("n{node}: {} is suspect", root.short()));
        }
    }

    /// Checks that the machine agrees with the live table and keeps a bounded number of refusals; clears a proven content of suspicion.
    pub(super) fn judge_machine(&mut self, node: usize) {
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        if !process.news.is_empty() {
            return;
        }
        let (held, runs) = (process.machine.held(), process.runs());
        let kept = process.machine.refused().len();
        let proved = runs.filter(|_| self.now >= self.nodes[node].applied_at + PROOF);
        if held != runs {
            self.breaks(Promise::ClosedAndTrue, || {
                format!(
                    "n{node} says that it runs {}, and runs {}",
                    shown(held),
                    shown(runs)
                )
            });
        }
        if kept > MOST_REFUSALS {
            self.breaks_for(Promise::Bounded, node, "keeps more and more refusals");
        }
        if let Some(proved) = proved {
            self.nodes[node]
                .suspects
                .retain(|suspect| *suspect != proved.authored_root);
        }
    }

    /// Reports whether a node may refuse `view`: by its limits, its release, or a suspect content.
    pub(super) fn may_refuse(&self, node: usize, view: &Snapshot) -> bool {
        let at = &self.nodes[node];
        let suspects = at
            .process
            .iter()
            .flat_map(|process| process.machine.refused());
        let mut suspects = suspects.filter(|refusal| {
            let suspect = refusal
                .faults
                .iter()
                .any(|fault| matches!(fault.code, FaultCode::Suspect | FaultCode::Fatal));
            suspect && refusal.content.is_of(&view.version())
        });
        !at.setup.limits.allow(view.records(), view.resources())
            || (at.setup.is_old && !content::poison(view).is_empty())
            || suspects.next().is_some()
    }
}

/// Returns the defect of a live table. `None` if it has none. `wholly` also compares it with a table built from scratch.
fn wrong_with(live: &LiveTable, wholly: bool) -> Option<&'static str> {
    let snapshot = &live.snapshot;
    let records = snapshot.records();
    let again: RecordSet = records.iter().cloned().collect();
    if again.root() != snapshot.version().root || records.root() != again.root() {
        return Some("its root is not that of its records");
    }
    if !wholly {
        return None;
    }
    let complete = Snapshot::complete(snapshot.version(), again, &Default::default());
    let Ok(complete) = complete else {
        return Some("it is not closed under reference");
    };
    let registry = aralez_proxy::core::request::registry::Registry::default();
    let built = Table::build(&complete, &registry);
    (!same_table(&live.table, &built)).then_some("its table is not that of its records")
}

fn same_table(one: &Table, other: &Table) -> bool {
    let hosts = |table: &Table| {
        let mut hosts: Vec<_> = table.routes().hosts().cloned().collect();
        hosts.sort_by_key(|host| host.pattern.to_string());
        hosts
    };
    let pools = |table: &Table| {
        let pool = |pool: &std::sync::Arc<aralez_proxy::core::request::balance::CompiledPool>| {
            let endpoints = pool
                .endpoints()
                .iter()
                .map(|endpoint| endpoint.peer.address().to_string());
            (pool.name().to_string(), endpoints.collect::<Vec<_>>())
        };
        let mut pools: Vec<_> = table.pools().map(pool).collect();
        pools.sort();
        pools
    };
    hosts(one) == hosts(other) && pools(one) == pools(other)
}
