//! Route actions that this release does not enforce, and conditions that choose between routes of one path. They are only checked.

use crate::reading::{Anything, Between, OneOrMany, keys, scalar_or_map};

scalar_or_map!(
    /// `files`
    Files, "a folder, or a map of folder, spa, precompressed", String, FilesKeys
);

keys! {
    /// A folder to serve.
    FilesKeys "in files";
    @checked {
        /// The folder.
        folder => String,
        /// Answer a miss with index.html.
        spa => bool,
        /// Send NAME.br, NAME.zst and NAME.gz where they exist.
        precompressed => bool,
    }
}

keys! {
    /// A share of a route's requests, and the endpoints that serve it.
    PoolKeys "in pools";
    @checked {
        /// Its share of the requests.
        weight => Between<0, 65_535>,
        /// The endpoints.
        servers => Anything,
    }
}

keys! {
    /// Conditions on the requests below a path.
    MatchKeys "in match";
    @checked {
        /// Match the path only, not what is below it.
        exact => bool,
        /// The methods.
        methods => OneOrMany<String>,
        /// Headers with their values.
        headers => Anything,
        /// Parameters of the query with their values.
        query => Anything,
    }
}
