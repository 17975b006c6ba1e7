//! Which status a failure of the engine gives the client: 502 the endpoint refused or broke the protocol, 504 too slow.

use pingora::{Error, ErrorSource, ErrorType};

#[cfg(test)]
mod tests;

/// The status to answer, `None` where the client is gone and nothing can be answered.
pub(super) fn status_of(error: &Error) -> Option<u16> {
    use ErrorType::{ConnectTimedout, ReadTimedout, TLSHandshakeTimedout, WriteTimedout};
    match (error.etype(), error.esource()) {
        (ErrorType::HTTPStatus(status), _) => Some(*status),
        (ReadTimedout, ErrorSource::Downstream) => Some(408),
        (
            ErrorType::ReadError
            | ErrorType::WriteError
            | WriteTimedout
            | ErrorType::ConnectionClosed,
            ErrorSource::Downstream,
        ) => None,
        (_, ErrorSource::Downstream) => Some(400),
        (ConnectTimedout | ReadTimedout | WriteTimedout | TLSHandshakeTimedout, _) => Some(504),
        (_, ErrorSource::Upstream) => Some(502),
        (etype, _) if is_connect(etype) => Some(502),
        _ => Some(500),
    }
}

/// Whether nothing was sent to an endpoint yet.
fn is_connect(etype: &ErrorType) -> bool {
    matches!(
        etype,
        ErrorType::ConnectRefused
            | ErrorType::ConnectNoRoute
            | ErrorType::ConnectError
            | ErrorType::SocketError
            | ErrorType::BindError
    )
}
