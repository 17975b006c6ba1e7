//! What is asked of a stream's task.

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;

/// What is asked of a stream's task.
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
