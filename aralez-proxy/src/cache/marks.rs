//! The format of the marks: magic, `BootMarks`, BLAKE3 of both. No secret lies in it.

use aralez_proto::hash::Digest;
use aralez_proto::wire::storage as wire;
use prost::Message;

use crate::core::trial::{Marks, Trial};

const MAGIC: &[u8; 8] = b"ARALEZM1";
const FOOTER: usize = 32;

/// The marks as the bytes of a file.
pub(super) fn encode(marks: &Marks) -> Vec<u8> {
    let bytes = |root: &Digest| root.as_bytes().to_vec().into();
    let message = wire::BootMarks {
        good: marks.good.iter().map(bytes).collect(),
        trials: marks
            .trials
            .iter()
            .map(|trial| wire::BootTrial {
                root: bytes(&trial.root),
                failed: trial.failed,
                open: trial.open,
            })
            .collect(),
        boot_id: marks.boot_id.clone().into(),
        cluster_id: marks.cluster.clone().into(),
    };
    let mut content = [MAGIC.as_slice(), &message.encode_to_vec()].concat();
    content.extend_from_slice(Digest::of_fields(&[&content]).as_bytes());
    content
}

/// The marks in a file; `None` where it is damaged.
pub(super) fn decode(content: &[u8]) -> Option<Marks> {
    let (before, footer) = content.split_last_chunk::<FOOTER>()?;
    if Digest::of_fields(&[before]).as_bytes() != footer {
        return None;
    }
    let message = wire::BootMarks::decode(before.strip_prefix(MAGIC)?).ok()?;
    let trial = |trial: wire::BootTrial| {
        Some(Trial {
            root: Digest::from_slice(&trial.root)?,
            failed: trial.failed,
            open: trial.open,
        })
    };
    Some(Marks {
        good: message
            .good
            .iter()
            .map(|root| Digest::from_slice(root))
            .collect::<Option<_>>()?,
        trials: message
            .trials
            .into_iter()
            .map(trial)
            .collect::<Option<_>>()?,
        boot_id: message.boot_id.to_vec(),
        cluster: message.cluster_id.to_vec(),
    })
}
