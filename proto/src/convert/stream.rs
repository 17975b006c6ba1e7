//! Conversion of versions, items, faults and limits between the model and the messages of the stream.

use std::sync::Arc;

use crate::content::Content;
use crate::fault::{Fault, FaultCode};
use crate::hash::Digest;
use crate::record::{Change, Record, RecordKey, ResourceType};
use crate::snapshot::Limits;
use crate::version::Version;
use crate::wire::control as wire;

/// A stream message with invalid contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidMessage(pub String);

impl From<Version> for wire::Version {
    fn from(version: Version) -> Self {
        Self {
            generation: version.generation,
            revision: version.revision,
            sequence: version.sequence,
            operational: version.operational,
            root: version.root.as_bytes().to_vec().into(),
            authored_root: version.authored_root.as_bytes().to_vec().into(),
        }
    }
}

impl TryFrom<wire::Version> for Version {
    type Error = InvalidMessage;

    fn try_from(wire: wire::Version) -> Result<Self, InvalidMessage> {
        Ok(Self {
            generation: wire.generation,
            revision: wire.revision,
            sequence: wire.sequence,
            operational: wire.operational,
            root: digest("a version's root", &wire.root)?,
            authored_root: digest("a version's authored root", &wire.authored_root)?,
        })
    }
}

/// Returns the wire form of the refusal of a content.
pub fn refusal(content: &Content, faults: &[Fault]) -> wire::Refusal {
    let bytes = |root: &Digest| bytes::Bytes::copy_from_slice(root.as_bytes());
    let (root, authored_root) = match content {
        Content::Authored(root) => (bytes::Bytes::new(), bytes(root)),
        Content::Whole(root) => (bytes(root), bytes::Bytes::new()),
    };
    wire::Refusal {
        root,
        faults: faults.iter().map(wire::Fault::from).collect(),
        authored_root,
    }
}

/// Returns the content that a refusal names.
///
/// # Errors
/// If it names none, or two.
pub fn refused(wire: &wire::Refusal) -> Result<Content, InvalidMessage> {
    match (wire.root.as_ref(), wire.authored_root.as_ref()) {
        (root, []) => digest("a refused root", root).map(Content::Whole),
        ([], root) => digest("a refused authored root", root).map(Content::Authored),
        _ => Err(InvalidMessage(
            "a refusal names two contents instead of one".to_owned(),
        )),
    }
}

/// Parses a digest from the wire. `what` names it in the error.
///
/// # Errors
/// If it does not have 32 bytes.
pub fn digest(what: &str, bytes: &[u8]) -> Result<Digest, InvalidMessage> {
    Digest::from_slice(bytes)
        .ok_or_else(|| InvalidMessage(format!("{what} has {} bytes instead of 32", bytes.len())))
}

impl From<&Change> for wire::Item {
    fn from(change: &Change) -> Self {
        let key = change.key();
        let (delete, payload) = match change {
            Change::Put(record) => (false, record.payload.clone()),
            Change::Delete(_) => (true, bytes::Bytes::new()),
        };
        Self {
            r#type: key.kind.number().into(),
            key: key.name.as_ref().to_owned(),
            delete,
            payload,
        }
    }
}

impl TryFrom<wire::Item> for Change {
    type Error = Fault;

    /// An unknown resource type is a fault and is never skipped: the resource may protect something.
    fn try_from(wire: wire::Item) -> Result<Self, Fault> {
        let Some(kind) = ResourceType::from_number(wire.r#type) else {
            let reason = format!(
                "{:?} has the unknown resource type {}",
                wire.key, wire.r#type
            );
            return Err(Fault::whole(FaultCode::UnknownFeature, "type", reason));
        };
        let key = RecordKey::new(kind, Arc::<str>::from(wire.key));
        Ok(if wire.delete {
            Self::Delete(key)
        } else {
            Self::Put(Record::new(key, wire.payload))
        })
    }
}

impl From<&Fault> for wire::Fault {
    fn from(fault: &Fault) -> Self {
        let code = match fault.code {
            FaultCode::Decode => wire::FaultCode::Decode,
            FaultCode::HashMismatch => wire::FaultCode::HashMismatch,
            FaultCode::UnknownFeature => wire::FaultCode::UnknownFeature,
            FaultCode::Limit => wire::FaultCode::Limit,
            FaultCode::DanglingReference => wire::FaultCode::DanglingReference,
            FaultCode::Invalid => wire::FaultCode::Invalid,
            FaultCode::Suspect => wire::FaultCode::Suspect,
            FaultCode::Fatal => wire::FaultCode::Fatal,
            FaultCode::Internal => wire::FaultCode::Internal,
        };
        let (kind, key) = match &fault.resource {
            Some(key) => (key.kind.number().into(), key.name.as_ref().to_owned()),
            None => (0, String::new()),
        };
        Self {
            code: code.into(),
            r#type: kind,
            key,
            field: fault.field.clone(),
            reason: fault.reason.clone(),
        }
    }
}

impl From<wire::Fault> for Fault {
    /// Never fails, to show reports of newer proxies: an unknown code becomes `FaultCode::Internal`, an unknown resource type `None`.
    fn from(wire: wire::Fault) -> Self {
        let code = match wire.code() {
            wire::FaultCode::Decode => FaultCode::Decode,
            wire::FaultCode::HashMismatch => FaultCode::HashMismatch,
            wire::FaultCode::UnknownFeature => FaultCode::UnknownFeature,
            wire::FaultCode::Limit => FaultCode::Limit,
            wire::FaultCode::DanglingReference => FaultCode::DanglingReference,
            wire::FaultCode::Invalid => FaultCode::Invalid,
            wire::FaultCode::Suspect => FaultCode::Suspect,
            wire::FaultCode::Fatal => FaultCode::Fatal,
            wire::FaultCode::Internal | wire::FaultCode::Unspecified => FaultCode::Internal,
        };
        let resource =
            ResourceType::from_number(wire.r#type).map(|kind| RecordKey::new(kind, wire.key));
        Self {
            code,
            resource,
            field: wire.field,
            reason: wire.reason,
        }
    }
}

impl From<Limits> for wire::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            max_snapshot_bytes: limits.max_snapshot_bytes.unwrap_or(0),
            max_hosts: limits.max_hosts.unwrap_or(0),
            max_endpoints: limits.max_endpoints.unwrap_or(0),
        }
    }
}

impl From<wire::Limits> for Limits {
    fn from(wire: wire::Limits) -> Self {
        let limit = |number: u64| Some(number).filter(|number| *number > 0);
        Self {
            max_snapshot_bytes: limit(wire.max_snapshot_bytes),
            max_hosts: limit(wire.max_hosts),
            max_endpoints: limit(wire.max_endpoints),
        }
    }
}

#[cfg(test)]
mod tests;
