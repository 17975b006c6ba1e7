//! Divides the open files that the system allows, so that no kind of client can use up those of another kind or those of control's own
//! files.

/// Descriptors for documents, the ledger, the log and listeners.
const RESERVE: usize = 64;

/// Maximum number of connections of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptors {
    /// Connections to the config API.
    pub api: usize,
    /// Connections of proxies.
    pub streams: usize,
}

impl Descriptors {
    /// Divides `limit` open files; the API asks for `api`. With a small limit, the reserve and the API each get at most a quarter.
    pub fn share(limit: usize, api: usize) -> Self {
        let reserve = RESERVE.min(limit / 4);
        let api = api.min(limit / 4).max(1);
        let streams = limit.saturating_sub(reserve + api).max(1);
        Self { api, streams }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_never_takes_the_descriptors_of_files_and_streams() {
        let usual = Descriptors::share(20_000, 256);
        assert_eq!((usual.api, usual.streams), (256, 19_680));
        let small = Descriptors::share(120, 256);
        assert_eq!((small.api, small.streams), (30, 60));
        let none = Descriptors::share(0, 256);
        assert_eq!((none.api, none.streams), (1, 1));
    }
}
