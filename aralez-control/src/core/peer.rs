//! The peer of a stream, as the transport proves it, in contrast to what the peer claims.

use std::fmt;

/// A process on this machine, as the kernel identifies it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerIdentity {
    /// Its user id.
    pub uid: u32,
    /// Its process id; `None` if the kernel does not provide it, as for a process that is not visible to control.
    pub pid: Option<i32>,
}

impl PeerIdentity {
    /// Reports whether this process may open streams: only root and `own`, the user that control runs as, may.
    pub const fn is_trusted(&self, own: u32) -> bool {
        self.uid == 0 || self.uid == own
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "uid {}, pid {pid}", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_user_of_control_speak_for_nodes_and_nobody_else_does() {
        let trusted = |uid, own| PeerIdentity { uid, pid: None }.is_trusted(own);
        assert!(trusted(0, 1_000) && trusted(1_000, 1_000) && trusted(0, 0));
        assert!(!trusted(1_001, 1_000) && !trusted(1_000, 0));
    }
}
