//! Reading without a key: from this machine only, and not by a web page through DNS rebinding.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::request::Parts;
use http::{StatusCode, Uri};

use super::access::Denied;
use super::problem::Problem;
use super::{Peer, Shared};

/// Admits a read: without a key from loopback, otherwise with the key.
pub(super) async fn reading(api: Shared, peer: Peer, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let local = peer.0.ip().to_canonical().is_loopback();
    if !(local && is_own_host(&parts, api.parts.address)) {
        let checked = api.access.check(&parts, peer.0.ip(), Instant::now());
        if let Err(denied) = checked {
            if denied == Denied::WrongKey {
                api.parts.observer.wrong_key();
            }
            return match denied {
                // A page that reached us through DNS rebinding has no key, and must learn nothing.
                Denied::NoKey | Denied::NoKeyConfigured if local => foreign_host().into_response(),
                denied => Problem::from(denied).into_response(),
            };
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

fn foreign_host() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "Host is not a name of this API",
        "without a key, Host must be 127.0.0.1, [::1], localhost or the configured address",
    )
}

/// Reports whether `Host` is a name that an attacker cannot resolve to this address.
fn is_own_host(request: &Parts, own: SocketAddr) -> bool {
    let Some(host) = request.headers.get(HOST) else {
        return true;
    };
    let Some(uri) = host.to_str().ok().and_then(|host| host.parse::<Uri>().ok()) else {
        return false;
    };
    let name = uri.host().unwrap_or_default();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback() || address == own.ip(),
        Err(_) => {
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(host: &str) -> bool {
        let own = SocketAddr::from(([10, 0, 0, 7], 3000));
        let request = http::Request::builder().header(HOST, host).body(());
        is_own_host(&request.unwrap().into_parts().0, own)
    }

    #[test]
    fn only_names_that_nobody_can_bend_are_our_own() {
        for own in [
            "127.0.0.1:3000",
            "localhost:3000",
            "LocalHost",
            "[::1]:3000",
            "10.0.0.7:3000",
            "a.localhost:3000",
        ] {
            assert!(is_own(own), "{own}");
        }
        for foreign in [
            "evil.example:3000",
            "localhost.evil.example",
            "10.0.0.8:3000",
            "",
            "a b",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }
}
