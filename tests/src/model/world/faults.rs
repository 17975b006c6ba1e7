//! The faults that a run injects.

use std::time::Duration;

use aralez_control::core::session::Event;
use aralez_proxy::core::sync::snapshot_parts::OtherPart;
use aralez_proxy::core::sync::subscription;
use aralez_proxy::core::sync::trial::LastExit;
use aralez_proxy::sync::command::Command;

use super::{Happening, World};
use crate::model::planted::Planted;
use crate::model::setup::Other;

/// The wall clock jumps by at most this much.
const JUMP: u64 = 500_000;

impl World {
    pub(super) fn fault(&mut self) {
        if self.healed {
            return;
        }
        let pause = self
            .random
            .millis(self.setup.fault_gap / 4, self.setup.fault_gap);
        self.plan(pause, Happening::Fault);
        self.run.faults += 1;
        let node = self.random.index(self.nodes.len());
        match self.random.below(100) {
            0..=17 => self.cut_one(node),
            18..=29 => self.partition(node),
            30..=46 => self.crash(node),
            47..=52 => self.restart(node),
            53..=62 => self.crash_control(),
            63..=66 => self.drain_control(),
            67..=71 => self.back_up(),
            72..=76 => self.restore(),
            77..=80 => self.jump(),
            81..=88 => self.slow_down(node),
            89..=96 => self.corrupt(node),
            _ => self.fill_disk(node),
        }
    }

    fn cut_one(&mut self, node: usize) {
        let process = self.nodes[node].process.as_ref();
        if let Some(link) = process.and_then(|process| process.stream) {
            self.note(|| format!("the stream of n{node} is cut"));
            self.cut(link);
        }
    }

    fn partition(&mut self, node: usize) {
        let control = self.random.index(self.controls.len());
        let takes = self.random.millis(500, 80_000);
        let until = self.now + takes;
        self.note(|| format!("n{node} and c{control} are apart for {} s", takes.as_secs()));
        self.disturb(node);
        let before = self.partitions.insert((node, control), until);
        if let Some(before) = before.filter(|before| *before > until) {
            self.partitions.insert((node, control), before);
        }
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].process.is_none() {
            return;
        }
        self.note(|| format!("n{node} crashes"));
        self.ends(node, LastExit::Unknown);
        let wipes = self.setup.other != Other::Foreign;
        let kind = self.random.below(100);
        let mut state = self.nodes[node].disk.state();
        match kind {
            0..=14 => {
                if let Some(newest) = state.files.first_mut() {
                    newest.damaged = true;
                }
            }
            15..=21 if wipes => state.marks = None,
            22..=27 => {
                state.files.iter_mut().for_each(|file| file.damaged = true);
                state.other = OtherPart::default();
            }
            28..=35 if wipes => {
                state.files.clear();
                state.other = OtherPart::default();
                state.marks = None;
            }
            _ => {}
        }
        drop(state);
        self.comes_back(node);
    }

    /// Kills the process without a clean exit.
    fn ends(&mut self, node: usize, seen: LastExit) {
        self.note_death(node, seen);
        self.nodes[node].disk.state().last_exit = seen;
        self.gone(node);
    }

    fn gone(&mut self, node: usize) {
        self.disturb(node);
        if let Some(process) = self.nodes[node].process.take() {
            self.nodes[node].ran.push((self.now, None));
            if let Some(link) = process.stream {
                self.node_side_dies(link);
            }
        }
    }

    fn comes_back(&mut self, node: usize) {
        let after = self.random.millis(200, 8_000);
        self.plan(after, Happening::Boot { node });
    }

    pub(super) fn dies_of_it(&mut self, node: usize, life: u64) {
        let at = &self.nodes[node];
        let process = at.process.as_ref().filter(|_| at.life == life);
        let deadly = process
            .is_some_and(|process| crate::model::content::is_deadly(&process.live.load().snapshot));
        if deadly && !self.healed {
            self.note(|| format!("n{node} dies of what it runs"));
            self.ends(node, LastExit::Fault);
            self.comes_back(node);
        }
    }

    fn restart(&mut self, node: usize) {
        if self.nodes[node].process.is_none() {
            return;
        }
        self.note(|| format!("n{node} is restarted"));
        self.feed(node, subscription::Event::Shutdown);
        self.work(node, Command::Leave);
        self.nodes[node].ended_by = None;
        self.gone(node);
        self.comes_back(node);
    }

    fn crash_control(&mut self) {
        let control = self.random.index(self.controls.len());
        if !self.controls[control].is_up {
            return;
        }
        self.note(|| format!("c{control} crashes"));
        self.stop_control(control);
        let after = self.random.millis(300, 40_000);
        self.plan(after, Happening::Start { control });
    }

    pub(super) fn stop_control(&mut self, control: usize) {
        let life = self.controls[control].life;
        let here =
            |link: &crate::model::wire::Link| link.control == control && link.control_life == life;
        let links: Vec<u64> = self
            .links
            .iter()
            .filter(|(_, link)| here(link))
            .map(|(id, _)| *id)
            .collect();
        for link in links {
            let node = self.links[&link].node;
            self.disturb(node);
            self.control_side_dies(link);
        }
        let control = &mut self.controls[control];
        control.is_up = false;
        control.life += 1;
        control.serving.clear();
    }

    pub(super) fn start_control(&mut self, control: usize) {
        if !self.controls[control].is_up && !self.controls[control].is_gone {
            self.controls[control].start();
            let head = self.controls[control].head();
            self.note(|| format!("c{control} starts with {head}"));
        }
    }

    fn drain_control(&mut self) {
        let control = self.random.index(self.controls.len());
        if !self.controls[control].is_up {
            return;
        }
        self.note(|| format!("c{control} leaves"));
        let links: Vec<u64> = self.controls[control].serving.keys().copied().collect();
        let within = Duration::from_secs(2);
        for link in links {
            self.handle(control, link, Event::Drain { within });
        }
        self.stop_control(control);
        let after = self.random.millis(300, 5_000);
        self.plan(after, Happening::Start { control });
    }

    fn back_up(&mut self) {
        let control = &mut self.controls[0];
        control.backup = Some(control.ledger.clone());
        self.note(|| "the ledger is backed up".to_owned());
    }

    /// Replaces the ledger by its backup, in a new generation so that nodes do not mistake its revisions for those they know.
    fn restore(&mut self) {
        let Some(backup) = self.controls[0].backup.clone() else {
            return;
        };
        if self.controls[0].is_up {
            self.stop_control(0);
            let after = self.random.millis(300, 10_000);
            self.plan(after, Happening::Start { control: 0 });
        }
        self.watches.clear();
        let seconds = u64::try_from(self.wall / 1_000).unwrap_or(0) + self.now.as_secs();
        let before = self.controls[0].ledger.generation;
        let keeps = self.has(Planted::GenerationKept);
        let ledger = &mut self.controls[0].ledger;
        *ledger = backup;
        if !keeps {
            ledger.generation = seconds.max(before + 1);
        }
        let generation = ledger.generation;
        self.note(|| format!("the backup is restored as generation {generation}"));
        self.note_authored();
    }

    fn jump(&mut self) {
        let by = self.random.below(2 * JUMP);
        self.wall += i64::try_from(by).unwrap_or(0) - i64::try_from(JUMP).unwrap_or(0);
        self.note(|| "the wall clock jumps".to_owned());
    }

    fn slow_down(&mut self, node: usize) {
        let gap = self.random.millis(1_000, 45_000);
        let slow = self.nodes[node].slow.is_none().then_some(gap);
        self.note(|| format!("delay between messages to n{node}: {slow:?}"));
        self.nodes[node].slow = slow;
        if slow.is_none() {
            self.hasten(|on| on.node == node);
        }
        self.disturb(node);
    }

    fn corrupt(&mut self, node: usize) {
        self.nodes[node].is_corrupted ^= true;
        self.disturb(node);
    }

    fn fill_disk(&mut self, node: usize) {
        let mut state = self.nodes[node].disk.state();
        state.is_full = !state.is_full;
    }
}
