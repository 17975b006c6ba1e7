use std::collections::BTreeMap;

use aralez_decision::table::CompiledHost;
use aralez_proto::convert::{endpoint_record, host_record, pool_record, settings_record};
use aralez_proto::model::{
    Action, Direction, Endpoint, EndpointOwner, Header, HeaderEdits, HostPattern, Pool, Redirect,
    RedirectStatus, Route, Settings, Split, VirtualHost, WeightedPool,
};
use aralez_proto::record::{Change, Record};
use aralez_proto::rules::{ResponseHeaders, Rules, ToHttps};
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use proptest::prelude::*;

use super::*;
use crate::core::request::peer::PeerKey;

fn edits(value: u8) -> ResponseHeaders {
    let header = |value: u8| Header::new(Direction::Response, "x-scope", &value.to_string());
    ResponseHeaders(HeaderEdits {
        set: (value > 0)
            .then(|| header(value).unwrap())
            .into_iter()
            .collect(),
        ..HeaderEdits::default()
    })
}

fn host(name: &str, value: u8, pools: &[u8]) -> Record {
    let route = |(index, pool): (usize, &u8)| Route {
        path: format!("/{index}").into(),
        matches: None,
        rules: Rules {
            response_headers: edits(if index == 1 { 9 } else { 0 }),
            ..Rules::default()
        },
        action: if *pool == 0 {
            Action::Redirect(Redirect {
                to: "https://x.example".parse().unwrap(),
                status: RedirectStatus::Found,
            })
        } else {
            Action::Pool(format!("p{pool}").parse().unwrap())
        },
    };
    host_record(&VirtualHost {
        pattern: name.parse().unwrap(),
        rules: Rules {
            response_headers: edits(value),
            to_https: ToHttps((value > 2).then_some(value > 3)),
            ..Rules::default()
        },
        routes: pools.iter().enumerate().map(route).collect(),
    })
}

fn settings(value: u8) -> Record {
    let settings = Settings {
        rules: Rules {
            response_headers: edits(value),
            to_https: ToHttps((value > 1).then_some(true)),
            ..Rules::default()
        },
        compat_0_9: value > 2,
    };
    settings_record(&aralez_proto::model::GroupName::default(), &settings)
}

fn pool(number: u8) -> Record {
    pool_record(&format!("p{number}").parse().unwrap(), &Pool::default())
}

fn endpoint(pool: u8, port: u16, weight: u16) -> Record {
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let endpoint = Endpoint {
        weight,
        ..Endpoint::new(address)
    };
    endpoint_record(
        EndpointOwner::Source,
        &format!("p{pool}").parse().unwrap(),
        &endpoint,
    )
}

fn after(from: &Snapshot, delta: &[Change]) -> Option<(Snapshot, Touched)> {
    let version = Version::default();
    from.changed_by(version, delta, &Limits::default()).ok()
}

fn put(records: impl IntoIterator<Item = Record>) -> Vec<Change> {
    records.into_iter().map(Change::Put).collect()
}

/// The content of a table, in comparable form.
#[derive(PartialEq, Debug)]
struct Said {
    compat: bool,
    hosts: BTreeMap<HostPattern, Arc<CompiledHost>>,
    /// Peers and rounds.
    pools: BTreeMap<PoolName, (Vec<PeerKey>, String)>,
}

fn said(table: &Table) -> Said {
    let endpoints = |pool: &CompiledPool| {
        let endpoints = pool.endpoints().iter();
        let peers = endpoints.map(|found| found.peer.clone());
        (peers.collect(), pool.rounds())
    };
    Said {
        compat: table.routes().compat_0_9(),
        hosts: table
            .routes()
            .hosts()
            .map(|host| (host.pattern.clone(), Arc::clone(host)))
            .collect(),
        pools: table
            .pools()
            .map(|pool| (pool.name().clone(), endpoints(pool)))
            .collect(),
    }
}

#[test]
fn a_pool_without_endpoints_serves_no_request() {
    let delta = put([
        host("a.example", 0, &[1, 2]),
        pool(1),
        pool(2),
        endpoint(2, 80, 1),
    ]);
    let (snapshot, _) = after(&Snapshot::default(), &delta).unwrap();
    let table = Table::build(&snapshot, &Registry::default());
    let serving = |name: &str| {
        table
            .serving_pool(PoolChoice::Only(&name.parse().unwrap()))
            .map(|pool| pool.name().clone())
    };
    assert_eq!(serving("p1"), Err(Rejection::NoEndpoint { compat: false }));
    assert_eq!(serving("p2"), Ok("p2".parse().unwrap()));
    let documented = put([settings(3)]);
    let (snapshot, _) = after(&snapshot, &documented).unwrap();
    let table = Table::build(&snapshot, &Registry::default());
    let status = |name: &str| {
        table
            .serving_pool(PoolChoice::Only(&name.parse().unwrap()))
            .map_err(Rejection::status)
    };
    assert_eq!(status("p1").unwrap_err(), 502);
}

#[test]
fn a_split_passes_over_pools_without_endpoints_and_keeps_its_position_in_the_next_table() {
    let registry = Registry::default();
    let pools = put([
        pool(1),
        pool(2),
        pool(3),
        endpoint(2, 80, 1),
        endpoint(3, 80, 1),
    ]);
    let (snapshot, _) = after(&Snapshot::default(), &pools).unwrap();
    let share = |weight, number: u8| WeightedPool {
        weight,
        pool: format!("p{number}").parse().unwrap(),
    };
    let split = Split::new(vec![share(5, 1), share(1, 2), share(2, 3)]).unwrap();
    let mut table = Table::build(&snapshot, &registry);
    let mut served = BTreeMap::new();
    for number in 0..30 {
        let pool = table.serving_pool(PoolChoice::OneOf(&split)).unwrap();
        *served.entry(pool.name().to_string()).or_insert(0) += 1;
        if number % 7 == 0 {
            table = Table::build(&snapshot, &registry);
        }
    }
    assert_eq!(
        served,
        BTreeMap::from([("p2".to_owned(), 10), ("p3".to_owned(), 20)])
    );
    let alone = Split::new(vec![share(1, 1), share(0, 2)]).unwrap();
    let none = table.serving_pool(PoolChoice::OneOf(&alone)).map(|_| ());
    assert_eq!(none, Err(Rejection::NoEndpoint { compat: false }));
}

#[test]
fn a_change_of_endpoints_rebuilds_one_pool_and_no_host() {
    let registry = Registry::default();
    let delta = put([
        host("a.example", 0, &[1]),
        host("b.example", 0, &[2]),
        pool(1),
        pool(2),
        endpoint(1, 1, 1),
    ]);
    let (first, _) = after(&Snapshot::default(), &delta).unwrap();
    let before = Table::build(&first, &registry);
    before.pool(&"p1".parse().unwrap()).unwrap().choose(
        &mut crate::core::request::balance::Walk::default(),
        crate::core::request::rest::Uptime::default(),
    );
    let (second, touched) = after(&first, &put([endpoint(1, 2, 1)])).unwrap();
    let table = before.next(&second, &touched, &registry);
    for name in ["a.example", "b.example"] {
        assert!(Arc::ptr_eq(
            before.routes().host(name).unwrap(),
            table.routes().host(name).unwrap()
        ));
    }
    let other = "p2".parse().unwrap();
    assert!(Arc::ptr_eq(
        before.pool(&other).unwrap(),
        table.pool(&other).unwrap()
    ));
    let grown = "p1".parse().unwrap();
    assert_eq!(before.pool(&grown).unwrap().endpoints().len(), 1);
    assert_eq!(table.pool(&grown).unwrap().endpoints().len(), 2);
    let state = |table: &Table| Arc::clone(&table.pool(&grown).unwrap().endpoints()[0].load);
    assert!(Arc::ptr_eq(&state(&before), &state(&table)));
}

fn changes() -> impl Strategy<Value = Change> {
    let names = prop::sample::select(vec!["a", "b.a", "*.a", "DEFAULT"]);
    let record = prop_oneof![
        (0_u8..4).prop_map(settings),
        (names, 0_u8..5, prop::collection::vec(0_u8..3, 0..3))
            .prop_map(|(name, value, pools)| host(name, value, &pools)),
        (1_u8..3).prop_map(pool),
        (1_u8..3, 1_u16..4, 1_u16..3).prop_map(|(pool, port, weight)| endpoint(pool, port, weight)),
    ];
    (record, prop::bool::weighted(0.7)).prop_map(|(record, keep)| {
        if keep {
            Change::Put(record)
        } else {
            Change::Delete(record.key)
        }
    })
}

proptest! {
    #[test]
    fn the_next_table_is_the_table_of_the_next_snapshot(
        deltas in prop::collection::vec(prop::collection::vec(changes(), 1..5), 1..12)
    ) {
        let registry = Registry::default();
        let (mut snapshot, touched) = after(&Snapshot::default(), &put([pool(1), pool(2)])).unwrap();
        let mut table = Table::empty().next(&snapshot, &touched, &registry);
        for delta in deltas {
            let Some((next, touched)) = after(&snapshot, &delta) else {
                continue;
            };
            table = table.next(&next, &touched, &registry);
            snapshot = next;
            prop_assert_eq!(said(&table), said(&Table::build(&snapshot, &registry)));
        }
    }
}
