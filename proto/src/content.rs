//! The content that a refusal is about: the documents, or all records of a snapshot, identified by their root.

use std::fmt;

use crate::fault::{Fault, FaultCode};
use crate::hash::Digest;
use crate::version::Version;

/// A content that a node refuses to run. If its documents are at fault, it stays the same content when only endpoints change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Content {
    /// The documents, with any endpoints and certificates: their authored root.
    Authored(Digest),
    /// Exactly these records: their root.
    Whole(Digest),
}

impl Content {
    /// Returns the content of `version` that is refused because of these faults.
    ///
    /// It is the documents if every fault is in an authored resource or is the death of a proxy (`Suspect`, `Fatal`): a change of endpoints
    /// must not cause a fatal configuration to be tried again. Otherwise it is all records: a limit counts endpoints of documents and of
    /// sources, and either side of a dangling reference may be wrong.
    pub fn at_fault(version: &Version, faults: &[Fault]) -> Self {
        let authored = |fault: &Fault| match fault.code {
            FaultCode::Suspect | FaultCode::Fatal => true,
            FaultCode::Decode | FaultCode::UnknownFeature | FaultCode::Invalid => {
                let resource = fault.resource.as_ref();
                resource.is_some_and(|key| key.kind.is_authored())
            }
            FaultCode::HashMismatch
            | FaultCode::Limit
            | FaultCode::DanglingReference
            | FaultCode::Internal => false,
        };
        if !faults.is_empty() && faults.iter().all(authored) {
            Self::Authored(version.authored_root)
        } else {
            Self::Whole(version.root)
        }
    }

    /// Reports whether a version has this content.
    pub fn is_of(&self, version: &Version) -> bool {
        match self {
            Self::Authored(root) => *root == version.authored_root,
            Self::Whole(root) => *root == version.root,
        }
    }

    /// Returns the root that names the content.
    pub const fn root(&self) -> Digest {
        match self {
            Self::Authored(root) | Self::Whole(root) => *root,
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authored(root) => write!(f, "authored {}", root.short()),
            Self::Whole(root) => f.write_str(&root.short()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordKey, ResourceType};

    fn version(authored: u8, root: u8) -> Version {
        Version {
            authored_root: [authored; 32].into(),
            root: [root; 32].into(),
            ..Version::default()
        }
    }

    fn of(kind: ResourceType, code: FaultCode) -> Fault {
        Fault::of(&RecordKey::new(kind, "x"), code, "", "")
    }

    #[test]
    fn endpoints_that_come_and_go_do_not_make_a_faulty_document_another_content() {
        let suspect = Fault::whole(FaultCode::Suspect, "", "");
        for faults in [
            vec![of(ResourceType::VirtualHost, FaultCode::Invalid)],
            vec![
                of(ResourceType::Settings, FaultCode::UnknownFeature),
                suspect.clone(),
            ],
            vec![suspect],
        ] {
            let content = Content::at_fault(&version(1, 2), &faults);
            assert!(content.is_of(&version(1, 3)), "{faults:?}");
            assert!(!content.is_of(&version(4, 2)), "{faults:?}");
        }
    }

    #[test]
    fn a_fault_that_may_lie_in_endpoints_is_one_of_these_very_records() {
        for faults in [
            vec![],
            vec![Fault::whole(FaultCode::Limit, "max_snapshot", "")],
            vec![of(ResourceType::StaticEndpoint, FaultCode::Limit)],
            vec![of(ResourceType::Pool, FaultCode::DanglingReference)],
            vec![
                of(ResourceType::VirtualHost, FaultCode::Invalid),
                of(ResourceType::Endpoint, FaultCode::Invalid),
            ],
        ] {
            let content = Content::at_fault(&version(1, 2), &faults);
            assert!(content.is_of(&version(4, 2)), "{faults:?}");
            assert!(!content.is_of(&version(1, 3)), "{faults:?}");
        }
    }
}
