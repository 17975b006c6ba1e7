//! A stream between a node and a control: two wires that delay messages and can be cut, but never reorder.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

/// Maximum number of messages in flight from control; more wait in its outbox.
pub const WINDOW: usize = 3;

/// An item in transit.
#[derive(Clone, Debug)]
pub enum Travels {
    /// An encoded message.
    Message(Bytes),
    /// The sender closed the stream.
    End,
}

/// An item in flight, with its times.
#[derive(Clone, Debug)]
pub struct UnderWay {
    /// Time of sending.
    pub sent: Duration,
    /// Time of arrival, unless a partition holds up the wire.
    pub arrives: Duration,
    /// The item.
    pub what: Travels,
}

/// One direction of a stream.
#[derive(Clone, Debug, Default)]
pub struct ModelWire {
    /// Items in flight, in order.
    pub under_way: VecDeque<UnderWay>,
    last: Duration,
}

impl ModelWire {
    /// Sends an item and returns its arrival time: at least `gap` after the previous arrival, so that order is kept.
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

    /// Makes everything in flight arrive now, and returns the number of items.
    pub fn hasten(&mut self, now: Duration) -> usize {
        self.last = self.last.min(now);
        for under_way in &mut self.under_way {
            under_way.arrives = under_way.arrives.min(now);
        }
        self.under_way.len()
    }

    /// Takes the next item that has arrived by `now`. `None` if there is none.
    pub fn receive(&mut self, now: Duration) -> Option<UnderWay> {
        let ready = self.under_way.front()?.arrives <= now;
        ready.then(|| self.under_way.pop_front()).flatten()
    }
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Link {
    /// Index of the node.
    pub node: usize,
    /// The life of the node that opened the stream.
    pub node_life: u64,
    /// Index of the control.
    pub control: usize,
    /// The life of the control that serves the stream.
    pub control_life: u64,
    /// From control to the node.
    pub down: ModelWire,
    /// From the node to control.
    pub up: ModelWire,
    /// The base delay of a message.
    pub delay: Duration,
    /// The current update from control is a delta.
    pub difference: bool,
    /// A bit was flipped on this stream.
    pub corrupted: bool,
    /// The update that is arriving at the node.
    pub incoming: Option<IncomingUpdate>,
}

/// An arriving update, seen from outside the state machine.
#[derive(Clone, Debug)]
pub struct IncomingUpdate {
    /// The version that it leads to.
    pub to: aralez_proto::version::Version,
    /// Announced parts that have not arrived yet.
    pub missing: u32,
    /// The changes that have arrived; collected only for the planted bug `CutUpdateApplied`.
    pub changes: Vec<aralez_proto::record::Change>,
}
