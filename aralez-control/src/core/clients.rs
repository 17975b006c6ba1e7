//! Connections to the config API: their limits, and which connection is closed for a new one.
//!
//! A client that only waits (it sends no request, or its request head is incomplete) gives way to a new one, so that silent connections
//! cannot lock an operator out. A connection with a request in progress is never closed for a new one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aralez_proto::client::one_client;

/// Maximum number of connections per client address, IPv6 by /64, within `max_api_connections`.
pub const PER_ADDRESS: usize = 32;

/// Time in which the first request of a connection arrives: until then, connections that were answered give way first. Without it, a client
/// that opens a connection per request could lose a new one to those that it has closed, and that control has not noticed yet.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Number of a connection; a later connection has a higher number.
pub type ClientId = u64;

/// The open connections. `H` is the handle that closes one.
#[derive(Debug)]
pub struct Clients<H> {
    most: usize,
    last: ClientId,
    open: BTreeMap<ClientId, Client<H>>,
}

#[derive(Debug)]
struct Client<H> {
    network: IpAddr,
    /// Start of its wait for a request; `None` while a request is in progress.
    waiting: Option<Instant>,
    close: H,
}

/// The verdict on a new connection.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientAdmission<H> {
    /// The connection is admitted.
    Admitted(ClientId),
    /// The connection is admitted, and the caller closes this waiting connection, which no longer counts.
    InPlaceOf(ClientId, H),
    /// The connection is refused: every candidate for eviction has a request in progress.
    Full,
}

impl<H> Clients<H> {
    /// Creates an empty set that admits `most` connections.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            last: 0,
            open: BTreeMap::new(),
        }
    }

    /// Admits or refuses an accepted connection. `close` closes it later.
    pub fn enter(&mut self, address: IpAddr, close: H, now: Instant) -> ClientAdmission<H> {
        let network = one_client(address);
        let of_network = |client: &Client<H>| client.network == network;
        let crowded = self.open.values().filter(|client| of_network(client));
        let evicted = if crowded.count() >= PER_ADDRESS.min(self.most) {
            self.longest_waiting(of_network)
        } else if self.open.len() >= self.most {
            self.longest_waiting(|_| true)
        } else {
            return ClientAdmission::Admitted(self.add(network, close, now));
        };
        let evicted = evicted.and_then(|id| self.open.remove(&id));
        match evicted {
            Some(client) => ClientAdmission::InPlaceOf(self.add(network, close, now), client.close),
            None => ClientAdmission::Full,
        }
    }

    /// Marks a connection as busy: a request is in progress.
    pub fn busy(&mut self, id: ClientId) {
        if let Some(client) = self.open.get_mut(&id) {
            client.waiting = None;
        }
    }

    /// Marks a connection as waiting: its request has been answered.
    pub fn waits(&mut self, id: ClientId, now: Instant) {
        if let Some(client) = self.open.get_mut(&id) {
            client.waiting = Some(now);
        }
    }

    /// Removes a closed connection.
    pub fn left(&mut self, id: ClientId) {
        self.open.remove(&id);
    }

    fn add(&mut self, network: IpAddr, close: H, now: Instant) -> ClientId {
        self.last += 1;
        let client = Client {
            network,
            waiting: Some(now + FIRST_REQUEST),
            close,
        };
        self.open.insert(self.last, client);
        self.last
    }

    fn longest_waiting(&self, among: impl Fn(&Client<H>) -> bool) -> Option<ClientId> {
        let candidates = self.open.iter().filter(|(_, client)| among(client));
        candidates
            .filter_map(|(id, client)| Some((client.waiting?, *id)))
            .min()
            .map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// A full set with one connection per address, of which the first has waited longest.
    fn full(most: u8) -> (Clients<u8>, Instant) {
        let start = Instant::now();
        let mut clients = Clients::new(usize::from(most));
        for last in 1..=most {
            let now = start + Duration::from_secs(last.into());
            assert!(matches!(
                clients.enter(address(last), last, now),
                ClientAdmission::Admitted(_)
            ));
        }
        (clients, start + Duration::from_secs(100))
    }

    #[test]
    fn a_connection_whose_first_request_is_on_its_way_outlasts_those_that_were_answered() {
        let now = Instant::now();
        let mut clients = Clients::new(2);
        assert_eq!(
            clients.enter(address(1), 1, now),
            ClientAdmission::Admitted(1)
        );
        assert_eq!(
            clients.enter(address(2), 2, now),
            ClientAdmission::Admitted(2)
        );
        let later = now + Duration::from_millis(900);
        clients.busy(2);
        clients.waits(2, later);
        assert_eq!(
            clients.enter(address(3), 3, later),
            ClientAdmission::InPlaceOf(3, 2)
        );
        // A client that stays silent gains nothing.
        let later = now + Duration::from_millis(1_100);
        clients.busy(3);
        clients.waits(3, later);
        assert_eq!(
            clients.enter(address(4), 4, later),
            ClientAdmission::InPlaceOf(4, 1)
        );
    }

    #[test]
    fn the_connection_that_waits_longest_gives_way_to_a_new_one() {
        let (mut clients, now) = full(3);
        clients.waits(1, now);
        assert_eq!(
            clients.enter(address(9), 9, now),
            ClientAdmission::InPlaceOf(4, 2)
        );
        assert_eq!(
            clients.enter(address(9), 10, now),
            ClientAdmission::InPlaceOf(5, 3)
        );
    }

    #[test]
    fn a_request_in_progress_is_never_cut_off_for_room() {
        let (mut clients, now) = full(2);
        clients.busy(1);
        clients.busy(2);
        assert_eq!(clients.enter(address(9), 9, now), ClientAdmission::Full);
        clients.left(2);
        assert_eq!(
            clients.enter(address(9), 9, now),
            ClientAdmission::Admitted(3)
        );
    }

    #[test]
    fn one_address_cannot_push_out_the_others() {
        let now = Instant::now();
        let mut clients = Clients::new(256);
        let other = clients.enter(address(1), 0, now);
        assert_eq!(other, ClientAdmission::Admitted(1));
        let later = now + Duration::from_secs(1);
        for number in 0..PER_ADDRESS {
            let entry = clients.enter(address(2), number, later);
            assert!(matches!(entry, ClientAdmission::Admitted(_)), "{number}");
        }
        let entry = clients.enter(address(2), 99, later);
        assert!(
            matches!(entry, ClientAdmission::InPlaceOf(_, 0)),
            "{entry:?}"
        );
    }
}
