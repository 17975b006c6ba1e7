//! The validated model: the contents of a snapshot, in types that cannot represent invalid values.
//!
//! Text is converted to these types once, on input: in documents, or in [`crate::convert`].

mod address;
mod endpoint;
mod files;
mod forbidden;
mod header;
mod hmac_states;
mod host;
mod name;
mod password_hash;
mod password_hasher;
mod redirect;
mod relative_path;
mod respond;
mod route_match;
mod split;
mod template;
mod token_issuer;
mod value_regex;

pub use address::{EndpointAddress, InvalidAddress, SocketPath, TcpAddress};
pub use endpoint::{Endpoint, EndpointOwner, EndpointState};
pub use files::{Files, FolderPath, InvalidFolder};
pub use forbidden::Forbidden;
pub(crate) use header::lower_name;
pub use header::{
    Direction, Header, HeaderEdits, HeaderValue, InvalidEdits, InvalidHeader, MOST_EDITS,
    check_name, check_value,
};
pub use hmac_states::HmacStates;
pub use host::{Action, Balance, MOST_ROUTES, Pool, Route, Settings, VirtualHost};
pub use name::{GroupName, HostPattern, InvalidName, NodeName, PoolName};
pub use password_hash::{Argon2Hash, BadPasswordHash, PasswordHash};
pub use password_hasher::{PasswordHasher, UnhashedPasswords};
pub(crate) use redirect::check_url_characters;
pub use redirect::{InvalidTarget, Redirect, RedirectStatus, RedirectTarget};
pub use relative_path::{InvalidRelativePath, RelativePath};
pub use respond::{InvalidRespond, MOST_RESPOND_BYTES, Respond};
pub use route_match::{
    HeaderMatch, InvalidMethod, MOST_CONDITIONS, MatchedPath, Method, QueryMatch, RouteMatch,
    ValueMatch, never_reached,
};
pub use split::{InvalidSplit, Split, WeightedPool};
pub use template::{Placeholder, Template, TemplatePart, UnknownPlaceholder};
pub use token_issuer::TokenIssuer;
pub use value_regex::{InvalidRegex, ValueRegex};
