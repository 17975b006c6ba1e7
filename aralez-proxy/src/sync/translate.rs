//! Conversion between the plain messages of the subscription and the wire types. It makes no decisions.

use std::time::Duration;

use aralez_proto::convert::stream::{self, InvalidMessage, digest};
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::feature;
use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, Held, RecordSet};
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use aralez_proto::wire::part::UpdatePart;

use crate::core::sync::subscription::{
    Begin, ContentRefusal, Hello, Message, PROTOCOL, Part, Report, Welcome,
};

/// Maximum number of faults in a report; the last one then states how many more there are.
const MOST_FAULTS: usize = 1000;

/// Maximum number of keys in a `DigestDetail`, about a megabyte. With more it is empty except for `too_much`, and control sends a full
/// snapshot.
const MOST_HELD: usize = 16_384;

/// The identity of this node, for `Hello`.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// The version of its release.
    pub proxy_version: String,
    /// Limits of the snapshots that it accepts.
    pub limits: Limits,
    /// Drawn at random for this start.
    pub boot_id: Vec<u8>,
    /// The boot id of the previous start; empty for the first.
    pub replaces_boot_id: Vec<u8>,
}

/// The content of `Status`.
#[derive(Clone, Debug, Default)]
pub struct NodeStatus {
    /// The running version.
    pub running: Option<Version>,
    /// Where that version came from.
    pub origin: &'static str,
    /// The newest version that is safe on disk.
    pub persisted: Option<Version>,
    /// Requests since the start.
    pub requests: u64,
    /// Responses with status 500 to 599 since the start.
    pub responses_5xx: u64,
    /// Problems as text for an operator.
    pub troubles: Vec<String>,
}

/// Builds the first message of a stream.
pub fn hello(identity: &Identity, hello: &Hello) -> wire::NodeMessage {
    node_message(wire::node_message::Kind::Hello(wire::Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        node: identity.node.clone(),
        group: identity.group.clone(),
        proxy_version: identity.proxy_version.clone(),
        features: feature::known(),
        limits: Some(identity.limits.into()),
        held: hello.held.map(Into::into),
        boot_id: identity.boot_id.clone().into(),
        replaces_boot_id: identity.replaces_boot_id.clone().into(),
        refused: hello.refused.iter().map(refusal).collect(),
        cluster_id: hello.cluster.clone().into(),
        repairs: true,
    }))
}

fn refusal(refusal: &ContentRefusal) -> wire::Refusal {
    stream::refusal(&refusal.content, &refusal.faults)
}

/// Builds the message of a report.
pub fn report(report: &Report, told: impl FnOnce() -> NodeStatus) -> wire::NodeMessage {
    node_message(match report {
        Report::Ack {
            update_id,
            version,
            took,
        } => wire::node_message::Kind::Ack(wire::Ack {
            update_id: *update_id,
            version: Some((*version).into()),
            apply_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }),
        Report::Nack {
            update_id,
            kept,
            refused_root,
            faults: reasons,
        } => wire::node_message::Kind::Nack(wire::Nack {
            update_id: *update_id,
            kept: kept.map(Into::into),
            refused_root: refused_root.as_bytes().to_vec().into(),
            faults: faults(reasons),
        }),
        Report::Status => wire::node_message::Kind::Status(status(told())),
    })
}

/// Builds the answer with the marks of all buckets.
pub fn digest_answer(question: u64, records: &RecordSet) -> wire::NodeMessage {
    let buckets: Vec<u8> = records.marks().flatten().collect();
    node_message(wire::node_message::Kind::Digest(wire::Digest {
        question,
        buckets: buckets.into(),
    }))
}

/// Builds the answer with the keys held in some buckets.
pub fn detail_answer(question: u64, records: &RecordSet, buckets: &[usize]) -> wire::NodeMessage {
    let held: Vec<Held> = records.held_in(buckets).take(MOST_HELD + 1).collect();
    let too_much = held.len() > MOST_HELD;
    let told = held.into_iter().filter(|_| !too_much);
    node_message(wire::node_message::Kind::DigestDetail(wire::DigestDetail {
        question,
        held: told.map(|held| held_key(&held)).collect(),
        too_much,
    }))
}

fn held_key(held: &Held) -> wire::HeldKey {
    wire::HeldKey {
        r#type: held.key.kind.number().into(),
        key: held.key.name.as_ref().to_owned(),
        leaf: held.mark.to_vec().into(),
    }
}

fn status(told: NodeStatus) -> wire::Status {
    wire::Status {
        running: told.running.map(Into::into),
        origin: told.origin.to_owned(),
        persisted: told.persisted.map(Into::into),
        requests: told.requests,
        responses_5xx: told.responses_5xx,
        troubles: told.troubles,
    }
}

fn faults(faults: &[Fault]) -> Vec<wire::Fault> {
    let mut told: Vec<wire::Fault> = faults.iter().take(MOST_FAULTS).map(Into::into).collect();
    if faults.len() > MOST_FAULTS {
        let reason = format!("and {} more faults", faults.len() - MOST_FAULTS);
        told.push((&Fault::whole(FaultCode::Invalid, "", reason)).into());
    }
    told
}

const fn node_message(kind: wire::node_message::Kind) -> wire::NodeMessage {
    wire::NodeMessage { kind: Some(kind) }
}

/// Converts a message of control. A malformed message becomes [`Message::Broken`]; `None` for a kind that this release does not know.
pub fn message(message: wire::ControlMessage) -> Option<Message> {
    let read = match message.kind? {
        wire::control_message::Kind::Welcome(from) => welcome(&from),
        wire::control_message::Kind::Begin(from) => begin(from),
        wire::control_message::Kind::Part(from) => Ok(Message::UpdatePart(part(from))),
        wire::control_message::Kind::Commit(from) => Ok(Message::Commit {
            update_id: from.update_id,
        }),
        wire::control_message::Kind::Heartbeat(from) => {
            version(from.expected).map(|expected| Message::Heartbeat { expected })
        }
        wire::control_message::Kind::AskDigest(from) => Ok(Message::AskDigest {
            question: from.question,
        }),
        wire::control_message::Kind::AskDetail(from) => Ok(Message::AskDetail {
            question: from.question,
            buckets: from.buckets.into_iter().map(|at| at as usize).collect(),
        }),
        wire::control_message::Kind::GoAway(from) => Ok(Message::GoAway {
            reason: from.reason,
            retry_min: Duration::from_millis(from.retry_min_ms),
            retry_max: Duration::from_millis(from.retry_max_ms),
        }),
    };
    Some(read.unwrap_or_else(|error| Message::Broken(error.to_string())))
}

fn version(version: Option<wire::Version>) -> Result<Option<Version>, InvalidMessage> {
    version.map(TryInto::try_into).transpose()
}

fn welcome(from: &wire::Welcome) -> Result<Message, InvalidMessage> {
    Ok(Message::Welcome(Welcome {
        cluster: from.cluster_id.to_vec(),
        protocol: from.protocol,
        head: version(from.head.clone())?,
        heartbeat: Duration::from_millis(from.heartbeat_ms),
        ack_deadline: Duration::from_millis(from.ack_deadline_ms),
    }))
}

fn begin(from: wire::UpdateBegin) -> Result<Message, InvalidMessage> {
    let to = from
        .to
        .ok_or_else(|| InvalidMessage("an update has no target version".to_owned()))?;
    let from_root: Option<Digest> = match from.from_root.as_ref() {
        [] => None,
        bytes => Some(digest("an update's from_root", bytes)?),
    };
    Ok(Message::Begin(Begin {
        update_id: from.update_id,
        from_root,
        to: to.try_into()?,
        parts: from.parts,
        bytes: from.bytes,
    }))
}

fn part(from: UpdatePart) -> Part {
    let mut part = Part {
        update_id: from.update_id,
        changes: Vec::new(),
        faults: Vec::new(),
    };
    for item in from.items.into_read() {
        match Change::try_from(item) {
            Ok(change) => part.changes.push(change),
            Err(fault) => part.faults.push(fault),
        }
    }
    part
}
