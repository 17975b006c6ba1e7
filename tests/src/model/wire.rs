//! A stream between a node and a control: two wires that delay and are cut, but never reorder.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

/// How many messages may be under way before control has to wait.
pub const WINDOW: usize = 3;

/// What travels.
#[derive(Clone, Debug)]
pub enum Travels {
    /// An encoded message.
    Message(Bytes),
    /// The other side closed it.
    End,
}

/// What is under way, and when it was sent and arrives.
#[derive(Clone, Debug)]
pub struct UnderWay {
    /// When it was sent.
    pub sent: Duration,
    /// When it arrives, unless the wire is held up.
    pub arrives: Duration,
    /// What.
    pub what: Travels,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct ModelWire {
    /// In order.
    pub under_way: VecDeque<UnderWay>,
    last: Duration,
}

impl ModelWire {
    /// Sends; gives when it arrives. What was sent later never arrives sooner.
    pub fn send(
        &mut self,
        now: Duration,
        delay: Duration,
        gap: Duration,
        what: Travels,
    ) -> Duration {
        let arrives = (now + delay).max(self.last + gap);
        self.last = arrives;
        let sent = now;
        self.under_way.push_back(UnderWay {
            sent,
            arrives,
            what,
        });
        arrives
    }

    /// What is under way arrives now; gives how much that is.
    pub fn hasten(&mut self, now: Duration) -> usize {
        self.last = self.last.min(now);
        for under_way in &mut self.under_way {
            under_way.arrives = under_way.arrives.min(now);
        }
        self.under_way.len()
    }

    /// What arrives now.
    pub fn receive(&mut self, now: Duration) -> Option<UnderWay> {
        let ready = self.under_way.front()?.arrives <= now;
        ready.then(|| self.under_way.pop_front()).flatten()
    }
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Link {
    /// Which node.
    pub node: usize,
    /// In which of its lives.
    pub node_life: u64,
    /// Which control.
    pub control: usize,
    /// In which of its lives.
    pub control_life: u64,
    /// From control to the node.
    pub down: ModelWire,
    /// From the node to control.
    pub up: ModelWire,
    /// The usual delay.
    pub delay: Duration,
    /// The update that comes down is a difference.
    pub difference: bool,
    /// Bits were flipped on it.
    pub corrupted: bool,
    /// How many updates began and have not ended, seen at the node.
    pub incoming: Option<IncomingUpdate>,
}

/// An update that is coming in, seen from outside the machine.
#[derive(Clone, Debug)]
pub struct IncomingUpdate {
    /// What it leads to.
    pub to: aralez_proto::version::Version,
    /// Parts that were announced and have not come.
    pub missing: u32,
    /// What came.
    pub changes: Vec<aralez_proto::record::Change>,
}
