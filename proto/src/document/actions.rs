//! Actions of a route that this release does not enforce, and what chooses between routes of one path. Checked only.

use crate::reading::{Anything, Between, OneOrMany, keys, scalar_or_map};

scalar_or_map!(
    /// `files`
    Files, "a folder, or a map of folder, spa, precompressed", String, FilesKeys
);

keys! {
    /// A folder that is served.
    FilesKeys "in files";
    @checked {
        /// The folder.
        folder => String,
        /// Whether a miss answers index.html.
        spa => bool,
        /// Whether NAME.br, NAME.zst and NAME.gz are sent where they exist.
        precompressed => bool,
    }
}

keys! {
    /// A part of a route's requests, and who serves it.
    PoolKeys "in pools";
    @checked {
        /// Its share of the requests.
        weight => Between<0, 65_535>,
        /// The endpoints.
        servers => Anything,
    }
}

keys! {
    /// Which of the requests below a path a route is for.
    MatchKeys "in match";
    @checked {
        /// Whether the path is the whole path.
        exact => bool,
        /// The methods.
        methods => OneOrMany<String>,
        /// Headers with their values.
        headers => Anything,
        /// Parameters of the query with their values.
        query => Anything,
    }
}

keys! {
    /// An answer of the proxy's own.
    RespondKeys "in respond";
    @checked {
        /// Its status.
        status => Between<200, 599>,
        /// Its body.
        body => String,
        /// The type of its body.
        type => String,
    }
}
