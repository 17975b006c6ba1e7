//! Finds the route of a request: by host, then by the longest configured path that is a prefix of the requested one in whole segments and
//! that has a route whose match holds. All readings of a path (see `aralez_proto::matcher`) must select the same route.

use std::borrow::Cow;
use std::sync::Arc;

use aralez_proto::matcher::{MatchFacts, Target, normalise_host};

use crate::observe::Observer;
use crate::rejection::Rejection;
use crate::table::{CompiledHost, CompiledRoute, RouteTable};
use crate::{Context, Fields, Request};

/// The destination of a request.
#[derive(Debug)]
pub enum Destination<'a> {
    /// A configured route.
    Route(Routed<'a>),
    /// The proxy itself: `OPTIONS *`.
    Proxy,
}

/// A request with the route that was found for it.
#[derive(Debug)]
pub struct Routed<'a> {
    /// The route.
    pub route: &'a Arc<CompiledRoute>,
    /// The requested host, normalised, without port; `None` if the request names none.
    pub host: Option<Cow<'a, str>>,
    /// The parsed request target.
    pub target: Target<'a>,
}

/// Finds the route of a request. Takes no lock, and allocates only if the host or path is not in normal form. `observer` is told the host.
///
/// # Errors
/// [`Rejection`] if the request must not be routed, or no route matches.
pub fn find<'a, F: Fields, O: Observer>(
    table: &'a RouteTable,
    context: &Context<'_>,
    request: &Request<'a, F>,
    observer: &mut O,
) -> Result<Destination<'a>, Rejection> {
    // RFC 9110 section 9.3.6: a server that offers no tunnels refuses CONNECT.
    if request.method == "CONNECT" {
        return Err(Rejection::Connect);
    }
    if request.has_passed(context.node) {
        return Err(Rejection::Loop);
    }
    // RFC 9112 section 3.2: a request with an invalid `Host` is answered with 400.
    let host = named_host(request.host)?;
    // RFC 9110 section 9.3.7: an OPTIONS with the target `*` is about the server as a whole, so the proxy answers it itself.
    if request.target == "*" && request.method == "OPTIONS" {
        return Ok(Destination::Proxy);
    }
    let target = Target::parse(request.target).map_err(Rejection::InvalidTarget)?;
    check_authority(&target, request.host)?;
    let compat = table.compat_0_9();
    let virtual_host = find_host(table, host.as_deref())?.ok_or(Rejection::NoRoute { compat })?;
    observer.host(&virtual_host.pattern);
    let route = virtual_host
        .route(
            target.path(),
            &RouteFacts {
                request,
                target: &target,
            },
        )
        .map_err(Rejection::InvalidTarget)?
        .ok_or(Rejection::NoRoute { compat })?;
    Ok(Destination::Route(Routed {
        route,
        host,
        target,
    }))
}

/// What the matches of routes look at.
struct RouteFacts<'r, 'a, F> {
    request: &'r Request<'a, F>,
    target: &'r Target<'a>,
}

impl<F: Fields> MatchFacts for RouteFacts<'_, '_, F> {
    fn method(&self) -> &str {
        self.request.method
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let all = self.request.fields.all();
        let named = all.filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| value)
    }

    fn query(&self) -> Option<&str> {
        self.target.query()
    }
}

fn named_host(host: Option<&str>) -> Result<Option<Cow<'_, str>>, Rejection> {
    match host {
        Some("") => Err(Rejection::MissingHost),
        Some(host) => normalise_host(host)
            .map(Some)
            .map_err(Rejection::InvalidHost),
        None => Ok(None),
    }
}

/// Returns the host that serves a name. A request without a host, as HTTP/1.0 probes send, gets the catch-all if there is one.
fn find_host<'a>(
    table: &'a RouteTable,
    host: Option<&str>,
) -> Result<Option<&'a Arc<CompiledHost>>, Rejection> {
    match host {
        Some(host) => Ok(table.host(host)),
        // RFC 9112 section 3.3: a request that names no host is for the default host of the server, if there is one.
        None => table.catch_all().map(Some).ok_or(Rejection::MissingHost),
    }
}

/// Checks that an absolute target and `Host` name the same host and port: otherwise another hop might route by the other one.
fn check_authority(target: &Target<'_>, host: Option<&str>) -> Result<(), Rejection> {
    match (target.authority(), host) {
        // RFC 9112 section 3.2.2: the authority of an absolute target takes precedence over `Host`; stricter: a request whose `Host` names
        // another one is refused.
        (Some(authority), Some(host)) if !authority.is_named_by(host) => {
            Err(Rejection::OtherAuthority)
        }
        _ => Ok(()),
    }
}
