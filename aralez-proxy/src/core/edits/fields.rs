//! Which fields pass.

/// Fields of one connection (RFC 9110 section 7.6.1). `Upgrade` among them: the engine puts it back for the upgrades that it serves, as
/// it does with `TE: trailers`.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What only a proxy says. A client that sends them speaks in our name.
const OURS: [&str; 11] = [
    "forwarded",
    "x-client-cert",
    "x-client-dn",
    "x-client-verify",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-ssl-client-cert",
];

/// Fields that frame the message or carry what rules look at: a client cannot have them dropped.
const KEPT: [&str; 5] = [
    "content-length",
    "host",
    "transfer-encoding",
    "via",
    "content-type",
];

/// A `Connection` field names a field that is not the client's to drop: answer 400.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("connection names a field that the proxy manages")]
pub struct ManagedField;

/// Whether a field of a request goes on to the endpoint. `connection`: the values of all its `Connection` fields.
pub fn passes_request<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    !is_hop_by_hop(name) && !is_ours(name) && !nominates(connection, name)
}

/// Whether a field of a response goes on to the client. `connection`: the values of all its `Connection` fields.
pub fn passes_response<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    // A response is framed by us, whatever the endpoint nominates.
    !is_hop_by_hop(name) && (is_kept(name) || !nominates(connection, name))
}

/// Whether `Connection` names a field.
pub fn nominates<'a>(connection: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    names(connection).any(|nominated| nominated.eq_ignore_ascii_case(name))
}

/// Checks what a request's `Connection` fields name.
///
/// # Errors
/// [`ManagedField`] where they name a field that frames the message or that the proxy sets.
pub fn check_nomination<'a>(
    connection: impl IntoIterator<Item = &'a str>,
) -> Result<(), ManagedField> {
    if names(connection).any(|name| is_ours(name) || is_kept(name) || name.starts_with(':')) {
        return Err(ManagedField);
    }
    Ok(())
}

fn names<'a>(connection: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let values = connection.into_iter();
    values.flat_map(|value| value.split(',').map(|name| name.trim_matches([' ', '\t'])))
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn is_kept(name: &str) -> bool {
    KEPT.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a name is one of ours, also in a spelling that endpoints may take for it: `X_Forwarded_For` and `X-Forwarded-For` are one
/// variable for CGI and its descendants.
fn is_ours(name: &str) -> bool {
    let same = |known: &str| {
        let spelled = known.bytes().zip(name.bytes()).all(|(known, byte)| {
            byte.eq_ignore_ascii_case(&known) || (byte == b'_' && known == b'-')
        });
        spelled && known.len() == name.len()
    };
    OURS.iter().any(|known| same(known))
}
