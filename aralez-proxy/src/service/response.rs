//! A response on its way to the client.

use http::{StatusCode, Version, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::exchange::Exchange;
use super::{UPGRADED_IDLE, headers};
use crate::core::edits;

/// By these the engine frames the response; it writes its own `Connection` over the endpoint's.
const BY_ENGINE: [&str; 2] = ["connection", "transfer-encoding"];

/// An informational response passes where the client expects one.
pub(super) fn check_informational(
    session: &mut Session,
    head: &ResponseHeader,
    ctx: &mut Exchange,
) -> Result<()> {
    let unasked = head.status == StatusCode::SWITCHING_PROTOCOLS && !session.is_upgrade_req();
    if unasked || !ctx.take_informational() {
        let reason = "the endpoint sends informational responses that nobody asked for";
        return Error::e_explain(ErrorType::HTTPStatus(502), reason);
    }
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        // Only now: a client that merely asks must not hold a connection for as long.
        session.set_read_timeout(Some(UPGRADED_IDLE));
    }
    Ok(())
}

/// All edits of a response, in one pass.
pub(super) fn edit(session: &mut Session, head: &mut ResponseHeader, ctx: &Exchange) -> Result<()> {
    frame(session, head);
    let nominated: Vec<String> = head
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    headers::keep(head, |name| {
        let connection = nominated.iter().map(String::as_str);
        BY_ENGINE.contains(&name) || edits::passes_response(name, connection)
    });
    match &ctx.route {
        Some(route) => headers::apply_route(head, &route.response_edits),
        None => Ok(()),
    }
}

/// The response is of our connection with the client, not of the endpoint's with us.
fn frame(session: &mut Session, head: &mut ResponseHeader) {
    head.set_version(Version::HTTP_11);
    let chunked = head.headers.contains_key(header::TRANSFER_ENCODING);
    if chunked && session.req_header().version == Version::HTTP_10 {
        // That client knows no chunks: its body ends with the connection.
        head.remove_header(&header::TRANSFER_ENCODING);
        session.set_keepalive(None);
    }
}

/// Whether a final response is under way already.
pub(super) fn is_written(session: &Session) -> bool {
    session.response_written().is_some_and(|head| {
        !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS
    })
}
