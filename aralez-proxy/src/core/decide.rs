//! What is done with a request: forward, redirect or refuse. One pure function of the table and a view of the request.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use aralez_proto::matcher::{Target, normalise_host};
use aralez_proto::model::{Action, RedirectStatus};

use crate::core::balance::CompiledPool;
use crate::core::table::{CompiledHost, CompiledRoute, Table};

mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::Refusal;

/// What a decision needs to know of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a str,
    /// The `Host` field or `:authority`, as it came; `None` where an HTTP/1.0 client named none.
    pub host: Option<&'a str>,
    /// The request target, as it came.
    pub target: &'a str,
    /// It says that it passed this node before ([`crate::core::pseudonym`]).
    pub looped: bool,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Who sent it.
    pub client: IpAddr,
    /// The port where this proxy serves HTTPS, if it does; 443 is assumed where it does not.
    pub tls_port: Option<u16>,
}

/// What is done with a request.
#[derive(Debug)]
pub enum Decision<'a> {
    /// Send it to an endpoint of the pool.
    Forward(Forward<'a>),
    /// Answer with a redirect.
    Redirect {
        /// The status.
        status: RedirectStatus,
        /// The `Location`.
        location: String,
        /// The route that says so: its response edits hold for the answer.
        route: &'a Arc<CompiledRoute>,
    },
    /// Answer 204 without a body: `OPTIONS *` asks about the proxy itself, and no endpoint.
    NoContent,
    /// Answer with an error.
    Refuse(Refusal),
}

/// A request on its way to an endpoint.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The route.
    pub route: &'a Arc<CompiledRoute>,
    /// The pool to choose from; it has at least one endpoint that takes requests.
    pub pool: &'a Arc<CompiledPool>,
    /// The host that was asked for, normalised, without port; `None` where none was.
    pub host: Option<Cow<'a, str>>,
    /// The path and the query as they are forwarded.
    pub path_and_query: Cow<'a, str>,
}

/// Decides about a request. Takes no lock, and allocates only for a host or path that is not normal, and for redirects.
///
/// The route is found first and stays: a pool without endpoints is a 503 of that route, and never the route of a shorter path, whose
/// rules may be laxer.
pub fn decide<'a>(table: &'a Table, request: &RequestView<'a>) -> Decision<'a> {
    match examine(table, request) {
        Ok(decision) => decision,
        Err(refusal) => Decision::Refuse(refusal),
    }
}

fn examine<'a>(table: &'a Table, request: &RequestView<'a>) -> Result<Decision<'a>, Refusal> {
    if request.method == "CONNECT" {
        return Err(Refusal::Connect);
    }
    if request.looped {
        return Err(Refusal::Loop);
    }
    let host = named_host(request)?;
    if request.target == "*" && request.method == "OPTIONS" {
        return Ok(Decision::NoContent);
    }
    let target = Target::parse(request.target).map_err(Refusal::InvalidTarget)?;
    check_authority(&target, request)?;
    let compat = table.compat_0_9();
    let route = find_host(table, host.as_deref())?
        .ok_or(Refusal::NoRoute { compat })?
        .route(target.path())
        .map_err(Refusal::InvalidTarget)?
        .ok_or(Refusal::NoRoute { compat })?;
    if route.rules.said.to_https.is_on() && !request.tls {
        let host = host.as_deref().ok_or(Refusal::MissingHost)?;
        return Ok(Decision::Redirect {
            status: RedirectStatus::MovedPermanently,
            location: https_location(host, request.tls_port, &target),
            route,
        });
    }
    let pool = match &route.action {
        Action::Redirect(redirect) => {
            return Ok(Decision::Redirect {
                status: redirect.status,
                location: format!("{}{}", redirect.to, target.path_and_query()),
                route,
            });
        }
        Action::Pool(name) => table.pool(name).filter(|pool| !pool.is_empty()),
    };
    Ok(Decision::Forward(Forward {
        route,
        pool: pool.ok_or(Refusal::NoEndpoint { compat })?,
        host,
        path_and_query: target.path_and_query(),
    }))
}

fn named_host<'a>(request: &RequestView<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    match request.host {
        Some("") => Err(Refusal::MissingHost),
        Some(host) => normalise_host(host).map(Some).map_err(Refusal::InvalidHost),
        None => Ok(None),
    }
}

/// The host that answers for a name. Who names none, as probes in HTTP/1.0 do, gets the catch-all where there is one.
fn find_host<'a>(
    table: &'a Table,
    host: Option<&str>,
) -> Result<Option<&'a Arc<CompiledHost>>, Refusal> {
    match host {
        Some(host) => Ok(table.host(host)),
        None => table.catch_all().map(Some).ok_or(Refusal::MissingHost),
    }
}

/// An absolute target and `Host` name the same host and port, or somebody reads the other one.
fn check_authority(target: &Target<'_>, request: &RequestView<'_>) -> Result<(), Refusal> {
    match (target.authority(), request.host) {
        (Some(authority), Some(host)) if !authority.is_named_by(host) => {
            Err(Refusal::OtherAuthority)
        }
        _ => Ok(()),
    }
}

fn https_location(host: &str, port: Option<u16>, target: &Target<'_>) -> String {
    let path_and_query = target.path_and_query();
    match port {
        None | Some(443) => format!("https://{host}{path_and_query}"),
        Some(port) => format!("https://{host}:{port}{path_and_query}"),
    }
}
