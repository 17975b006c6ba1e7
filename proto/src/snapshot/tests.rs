use proptest::prelude::*;

use super::*;
use crate::convert::{endpoint_record, host_record, pool_record, settings_record};
use crate::document::{self, DocumentSet, Surroundings};
use crate::model::{
    Action, Endpoint, EndpointOwner, HostPattern, Pool, PoolName, Route, Settings, VirtualHost,
};
use crate::parallel::InTurn;
use crate::record::{Record, RecordKey, ResourceType};
use crate::rules::Rules;

fn host(name: &str, pools: &[&str]) -> Record {
    let route = |(index, pool): (usize, &&str)| Route {
        path: format!("/{index}").into(),
        matches: None,
        rules: Rules::default(),
        action: Action::Pool(pool.parse().unwrap()),
    };
    host_record(&VirtualHost {
        pattern: HostPattern::Exact(name.into()),
        rules: Rules::default(),
        routes: pools.iter().enumerate().map(route).collect(),
    })
}

fn pool(name: &str) -> Record {
    pool_record(&name.parse::<PoolName>().unwrap(), &Pool::default())
}

fn endpoint(pool: &str, port: u16) -> Record {
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    endpoint_record(
        EndpointOwner::Source,
        &pool.parse().unwrap(),
        &Endpoint::new(address),
    )
}

fn complete(records: Vec<Record>) -> Result<Snapshot, Faults> {
    Snapshot::complete(
        Version::default(),
        records.into_iter().collect(),
        &Limits::default(),
    )
}

fn next(from: &Snapshot, delta: &[Change]) -> Result<(Snapshot, Touched), Faults> {
    let records = from.records().with(delta);
    let version = of_records(Version::default(), &records);
    from.next(version, delta, &Limits::default())
}

fn faults(result: Result<impl Sized, Faults>) -> String {
    result
        .err()
        .expect("the test feeds something wrong")
        .to_string()
}

#[test]
fn a_route_without_its_pool_is_no_snapshot() {
    let text = faults(complete(vec![host("a.example", &["p", "gone"]), pool("p")]));
    assert_eq!(
        text,
        "VirtualHost \"a.example\" routes.\"/1\".pool: references the pool gone, which does not exist"
    );
}

/// Rules that need the pool of a server.
fn asking() -> Rules {
    let text = "authorization: {type: forward, url: 'http://127.0.0.1:9/'}\n";
    let documents = DocumentSet::of_main(text.into());
    let authored = document::read(&documents, &Surroundings::default());
    authored.unwrap().settings.rules
}

/// Returns settings with rules that need the pool of a server.
fn asking_settings() -> Record {
    let settings = Settings {
        rules: asking(),
        ..Settings::default()
    };
    settings_record(&Default::default(), &settings)
}

#[test]
fn the_pool_of_a_server_that_rules_name_exists_as_long_as_they_do() {
    let guarded = VirtualHost {
        pattern: HostPattern::Exact("a.example".into()),
        rules: asking(),
        routes: Vec::new(),
    };
    let server = "server:127.0.0.1:9";
    let missing = format!("rules: references the pool {server}, which does not exist");
    for record in [asking_settings(), host_record(&guarded)] {
        let alone = faults(complete(vec![record.clone()]));
        assert!(alone.ends_with(&missing), "{alone}");
        let start = complete(vec![record.clone(), pool(server)]).unwrap();
        let drop_pool = Change::Delete(RecordKey::new(ResourceType::Pool, server));
        let left = faults(next(&start, std::slice::from_ref(&drop_pool)));
        assert!(
            left.contains("1 route(s) or rule(s) reference it"),
            "{left}"
        );
        let delta = [drop_pool, Change::Delete(record.key)];
        assert!(next(&start, &delta).is_ok());
    }
    let start = complete(vec![asking_settings(), pool(server)]).unwrap();
    let plain = Change::Put(settings_record(&Default::default(), &Settings::default()));
    let drop_pool = Change::Delete(RecordKey::new(ResourceType::Pool, server));
    assert!(next(&start, &[plain, drop_pool]).is_ok());
}

#[test]
fn a_pool_that_routes_name_cannot_be_deleted_alone() {
    let start = complete(vec![host("a.example", &["p"]), pool("p"), endpoint("p", 1)]).unwrap();
    let drop_pool = Change::Delete(RecordKey::new(ResourceType::Pool, "p"));
    let text = faults(next(&start, std::slice::from_ref(&drop_pool)));
    assert_eq!(
        text,
        "Pool \"p\": has endpoints but does not exist; Pool \"p\": does not exist, but 1 route(s) or rule(s) reference it"
    );
    let drop_host = Change::Delete(RecordKey::new(ResourceType::VirtualHost, "a.example"));
    let drop_endpoint = Change::Delete(RecordKey::new(ResourceType::Endpoint, "p 127.0.0.1:1"));
    let (end, touched) = next(&start, &[drop_pool, drop_host, drop_endpoint]).unwrap();
    assert!(end.records().is_empty());
    assert_eq!((touched.hosts.len(), touched.pools.len()), (1, 1));
}

#[test]
fn a_delta_that_leads_elsewhere_than_announced_is_refused() {
    let start = Snapshot::default();
    let delta = vec![Change::Put(pool("p"))];
    let result = start.next(start.version(), &delta, &Limits::default());
    assert_eq!(
        result.err().map(|faults| faults.as_slice()[0].code),
        Some(FaultCode::HashMismatch)
    );
}

#[test]
fn limits_name_the_field_and_a_resource() {
    let limits = Limits {
        max_hosts: Some(1),
        ..Limits::default()
    };
    let records = vec![host("a.example", &[]), host("b.example", &[])]
        .into_iter()
        .collect();
    let text = faults(Snapshot::complete(Version::default(), records, &limits));
    assert_eq!(
        text,
        "VirtualHost \"b.example\" max_hosts: 2 resources of type VirtualHost, this node accepts at most 1"
    );
}

#[test]
fn limits_allow_exactly_what_they_have_no_fault_with() {
    let records = vec![host("a.example", &["p"]), pool("p"), endpoint("p", 1)];
    let whole = complete(records).unwrap();
    let bytes = whole.records().payload_bytes() as u64;
    let around = |at: u64| [None, Some(at - 1), Some(at), Some(at + 1)];
    for max_snapshot_bytes in around(bytes) {
        for (max_hosts, max_endpoints) in around(1).into_iter().zip(around(1).into_iter().rev()) {
            let limits = Limits {
                max_snapshot_bytes,
                max_hosts,
                max_endpoints,
            };
            let faults = limits.check(whole.records(), whole.resources());
            let allowed = limits.allow(whole.records(), whole.resources());
            assert_eq!(allowed, faults.is_empty(), "{limits:?}");
        }
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let bad = |name: &str| Record::new(RecordKey::new(ResourceType::Pool, name), vec![0xff].into());
    let found = complete(vec![bad("p"), bad("q"), pool("r")]).unwrap_err();
    assert_eq!(found.as_slice().len(), 2);
}

/// A random set of records, closed under reference: host n names pools, pools have endpoints.
fn any_set() -> impl Strategy<Value = Vec<Record>> {
    let host_pools =
        prop::collection::vec(prop::option::of(prop::collection::vec(0..5_usize, 0..3)), 6);
    let ports = prop::collection::vec(prop::collection::btree_set(1..6_u16, 0..4), 5);
    (host_pools, ports).prop_map(|(hosts, ports)| {
        let names: Vec<String> = (0..5).map(|number| format!("p{number}")).collect();
        let mut records: Vec<Record> = names.iter().map(|name| pool(name)).collect();
        for (number, pools) in hosts.into_iter().enumerate() {
            let Some(pools) = pools else { continue };
            let pools: Vec<&str> = pools
                .into_iter()
                .map(|index| names[index].as_str())
                .collect();
            records.push(host(&format!("h{number}.example"), &pools));
        }
        let of_pool = |(index, ports): (usize, std::collections::BTreeSet<u16>)| {
            ports
                .into_iter()
                .map(move |port| endpoint(&format!("p{index}"), port))
                .collect::<Vec<_>>()
        };
        records.extend(ports.into_iter().enumerate().flat_map(of_pool));
        records
    })
}

fn content(snapshot: &Snapshot) -> String {
    let resources = snapshot.resources();
    let mut lines: Vec<String> = resources
        .hosts()
        .iter()
        .map(|(name, host)| format!("{name} {host:?}"))
        .collect();
    lines.extend(
        resources
            .pools()
            .iter()
            .map(|(name, pool, endpoints)| format!("{name} {pool:?} {endpoints:?}")),
    );
    lines.sort();
    format!(
        "{} {}",
        lines.join("\n"),
        resources.pools().endpoint_count()
    )
}

proptest! {
    #[test]
    fn going_step_by_step_ends_where_starting_afresh_does(sets in prop::collection::vec(any_set(), 2..5)) {
        let mut current = Snapshot::default();
        for set in sets {
            let target = complete(set).unwrap();
            let delta = current.records().delta_to(target.records());
            let (stepped, touched) = next(&current, &delta).unwrap();
            prop_assert_eq!(stepped.version().root, target.version().root);
            prop_assert_eq!(content(&stepped), content(&target));
            prop_assert!(touched.hosts.len() + touched.pools.len() <= delta.len());
            let (version, records) = (target.version(), target.records().clone());
            let became = current.becoming(version, records, &Limits::default()).unwrap();
            prop_assert_eq!(became.version(), target.version());
            prop_assert_eq!(content(&became), content(&target));
            prop_assert!(became.records().iter().eq(target.records().iter()));
            current = stepped;
        }
    }

    #[test]
    fn loading_in_two_pieces_ends_where_one_by_one_does(set in any_set(), seed in any::<prop::sample::Index>()) {
        let whole = complete(set.clone()).unwrap();
        let mut records = set;
        if !records.is_empty() {
            let length = records.len();
            records.rotate_left(seed.index(length));
        }
        let load = |records| Snapshot::loaded(whole.version(), records, &Limits::default(), &InTurn);
        let loaded = load(records.clone()).unwrap();
        prop_assert_eq!(loaded.version(), whole.version());
        prop_assert_eq!(content(&loaded), content(&whole));
        prop_assert!(loaded.records().iter().eq(whole.records().iter()));
        prop_assert_eq!(loaded.records().len(), whole.records().len());
        prop_assert_eq!(loaded.records().payload_bytes(), whole.records().payload_bytes());
        // A delta on top of a loaded snapshot is checked against the references counted while loading.
        let without: Vec<Change> = names(&whole).into_iter().map(Change::Delete).collect();
        prop_assert_eq!(next(&loaded, &without).is_ok(), next(&whole, &without).is_ok());
        records.pop();
        prop_assert!(load(records).is_err(), "another root than the announced one");
    }
}

/// Returns the keys of all pools, but not of their endpoints.
fn names(snapshot: &Snapshot) -> Vec<RecordKey> {
    let keys = snapshot.records().iter().map(|record| record.key.clone());
    keys.filter(|key| key.kind == ResourceType::Pool).collect()
}

#[test]
fn what_leads_nowhere_is_refused_when_it_is_loaded_as_when_it_is_put() {
    for records in [
        vec![host("h.example", &["p", "q"]), pool("q")],
        vec![endpoint("p", 1), host("h.example", &["p"])],
        vec![endpoint("p", 1)],
    ] {
        let set: RecordSet = records.iter().cloned().collect();
        let version = of_records(Version::default(), &set);
        let put = faults(Snapshot::complete(version, set, &Limits::default()));
        let loaded = Snapshot::loaded(version, records, &Limits::default(), &InTurn);
        assert_eq!(faults(loaded), put);
    }
}

fn settings(group: &str, compat_0_9: bool) -> Record {
    let settings = Settings {
        compat_0_9,
        ..Settings::default()
    };
    settings_record(&group.parse().unwrap(), &settings)
}

proptest! {
    #[test]
    fn a_node_that_moves_to_another_group_has_its_settings_whatever_comes_first(
        from in "[a-z]{1,8}",
        to in "[a-z]{1,8}",
    ) {
        prop_assume!(from != to);
        let before = complete(vec![settings(&from, false)]).unwrap();
        let after = complete(vec![settings(&to, true)]).unwrap();
        let delta = before.records().delta_to(after.records());
        let (moved, touched) = next(&before, &delta).unwrap();
        prop_assert!(moved.resources().settings().compat_0_9);
        prop_assert!(touched.settings);
        let (gone, _) = next(&moved, &moved.records().delta_to(&RecordSet::default())).unwrap();
        prop_assert!(!gone.resources().settings().compat_0_9);
    }
}

#[test]
fn two_settings_in_one_snapshot_are_refused() {
    let text = faults(complete(vec![settings("a", true), settings("b", false)]));
    assert!(text.contains("settings of one group"), "{text}");
}

#[test]
fn one_endpoint_has_one_key() {
    let plain = endpoint("p", 80);
    let other = Record::new(
        RecordKey::new(ResourceType::Endpoint, "p 127.0.0.1:080"),
        plain.payload.clone(),
    );
    let text = faults(complete(vec![pool("p"), plain.clone(), other]));
    assert!(text.contains("is not normalised"), "{text}");
    let snapshot = complete(vec![pool("p"), plain]).unwrap();
    for (kind, name) in [
        (ResourceType::Endpoint, "p 127.0.0.1:080"),
        (ResourceType::StaticEndpoint, "p 127.0.0.1:080"),
        (ResourceType::VirtualHost, "A.example"),
    ] {
        let text = faults(next(
            &snapshot,
            &[Change::Delete(RecordKey::new(kind, name))],
        ));
        assert!(text.contains("is not normalised"), "{text}");
    }
}
