//! Connections to the config API: how many there may be, and which one is closed to make room.
//!
//! A client that only waits (it sends no request, or its request head is incomplete) gives way to a new one: silent connections must not keep
//! an operator out. A connection with a request in progress is never closed for room.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use aralez_proto::client::one_client;

/// Connections of one client address, IPv6 by /64 (keys.md, `max_api_connections`).
pub const PER_ADDRESS: usize = 32;

/// The number of a connection; a later one has a higher number.
pub type ClientId = u64;

/// The connections that are open. `H` is what closes one.
#[derive(Debug)]
pub struct Clients<H> {
    most: usize,
    last: ClientId,
    open: BTreeMap<ClientId, Client<H>>,
}

#[derive(Debug)]
struct Client<H> {
    network: IpAddr,
    /// Since when it waits for a request; `None` while one is in progress.
    waiting: Option<Instant>,
    close: H,
}

/// What becomes of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientAdmission<H> {
    /// There is room.
    Admitted(ClientId),
    /// There is room once this waiting connection is closed; it does not count any more.
    InPlaceOf(ClientId, H),
    /// Every connection that could give way has a request in progress.
    Full,
}

impl<H> Clients<H> {
    /// Room for `most` connections.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            last: 0,
            open: BTreeMap::new(),
        }
    }

    /// A connection was accepted. `close` closes it later.
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

    /// A request of this connection begins.
    pub fn busy(&mut self, id: ClientId) {
        if let Some(client) = self.open.get_mut(&id) {
            client.waiting = None;
        }
    }

    /// The request of this connection has its response.
    pub fn waits(&mut self, id: ClientId, now: Instant) {
        if let Some(client) = self.open.get_mut(&id) {
            client.waiting = Some(now);
        }
    }

    /// The connection ended.
    pub fn left(&mut self, id: ClientId) {
        self.open.remove(&id);
    }

    fn add(&mut self, network: IpAddr, close: H, now: Instant) -> ClientId {
        self.last += 1;
        let client = Client {
            network,
            waiting: Some(now),
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
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    /// Clients with as many connections as there is room for, one of each address, the first waiting longest.
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
