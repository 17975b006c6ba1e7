//! The names of request headers in which endpoints are told what an authorization found out.

use crate::model::{Direction, InvalidHeader, check_name};

/// Returns the name of a request header that may carry what an authorization found out, in lower case. `Host` may not: the host is chosen
/// before.
pub(super) fn proof_header(name: &str) -> Result<String, InvalidHeader> {
    let name = check_name(Direction::Request, name)?;
    if name == "host" {
        return Err(InvalidHeader::Managed(name));
    }
    Ok(name)
}
