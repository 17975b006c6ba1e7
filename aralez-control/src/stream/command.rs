//! Commands to the task of one stream.

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;

/// One command.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Retry,
    Superseded,
    Recalled(SharedSnapshot),
    Granted(Digest),
    Derived {
        key: Digest,
        made: Option<SharedSnapshot>,
    },
}
