//! How the open files that the system allows are shared out, so that no kind of client takes those of another or of control's own files.

/// Descriptors for documents, the ledger, the log and listeners.
const RESERVE: usize = 64;

/// How many connections of each kind there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptors {
    /// Connections to the config API.
    pub api: usize,
    /// Connections of proxies.
    pub streams: usize,
}

impl Descriptors {
    /// Shares out `limit` open files; the API asks for `api`. With a small limit the reserve and the API take a quarter each.
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
