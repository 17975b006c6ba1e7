//! How many connections are taken, in all and from one client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::traffic::ConnectionLimit;

/// The most connections at once; `None`: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Most {
    /// Of the whole process.
    pub global: Option<usize>,
    /// Of one listener.
    pub listener: Option<usize>,
    /// Of one client: an IPv4 address, or the /64 of an IPv6 address, which one client has all to itself.
    pub address: Option<usize>,
}

/// Counts connections. One for the process.
#[derive(Debug)]
pub struct Admission {
    most: Most,
    global: AtomicUsize,
    /// Taken once when a connection begins and once when it ends, never by a request.
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// Counts the connections of one listener.
#[derive(Debug, Default)]
pub struct ListenerCount(AtomicUsize);

impl Admission {
    /// With these limits.
    pub fn new(most: Most) -> Self {
        Self {
            most,
            global: AtomicUsize::default(),
            clients: Mutex::default(),
        }
    }

    /// Takes a connection in; it counts until what is given back is dropped.
    ///
    /// # Errors
    /// The limit that it is over.
    pub fn enter(
        self: &Arc<Self>,
        listener: &Arc<ListenerCount>,
        client: IpAddr,
    ) -> Result<Admitted, ConnectionLimit> {
        // Dropped on the way out, it takes back what was counted.
        let mut admitted = Admitted {
            admission: Arc::clone(self),
            listener: Arc::clone(listener),
            client: None,
        };
        let global = self.global.fetch_add(1, Ordering::Relaxed);
        let local = listener.0.fetch_add(1, Ordering::Relaxed);
        if self.most.global.is_some_and(|most| global >= most) {
            return Err(ConnectionLimit::Global);
        }
        if self.most.listener.is_some_and(|most| local >= most) {
            return Err(ConnectionLimit::Listener);
        }
        if let Some(most) = self.most.address {
            let client = one_client(client);
            self.with_clients(|clients| {
                let count = clients.entry(client).or_default();
                if *count >= most {
                    return Err(ConnectionLimit::Address);
                }
                *count += 1;
                admitted.client = Some(client);
                Ok(())
            })?;
        }
        Ok(admitted)
    }

    /// Connections that are there now.
    pub fn count(&self) -> usize {
        self.global.load(Ordering::Relaxed)
    }

    fn with_clients<T>(&self, work: impl FnOnce(&mut HashMap<IpAddr, usize>) -> T) -> T {
        // The counts are whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection that was taken in.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    listener: Arc<ListenerCount>,
    client: Option<IpAddr>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.global.fetch_sub(1, Ordering::Relaxed);
        self.listener.0.fetch_sub(1, Ordering::Relaxed);
        let Some(client) = self.client else { return };
        self.admission.with_clients(|clients| {
            if let Some(count) = clients.get_mut(&client) {
                *count -= 1;
                if *count == 0 {
                    clients.remove(&client);
                }
            }
        });
    }
}

/// The address that counts for one client (notes/security.md, R-01).
fn one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(global: usize, listener: usize, address: usize) -> Arc<Admission> {
        Arc::new(Admission::new(Most {
            global: Some(global),
            listener: Some(listener),
            address: Some(address),
        }))
    }

    #[test]
    fn each_limit_turns_away_what_is_over_it_and_takes_again_what_left_room() {
        let admission = admission(3, 2, 1);
        let [one, other] = [Arc::default(), Arc::default()];
        let enter = |listener, client: &str| admission.enter(listener, client.parse().unwrap());
        let first = enter(&one, "10.0.0.1").unwrap();
        assert_eq!(
            enter(&one, "10.0.0.1").unwrap_err(),
            ConnectionLimit::Address
        );
        let _second = enter(&one, "10.0.0.2").unwrap();
        assert_eq!(
            enter(&one, "10.0.0.3").unwrap_err(),
            ConnectionLimit::Listener
        );
        let _third = enter(&other, "10.0.0.3").unwrap();
        assert_eq!(
            enter(&other, "10.0.0.4").unwrap_err(),
            ConnectionLimit::Global
        );
        assert_eq!(admission.count(), 3);
        drop(first);
        let _again = enter(&one, "10.0.0.1").unwrap();
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_a_64_of_ipv6() {
        let admission = admission(9, 9, 1);
        let listener = Arc::default();
        let enter = |client: &str| admission.enter(&listener, client.parse().unwrap());
        let _held = [
            enter("2001:db8::1").unwrap(),
            enter("2001:db8:0:1::1").unwrap(),
            enter("10.0.0.1").unwrap(),
        ];
        for same in ["2001:db8::ffff:1", "::ffff:10.0.0.1"] {
            assert_eq!(enter(same).unwrap_err(), ConnectionLimit::Address, "{same}");
        }
    }

    #[test]
    fn nothing_is_kept_of_clients_that_are_gone() {
        let admission = admission(9, 9, 9);
        drop(admission.enter(&Arc::default(), "::1".parse().unwrap()));
        assert!(admission.with_clients(|clients| clients.is_empty()));
        assert_eq!(admission.count(), 0);
    }
}
