//! The validated model: the contents of a snapshot, in types that cannot represent invalid values.
//!
//! Text is converted to these types once, on input: in documents, or in [`crate::convert`].

mod address;
mod endpoint;
mod forbidden;
mod header;
mod host;
mod name;
mod password_hash;
mod password_hasher;
mod redirect;
mod relative_path;
mod respond;
mod template;

pub use address::{EndpointAddress, InvalidAddress, SocketPath, TcpAddress};
pub use endpoint::{Endpoint, EndpointOwner, EndpointState};
pub use forbidden::Forbidden;
pub use header::{
    Direction, Header, HeaderEdits, HeaderValue, InvalidEdits, InvalidHeader, MOST_EDITS,
    check_name, check_value,
};
pub use host::{Action, Balance, Pool, Route, Settings, VirtualHost};
pub use name::{GroupName, HostPattern, InvalidName, NodeName, PoolName};
pub use password_hash::{Argon2Hash, BadPasswordHash, PasswordHash};
pub use password_hasher::{PasswordHasher, UnhashedPasswords};
pub use redirect::{InvalidTarget, Redirect, RedirectStatus, RedirectTarget};
pub use relative_path::{InvalidRelativePath, RelativePath};
pub use respond::{InvalidRespond, MOST_RESPOND_BYTES, Respond};
pub use template::{Part, Placeholder, Template, UnknownPlaceholder};
