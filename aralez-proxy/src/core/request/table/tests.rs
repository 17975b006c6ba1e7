use std::collections::BTreeMap;

use aralez_proto::convert::{endpoint_record, host_record, pool_record, settings_record};
use aralez_proto::model::{
    Action, Direction, Endpoint, EndpointOwner, Header, HeaderEdits, Pool, Redirect,
    RedirectStatus, Route, Settings,
};
use aralez_proto::record::{Change, Record};
use aralez_proto::rules::{ResponseHeaders, Rules, Timeouts, ToHttps};
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
        compat: table.compat_0_9(),
        hosts: table
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
fn the_narrower_scope_wins_and_equal_edits_are_shared() {
    let delta = put([settings(1), host("a.example", 2, &[1, 1, 1]), pool(1)]);
    let (snapshot, _) = after(&Snapshot::default(), &delta).unwrap();
    let table = Table::build(&snapshot, &Registry::default());
    let host = table.host("a.example").unwrap();
    let route = |path| {
        let path = RequestPath::parse(path).unwrap();
        host.route(&path).unwrap()
    };
    let lines = |path| route(path).unwrap().rules.response_edits.lines();
    assert_eq!(lines("/0"), b"x-scope: 2\r\n");
    assert_eq!(lines("/1/x"), b"x-scope: 9\r\n");
    let [first, own, last] = ["/0", "/1", "/2"].map(|path| route(path).unwrap());
    assert!(Arc::ptr_eq(&first.rules, &last.rules));
    assert!(Arc::ptr_eq(&first.rules.others, &own.rules.others));
    assert_eq!(first.rules.others.timeouts, Timeouts::defaults());
    assert!(route("/").is_none());
}

#[test]
fn routes_in_a_row_that_say_the_same_share_their_rules() {
    let said = |value| Rules {
        response_headers: edits(value),
        to_https: ToHttps(Some(false)),
        ..Rules::default()
    };
    let route = |(at, value): (usize, u8)| Route {
        path: format!("/{at}").into(),
        rules: said(value),
        action: Action::Pool("p1".parse().unwrap()),
    };
    let host = VirtualHost {
        pattern: "a.example".parse().unwrap(),
        rules: Rules::default(),
        routes: [1, 1, 2, 1].into_iter().enumerate().map(route).collect(),
    };
    let compiled: Vec<_> = CompiledScope::default().compile(&host).collect();
    let shared = |at: usize| Arc::ptr_eq(&compiled[at].rules, &compiled[at + 1].rules);
    assert_eq!([shared(0), shared(1), shared(2)], [true, false, false]);
    let lines = compiled
        .iter()
        .map(|route| route.rules.response_edits.lines());
    let expected = [1, 1, 2, 1].map(|value| format!("x-scope: {value}\r\n").into_bytes());
    assert_eq!(lines.collect::<Vec<_>>(), expected);
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
            before.host(name).unwrap(),
            table.host(name).unwrap()
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
