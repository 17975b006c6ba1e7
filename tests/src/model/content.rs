//! The configuration that the operator's documents and the sources produce: hosts with their endpoints, as records.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aralez_proto::convert;
use aralez_proto::model::{
    Action, Direction, Endpoint, EndpointOwner, Header, HeaderEdits, HostPattern, Pool, PoolName,
    Route, VirtualHost,
};
use aralez_proto::record::{Record, RecordKey, RecordSet, ResourceType};
use aralez_proto::rules::{ResponseHeaders, Rules, Timeouts};
use aralez_proto::snapshot::Snapshot;

/// Host numbers from here up to [`DEADLY`] are refused by older releases.
pub const POISON: u64 = 1_000;
/// Host numbers from here on kill fragile nodes soon after they are applied.
pub const DEADLY: u64 = 2_000;
/// Length of the additional header of a bulky host: more than half of a part (16 KiB), so that no part carries two of them.
const BULK: usize = 9_000;

/// A host. Its number stands for everything that its documents set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Changes with every edit.
    pub number: u64,
    /// The record is large.
    pub bulky: bool,
    /// The ports of its endpoints.
    pub ports: BTreeSet<u16>,
}

/// The hosts, by the number in their name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The hosts.
    pub hosts: BTreeMap<u64, Host>,
}

impl Content {
    /// Returns the records.
    pub fn records(&self) -> RecordSet {
        let of_host = |(name, host): (&u64, &Host)| records_of(*name, host);
        self.hosts.iter().flat_map(of_host).collect()
    }

    /// Returns the authored part, without the endpoints: pairs of name and number.
    pub fn authored(&self) -> Vec<(u64, u64)> {
        let pair = |(name, host): (&u64, &Host)| (*name, host.number);
        self.hosts.iter().map(pair).collect()
    }
}

fn pattern(name: u64) -> HostPattern {
    let text = format!("h{name}.example");
    text.parse().expect("a host name")
}

fn pool(name: u64) -> PoolName {
    PoolName::of_route(&pattern(name), "/")
}

fn records_of(name: u64, host: &Host) -> Vec<Record> {
    let pool = pool(name);
    let route = Route {
        path: "/".into(),
        matches: None,
        rules: Rules::default(),
        action: Action::Pool(pool.clone()),
    };
    let bulk = host
        .bulky
        .then(|| Header::new(Direction::Response, "x-bulk", &"b".repeat(BULK)).expect("a header"));
    let virtual_host = VirtualHost {
        pattern: pattern(name),
        rules: Rules {
            response_headers: ResponseHeaders(HeaderEdits {
                set: bulk.into_iter().collect(),
                ..HeaderEdits::default()
            }),
            timeouts: Timeouts {
                total: Some(Duration::from_secs(host.number)),
                ..Timeouts::default()
            },
            ..Rules::default()
        },
        routes: vec![route],
    };
    let mut records = vec![
        convert::host_record(&virtual_host),
        convert::pool_record(&pool, &Pool::default()),
    ];
    for port in &host.ports {
        let address = format!("127.0.0.1:{port}").parse().expect("an address");
        records.push(convert::endpoint_record(
            EndpointOwner::Source,
            &pool,
            &Endpoint::new(address),
        ));
    }
    records
}

/// Returns the key of an endpoint.
pub fn endpoint_key(name: u64, port: u16) -> RecordKey {
    RecordKey::new(
        ResourceType::Endpoint,
        format!("{} 127.0.0.1:{port}", pool(name)),
    )
}

/// Returns the number of a host, which its records carry as the total timeout in seconds.
fn number(host: &VirtualHost) -> u64 {
    host.rules.timeouts.total.map_or(0, |total| total.as_secs())
}

/// Returns the keys of the hosts that older releases refuse, sorted.
pub fn poison(snapshot: &Snapshot) -> Vec<RecordKey> {
    let hosts = snapshot.resources().hosts();
    let poison = hosts
        .iter()
        .filter(|(_, host)| (POISON..DEADLY).contains(&number(host)));
    let key =
        |pattern: &HostPattern| RecordKey::new(ResourceType::VirtualHost, pattern.to_string());
    let mut keys: Vec<RecordKey> = poison.map(|(pattern, _)| key(pattern)).collect();
    keys.sort();
    keys
}

/// Reports whether this snapshot kills fragile nodes.
pub fn is_deadly(snapshot: &Snapshot) -> bool {
    let hosts = snapshot.resources().hosts();
    hosts.iter().any(|(_, host)| number(host) >= DEADLY)
}
