//! A request: seen by the core, and edited on its way to the endpoint.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::header;
use pingora::Result;
use pingora::http::RequestHeader;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::proxy::Session;

use super::answer::Answer;
use super::exchange::Exchange;
use super::{CLIENT_STALL, DRAIN_BODY, KEEP_ALIVE, headers};
use crate::core::decide::{self, Decision, Refusal, RequestView};
use crate::core::edits;
use crate::core::live::{LiveTable, Origin};
use crate::core::traffic::Traffic;

/// Fields that the engine itself has put in after it took off the client's.
const BY_ENGINE: [&str; 4] = ["connection", "te", "transfer-encoding", "upgrade"];

pub(super) fn count(session: &Session, traffic: &Traffic) {
    let head = session.req_header();
    let version = match head.version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_11 => "HTTP/1.1",
        http::Version::HTTP_2 => "HTTP/2.0",
        _ => "OTHER",
    };
    traffic.request(head.method.as_str(), version);
}

/// Sets the limits that the engine does not have by itself, on every request: it forgets them after the first.
pub(super) fn limit_time(session: &mut Session, draining: bool) {
    if draining {
        session.set_keepalive(None);
    } else if session.get_keepalive().is_some() {
        session.set_keepalive(Some(KEEP_ALIVE));
    }
    session.set_read_timeout(Some(CLIENT_STALL));
    session.set_write_timeout(Some(CLIENT_STALL));
    session.set_total_drain_timeout(Some(DRAIN_BODY));
    // A client of 1.0 does not know informational responses.
    let old = session.req_header().version == http::Version::HTTP_10;
    session.set_ignore_info_resp(old);
}

/// Asks the core what is done. `None`: it is forwarded, by what the exchange now holds.
pub(super) fn decide(
    live: &LiveTable,
    session: &Session,
    ctx: &mut Exchange,
    tls_port: Option<u16>,
) -> Option<Answer> {
    if live.origin == Origin::None {
        return Some(refused(Refusal::NotLoaded));
    }
    let head = session.req_header();
    let Ok(target) = std::str::from_utf8(head.raw_path()) else {
        return Some(Answer::of(400));
    };
    let view = RequestView {
        method: head.method.as_str(),
        host: host_of(head),
        target,
        tls: is_tls(session),
        client: client_of(session),
        tls_port,
    };
    match decide::decide(&live.table, &view) {
        Decision::Forward(forward) => {
            ctx.route = Some(Arc::clone(forward.route));
            ctx.pool = Some(Arc::clone(forward.pool));
            ctx.upgrade = session.is_upgrade_req();
            let same = forward.path_and_query == target;
            ctx.target = (!same).then(|| forward.path_and_query.into_owned());
            None
        }
        Decision::Redirect {
            status,
            location,
            route,
        } => Some(Answer::redirect(status.code(), location, Arc::clone(route))),
        Decision::NoContent => Some(Answer::of(204)),
        Decision::Refuse(refusal) => Some(refused(refusal)),
    }
}

fn refused(refusal: Refusal) -> Answer {
    let answer = Answer::of(refusal.status());
    // After a request that could be read in two ways nobody knows where the next one begins.
    if refusal.status() == 400 {
        answer.closing()
    } else {
        answer
    }
}

/// All edits of a request, in one pass. The engine has taken off the fields of the client's connection.
pub(super) fn edit(session: &Session, request: &mut RequestHeader, ctx: &Exchange) -> Result<()> {
    let came = session.req_header();
    headers::keep(request, |name| {
        BY_ENGINE.contains(&name) || edits::passes_request(name, [])
    });
    if let Some(target) = &ctx.target {
        request.set_raw_path(target.as_bytes())?;
    }
    if let Some(route) = &ctx.route {
        headers::apply_route(request, &route.request_edits)?;
    }
    let client = client_of(session).to_string();
    let host = host_of(came).unwrap_or_default();
    edits::forwarded(&client, is_tls(session), host)
        .into_iter()
        .try_for_each(|edit| headers::apply(request, edit))
}

/// The host as it came: `Host`, or the `:authority` of HTTP/2.
fn host_of(head: &RequestHeader) -> Option<&str> {
    let field = head.headers.get(header::HOST);
    let authority = || head.uri.authority().map(http::uri::Authority::as_str);
    field
        .and_then(|value| value.to_str().ok())
        .or_else(authority)
}

fn is_tls(session: &Session) -> bool {
    session
        .digest()
        .is_some_and(|digest| digest.ssl_digest.is_some())
}

fn client_of(session: &Session) -> IpAddr {
    match session.client_addr() {
        Some(SocketAddr::Inet(address)) => address.ip().to_canonical(),
        // A client without an address came over a socket of this machine.
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}
