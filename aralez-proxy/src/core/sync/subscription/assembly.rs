//! Assembles the parts of one update, in bounded memory.

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::record::Change;
use aralez_proto::snapshot::Limits;

use crate::core::sync::subscription::message::{Begin, Part, Update};

/// Allowance for keys and per-change overhead on top of the payload limit, in bytes.
const SLACK_BYTES: u64 = 8 * 1024 * 1024;
/// Approximate memory per change in addition to its key and payload, in bytes.
const CHANGE_COST: u64 = 96;
/// Payload limit of a node without `max_snapshot`.
const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// An update that is being received.
#[derive(Debug)]
pub(super) struct Assembly {
    begin: Begin,
    max: u64,
    parts: u32,
    payload: u64,
    weight: u64,
    changes: Vec<Change>,
    faults: Vec<Fault>,
}

impl Assembly {
    /// Accepts an announced update, or returns the faults if it exceeds the limits of this node.
    pub(super) fn new(begin: Begin, limits: &Limits) -> Result<Self, Faults> {
        let max = limits.max_snapshot_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        if begin.bytes > max {
            let reason = format!(
                "the update announces {} bytes, the limit of this node is {max}",
                begin.bytes
            );
            return Err(Fault::whole(FaultCode::Limit, "max_snapshot", reason).into());
        }
        Ok(Self {
            begin,
            max,
            parts: 0,
            payload: 0,
            weight: 0,
            changes: Vec::new(),
            faults: Vec::new(),
        })
    }

    pub(super) const fn begin(&self) -> &Begin {
        &self.begin
    }

    /// Adds a part, or returns the faults if it violates the announcement or the limits.
    pub(super) fn add(&mut self, part: Part) -> Result<(), Faults> {
        self.parts += 1;
        for change in &part.changes {
            let payload = match change {
                Change::Put(record) => record.payload.len() as u64,
                Change::Delete(_) => 0,
            };
            self.payload += payload;
            self.weight += payload + change.key().name.len() as u64 + CHANGE_COST;
        }
        for fault in &part.faults {
            self.weight += CHANGE_COST + fault.reason.len() as u64;
        }
        if self.parts > self.begin.parts {
            return Err(decode(format!(
                "has more than the {} parts announced",
                self.begin.parts
            )));
        }
        if self.payload > self.begin.bytes {
            return Err(decode(format!(
                "has more than the {} bytes announced",
                self.begin.bytes
            )));
        }
        // Deletions and keys count too, so that a node never buffers more than about twice its limit.
        let most = self.max.saturating_mul(2).saturating_add(SLACK_BYTES);
        if self.weight > most {
            let reason = format!("the update, including its keys, exceeds {most} bytes");
            return Err(Fault::whole(FaultCode::Limit, "max_snapshot", reason).into());
        }
        self.changes.extend(part.changes);
        self.faults.extend(part.faults);
        Ok(())
    }

    /// Returns the update if all parts arrived and every item could be decoded.
    pub(super) fn finish(self) -> Result<Update, Faults> {
        if self.parts != self.begin.parts {
            return Err(decode(format!(
                "has {} parts instead of the {} announced",
                self.parts, self.begin.parts
            )));
        }
        Faults::check(self.faults)?;
        Ok(Update {
            full: self.begin.from_root.is_none(),
            to: self.begin.to,
            changes: self.changes,
        })
    }
}

fn decode(reason: String) -> Faults {
    Fault::whole(FaultCode::Decode, "update", reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_cannot_be_named_weigh_what_they_bring() {
        let begin = Begin {
            update_id: 1,
            from_root: None,
            to: Default::default(),
            parts: 1000,
            bytes: 0,
        };
        let limits = Limits {
            max_snapshot_bytes: Some(1),
            ..Limits::default()
        };
        let mut assembly = Assembly::new(begin, &limits).unwrap();
        let part = || Part {
            update_id: 1,
            changes: Vec::new(),
            faults: vec![Fault::whole(
                FaultCode::UnknownFeature,
                "type",
                "x".repeat(1 << 20),
            )],
        };
        let taken = (0..1000)
            .take_while(|_| assembly.add(part()).is_ok())
            .count();
        assert_eq!(taken, 7, "parts of a MiB each, where 8 MiB are the most");
    }
}
