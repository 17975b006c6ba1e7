//! Conversion between wire messages and the values of a session.

use std::time::Duration;

use aralez_proto::convert::stream::{self, InvalidMessage};
use aralez_proto::fault::Fault;
use aralez_proto::record::{Held, Mark, RecordKey, ResourceType};
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::control_message::Kind;
use aralez_proto::wire::part::{Items, UpdatePart};

use crate::core::session::{
    Event, GoAway, Hello, NodeStatus, PROTOCOL, Pace, RefusedContent, Resume,
};
use crate::core::store::ClusterId;

/// Limit on refusals read from a `Hello` and on troubles read from a `Status`; further entries are ignored.
const MAX_LISTED: usize = 64;
/// Limit on each text kept from a node, in bytes; longer texts are truncated.
const MAX_TEXT: usize = 1_024;

/// A message that a proxy sent after its `Hello`.
#[derive(Debug)]
pub enum Inbound {
    /// An event for the session, and for an Ack the time that applying the update took on the node.
    Report(Box<Event>, Option<Duration>),
    /// A second `Hello`, or a message that this release does not know.
    Unexpected(&'static str),
}

/// Converts the first message of a proxy.
///
/// # Errors
/// [`InvalidMessage`] if a field is malformed.
pub fn hello(wire: wire::Hello) -> Result<Hello, InvalidMessage> {
    let invalid = |error: aralez_proto::model::InvalidName| InvalidMessage(error.0);
    Ok(Hello {
        protocol_min: wire.protocol_min,
        protocol_max: wire.protocol_max,
        node: wire.node.parse().map_err(invalid)?,
        group: wire.group.parse().map_err(invalid)?,
        proxy_version: bounded(wire.proxy_version),
        features: wire.features,
        limits: wire.limits.unwrap_or_default().into(),
        held: version(wire.held)?,
        boot: wire.boot_id,
        replaces: wire.replaces_boot_id,
        refused: wire
            .refused
            .into_iter()
            .take(MAX_LISTED)
            .map(refused)
            .collect::<Result<_, _>>()?,
        cluster: wire.cluster_id,
        repairs: wire.repairs,
    })
}

fn refused(wire: wire::Refusal) -> Result<RefusedContent, InvalidMessage> {
    Ok(RefusedContent {
        content: stream::refused(&wire)?,
        faults: wire.faults.into_iter().map(Fault::from).collect(),
    })
}

fn version(wire: Option<wire::Version>) -> Result<Option<Version>, InvalidMessage> {
    wire.map(Version::try_from).transpose()
}

fn bounded(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Converts a message that a proxy sent after its `Hello`.
///
/// # Errors
/// [`InvalidMessage`] if a field is malformed or missing.
pub fn inbound(wire: wire::NodeMessage) -> Result<Inbound, InvalidMessage> {
    use wire::node_message::Kind;
    Ok(match wire.kind {
        Some(Kind::Ack(ack)) => {
            let version = version(ack.version)?
                .ok_or_else(|| InvalidMessage("Ack without a version".to_owned()))?;
            let event = Event::Ack {
                update_id: ack.update_id,
                version,
            };
            Inbound::Report(Box::new(event), Some(Duration::from_micros(ack.apply_us)))
        }
        Some(Kind::Nack(nack)) => {
            let event = Event::Nack {
                update_id: nack.update_id,
                kept: version(nack.kept)?,
                faults: nack.faults.into_iter().map(Fault::from).collect(),
            };
            Inbound::Report(Box::new(event), None)
        }
        Some(Kind::Status(status)) => {
            Inbound::Report(Box::new(Event::Status(node_status(status)?)), None)
        }
        Some(Kind::Digest(digest)) => Inbound::Report(Box::new(marks(&digest)), None),
        Some(Kind::DigestDetail(detail)) => Inbound::Report(Box::new(detailed(detail)), None),
        Some(Kind::Hello(_)) => Inbound::Unexpected("a second Hello"),
        None => Inbound::Unexpected("a message of an unknown kind"),
    })
}

/// Converts the answer to a digest question. Malformed marks match no set of records, so the node gets a full resync.
fn marks(digest: &wire::Digest) -> Event {
    let chunks = digest.buckets.chunks_exact(size_of::<Mark>());
    let mark = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
    Event::Digest {
        question: digest.question,
        marks: chunks.map(mark).collect(),
    }
}

/// Converts the answer to a detail question. A key that control cannot parse did not come from control, so the node gets a full resync.
fn detailed(detail: wire::DigestDetail) -> Event {
    let held = detail.held.into_iter().map(|held| {
        Some(Held {
            key: RecordKey::new(ResourceType::from_number(held.r#type)?, held.key),
            mark: held.leaf.as_ref().try_into().ok()?,
        })
    });
    Event::Detail {
        question: detail.question,
        held: held.collect::<Option<_>>().filter(|_| !detail.too_much),
    }
}

fn node_status(wire: wire::Status) -> Result<NodeStatus, InvalidMessage> {
    Ok(NodeStatus {
        running: version(wire.running)?,
        origin: bounded(wire.origin),
        persisted: version(wire.persisted)?,
        requests: wire.requests,
        responses_5xx: wire.responses_5xx,
        troubles: wire
            .troubles
            .into_iter()
            .take(MAX_LISTED)
            .map(bounded)
            .collect(),
    })
}

fn message(kind: Kind) -> wire::ControlMessage {
    wire::ControlMessage { kind: Some(kind) }
}

/// Builds the answer to `Hello`.
pub fn welcome(
    cluster: &ClusterId,
    pace: Pace,
    resume: Resume,
    expected: Option<Version>,
) -> wire::ControlMessage {
    let resume = match resume {
        Resume::UpToDate => wire::Resume::UpToDate,
        Resume::Delta => wire::Resume::Delta,
        Resume::Full => wire::Resume::Full,
        Resume::Repair => wire::Resume::Repair,
    };
    message(Kind::Welcome(wire::Welcome {
        cluster_id: cluster.to_vec().into(),
        protocol: PROTOCOL,
        resume: resume.into(),
        head: expected.map(Into::into),
        heartbeat_ms: millis(pace.heartbeat),
        ack_deadline_ms: millis(pace.ack_deadline),
    }))
}

/// Builds the announcement of an update.
pub fn begin(
    update_id: u64,
    from: Option<Version>,
    to: Version,
    parts: usize,
    bytes: u64,
) -> wire::ControlMessage {
    message(Kind::Begin(wire::UpdateBegin {
        update_id,
        from_root: from
            .map(|from| from.root.as_bytes().to_vec().into())
            .unwrap_or_default(),
        to: Some(to.into()),
        parts: u32::try_from(parts).unwrap_or(u32::MAX),
        bytes,
    }))
}

/// Builds one part of an update.
pub fn part(update_id: u64, items: Items) -> wire::ControlMessage {
    message(Kind::Part(UpdatePart { update_id, items }))
}

/// Builds the end of an update.
pub fn commit(update_id: u64) -> wire::ControlMessage {
    message(Kind::Commit(wire::UpdateCommit { update_id }))
}

/// Builds the question for the marks of all buckets.
pub fn ask_digest(question: u64) -> wire::ControlMessage {
    message(Kind::AskDigest(wire::AskDigest { question }))
}

/// Builds the question for the records in some buckets.
pub fn ask_detail(question: u64, buckets: &[usize]) -> wire::ControlMessage {
    let buckets = buckets
        .iter()
        .map(|at| u32::try_from(*at).unwrap_or(u32::MAX));
    message(Kind::AskDetail(wire::AskDetail {
        question,
        buckets: buckets.collect(),
    }))
}

/// Builds a heartbeat with the version that the node is expected to run.
pub fn heartbeat(expected: Option<Version>, count: u64) -> wire::ControlMessage {
    message(Kind::Heartbeat(wire::Heartbeat {
        expected: expected.map(Into::into),
        count,
    }))
}

/// Builds the message that closes a stream and sets the retry range.
pub fn go_away(farewell: GoAway) -> wire::ControlMessage {
    message(Kind::GoAway(wire::GoAway {
        reason: farewell.reason,
        retry_min_ms: millis(farewell.retry_min),
        retry_max_ms: millis(farewell.retry_max),
    }))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
