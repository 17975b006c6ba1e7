//! Access control: constant-time comparison of the master key, and a throttle against guessing.

use parking_lot::Mutex;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;
use aralez_proto::main_config::{FailureRate, Secret};
use axum::extract::Query;
use http::header::AUTHORIZATION;
use http::request::Parts;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::throttle::Throttle;

/// Reason why access is denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Denied {
    /// Too many wrong keys were sent from this address, which is blocked for this time.
    Throttled(Duration),
    /// `main.yaml` has no master key, so no key is right.
    NoKeyConfigured,
    /// The request has no key.
    NoKey,
    /// The request has a wrong key.
    WrongKey,
}

/// Checks the keys of requests.
pub(super) struct Access {
    /// Hash of the key. Its fixed length keeps the comparison from revealing the length of the key.
    key: Option<Digest>,
    throttle: Mutex<Throttle>,
    /// `auth_failures`
    rate: watch::Receiver<FailureRate>,
}

#[derive(serde::Deserialize)]
struct KeyQuery {
    key: Option<String>,
}

impl Access {
    pub(super) fn new(key: Option<&Secret>, rate: watch::Receiver<FailureRate>) -> Self {
        Self {
            key: key.map(|key| hash(key.reveal())),
            throttle: Mutex::new(Throttle::default()),
            rate,
        }
    }

    /// Checks that the request has the master key, as `?key=` or as a bearer token.
    ///
    /// Only wrong keys are throttled, the right one always passes: an operator may share an address with an attacker, behind a NAT or on
    /// this machine.
    pub(super) fn check(&self, request: &Parts, peer: IpAddr, now: Instant) -> Result<(), Denied> {
        self.check_key(shown_key(request).as_deref(), peer, now)
    }

    /// Checks a key like [`Access::check`]. `None` if the client sent no key.
    pub(super) fn check_key(
        &self,
        shown: Option<&str>,
        peer: IpAddr,
        now: Instant,
    ) -> Result<(), Denied> {
        let mut throttle = self.throttle.lock();
        let right = self.key.ok_or(Denied::NoKeyConfigured)?;
        let shown = shown.ok_or(Denied::NoKey)?;
        if bool::from(hash(shown).as_bytes().ct_eq(right.as_bytes())) {
            return Ok(());
        }
        if let Some(wait) = throttle.blocked_for(peer, now) {
            return Err(Denied::Throttled(wait));
        }
        throttle.note_failure(peer, now, *self.rate.borrow());
        Err(Denied::WrongKey)
    }
}

fn hash(key: &str) -> Digest {
    Digest::of_fields(&[b"aralez master key", key.as_bytes()])
}

fn shown_key(request: &Parts) -> Option<String> {
    let bearer = request
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim().to_owned());
    bearer.or_else(|| {
        let Query(query) = Query::<KeyQuery>::try_from_uri(&request.uri).ok()?;
        query.key.filter(|key| !key.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use aralez_proto::main_config::MainConfig;

    use super::*;

    #[test]
    fn wrong_keys_are_throttled_by_address_and_the_right_one_always_passes() {
        let right = Secret::new("right".to_owned());
        let (_, rate) = watch::channel(MainConfig::default().auth_failures);
        let access = Access::new(Some(&right), rate);
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let check = |peer: &str, key: &str| {
            let uri = format!("/conf?key={key}");
            let request = http::Request::builder().uri(uri).body(()).unwrap();
            access.check(&request.into_parts().0, peer.parse().unwrap(), now)
        };
        for peer in ["192.0.2.1", "127.0.0.1", "::1"] {
            for _ in 0..10 {
                assert_eq!(check(peer, "guess"), Err(Denied::WrongKey));
            }
            assert_eq!(check(peer, "guess"), Err(Denied::Throttled(minute)));
        }
        assert_eq!(check("192.0.2.1", "right"), Ok(()));
        assert_eq!(check("127.0.0.1", "right"), Ok(()));
        assert_eq!(check("::1", "right"), Ok(()));
        assert_eq!(check("::ffff:127.0.0.1", "right"), Ok(()));
    }
}
