//! Streams: how they open, delay messages, and close on either side.

use std::time::Duration;

use bytes::Bytes;

use super::{Happening, World};
use crate::model::wire::{Link, ModelWire, Travels};

/// Maximum time until a side notices that its stream is cut, in milliseconds.
const NOTICED: u64 = 50;

impl World {
    /// Opens a stream. It exists before control has received the first message.
    pub(super) fn open_link(&mut self, node: usize, control: usize) -> u64 {
        self.numbers += 1;
        let link = Link {
            node,
            node_life: self.nodes[node].life,
            control,
            control_life: self.controls[control].life,
            down: ModelWire::default(),
            up: ModelWire::default(),
            delay: self.random.millis(1, self.setup.delay),
            difference: false,
            corrupted: false,
            incoming: None,
        };
        self.links.insert(self.numbers, link);
        self.numbers
    }

    pub(super) fn send_up(&mut self, link: u64, what: Travels) {
        let jitter = self.random.millis(0, 20);
        let now = self.now;
        if let Some(on) = self.links.get_mut(&link) {
            let at = on.up.send(now, on.delay + jitter, Duration::ZERO, what);
            self.plan_at(at, Happening::Up { link });
        }
    }

    pub(super) fn send_down(&mut self, link: u64, what: Travels) {
        let jitter = self.random.millis(0, 20);
        let now = self.now;
        if let Some(on) = self.links.get_mut(&link) {
            let gap = self.nodes[on.node].slow.unwrap_or_default();
            let at = on.down.send(now, on.delay + jitter, gap, what);
            self.plan_at(at, Happening::Down { link });
        }
    }

    /// Returns the end of the partition that holds up a link. `None` if there is none.
    fn held_up(&self, link: u64) -> Option<Duration> {
        let on = self.links.get(&link)?;
        let until = self.partitions.get(&(on.node, on.control))?;
        (*until > self.now).then_some(*until)
    }

    pub(super) fn arrives_up(&mut self, link: u64) {
        if let Some(until) = self.held_up(link) {
            return self.plan_at(until, Happening::Up { link });
        }
        let Some(on) = self.links.get_mut(&link) else {
            return;
        };
        let control = &self.controls[on.control];
        if !control.is_up || control.life != on.control_life {
            on.up.under_way.clear();
            return;
        }
        let Some(came) = on.up.receive(self.now) else {
            return;
        };
        match came.what {
            Travels::Message(bytes) => self.control_hears(link, came.sent, bytes),
            Travels::End => self.stops_serving(link, false),
        }
    }

    pub(super) fn arrives_down(&mut self, link: u64) {
        if let Some(until) = self.held_up(link) {
            return self.plan_at(until, Happening::Down { link });
        }
        let Some(on) = self.links.get_mut(&link) else {
            return;
        };
        let Some(came) = on.down.receive(self.now) else {
            return;
        };
        let (node, life) = (on.node, on.node_life);
        if self.is_open(link, node, life) {
            match came.what {
                Travels::Message(bytes) => self.node_hears(link, &bytes),
                Travels::End => self.node_loses(link),
            }
        }
        self.pump(link);
    }

    /// Reports whether this is the open stream of the node's current process.
    pub(super) fn is_open(&self, link: u64, node: usize, life: u64) -> bool {
        let node = &self.nodes[node];
        let process = node.process.as_ref().filter(|_| node.life == life);
        process.is_some_and(|process| process.stream == Some(link))
    }

    /// Delivers everything in flight on the matching streams now.
    pub(super) fn hasten(&mut self, wanted: impl Fn(&Link) -> bool) {
        let links = self.links.iter().filter(|(_, on)| wanted(on));
        let links: Vec<u64> = links.map(|(link, _)| *link).collect();
        for link in links {
            let Some(on) = self.links.get_mut(&link) else {
                continue;
            };
            let (up, down) = (on.up.hasten(self.now), on.down.hasten(self.now));
            for _ in 0..up {
                self.plan(Duration::ZERO, Happening::Up { link });
            }
            for _ in 0..down {
                self.plan(Duration::ZERO, Happening::Down { link });
            }
        }
    }

    /// Cuts a stream: everything in flight is lost, and each side notices at its own time.
    pub(super) fn cut(&mut self, link: u64) {
        let Some(on) = self.links.get_mut(&link) else {
            return;
        };
        on.up.under_way.clear();
        on.down.under_way.clear();
        let node = on.node;
        self.disturb(node);
        let (one, other) = (
            self.random.millis(0, NOTICED),
            self.random.millis(0, NOTICED),
        );
        self.plan(one, Happening::NodeNotices { link });
        self.plan(other, Happening::ControlNotices { link });
    }

    /// Closes a stream whose node died: messages that it sent may still arrive.
    pub(super) fn node_side_dies(&mut self, link: u64) {
        let arrives = self.random.chance(50);
        if let Some(on) = self.links.get_mut(&link)
            && !arrives
        {
            on.up.under_way.clear();
        }
        self.send_up(link, Travels::End);
    }

    /// Closes a stream whose control died without a farewell: messages that it sent may still arrive.
    pub(super) fn control_side_dies(&mut self, link: u64) {
        let arrives = self.random.chance(50);
        if let Some(on) = self.links.get_mut(&link)
            && !arrives
        {
            on.down.under_way.clear();
        }
        self.send_down(link, Travels::End);
    }

    pub(super) fn message(bytes: Vec<u8>) -> Travels {
        Travels::Message(Bytes::from(bytes))
    }
}
