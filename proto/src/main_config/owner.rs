//! Whose the keys of `main.yaml` are.

/// The process that reads a key (keys.md, "owner").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// `aralez-control`.
    Control,
    /// `aralez-proxy`.
    Proxy,
    /// Each of them, and the supervisor.
    Each,
}

impl Owner {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Proxy => "proxy",
            Self::Each => "each",
        }
    }
}
