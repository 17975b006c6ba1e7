//! Owners of the keys of `main.yaml`.

/// The process that reads a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// `aralez-control`.
    Control,
    /// `aralez-proxy`.
    Proxy,
    /// Both of them, and the supervisor.
    Each,
}

impl Owner {
    /// Returns the name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Proxy => "proxy",
            Self::Each => "each",
        }
    }
}
