//! What a node refuses: by the part of a snapshot that holds its faults.

use std::fmt;

use crate::fault::{Fault, FaultCode};
use crate::hash::Digest;
use crate::version::Version;

/// A content that a node does not run. Endpoints that come and go do not make another one of it where the fault is in what documents say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Content {
    /// What documents say, with whatever endpoints and certificates: its authored root.
    Authored(Digest),
    /// These very records: their root.
    Whole(Digest),
}

impl Content {
    /// The content of a version that these faults are about.
    ///
    /// A fault of a resource that documents make lies in what they say, and so does what ends a proxy: endpoints that come and go must not
    /// have a fatal configuration tried again. A limit counts endpoints of both owners, and with a dangling reference either side may be wrong.
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

    /// Whether a version has this content.
    pub fn is_of(&self, version: &Version) -> bool {
        match self {
            Self::Authored(root) => *root == version.authored_root,
            Self::Whole(root) => *root == version.root,
        }
    }

    /// The root that it is named by.
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
