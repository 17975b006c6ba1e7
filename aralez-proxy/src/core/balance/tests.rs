use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn endpoint(port: u16, weight: u16, tier: u8) -> Endpoint {
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    Endpoint {
        weight,
        tier,
        ..Endpoint::new(address)
    }
}

fn pool(endpoints: impl IntoIterator<Item = Endpoint>, registry: &Registry) -> CompiledPool {
    let endpoints: Vec<Endpoint> = endpoints.into_iter().collect();
    CompiledPool::new(&"pool".parse().unwrap(), &endpoints, registry)
}

fn port(found: Option<&CompiledEndpoint>) -> Option<u16> {
    found.map(|found| found.endpoint.address.socket().port())
}

fn ports(pool: &CompiledPool, requests: usize) -> Vec<u16> {
    let choose = |_| port(pool.choose(&Tried::none())).unwrap();
    (0..requests).map(choose).collect()
}

fn counts(ports: &[u16]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for port in ports {
        *counts.entry(*port).or_default() += 1;
    }
    counts
}

#[test]
fn the_position_survives_a_swap_of_the_table() {
    let registry = Registry::default();
    let three = || vec![endpoint(1, 1, 0), endpoint(2, 1, 0), endpoint(3, 1, 0)];
    let first = pool(three(), &registry);
    let before = ports(&first, 2);
    let second = pool(three(), &registry);
    drop(first);
    assert_eq!([before, ports(&second, 2)].concat(), [1, 2, 3, 1]);
}

#[test]
fn weights_are_respected_and_spread() {
    let pool = pool(
        vec![endpoint(1, 50, 0), endpoint(2, 20, 0), endpoint(3, 10, 0)],
        &Registry::default(),
    );
    let chosen = ports(&pool, 80);
    assert_eq!(counts(&chosen), BTreeMap::from([(1, 50), (2, 20), (3, 10)]));
    assert!(
        !chosen.windows(4).any(|four| four == [1, 1, 1, 1]),
        "{chosen:?}"
    );
}

#[test]
fn extreme_weights_make_no_endless_round() {
    let mut endpoints: Vec<Endpoint> = (2..1002).map(|port| endpoint(port, 1, 0)).collect();
    endpoints.push(endpoint(1, u16::MAX, 0));
    let pool = pool(endpoints, &Registry::default());
    let Some(Tier::Weighted(round)) = &pool.first else {
        panic!("{pool:?}");
    };
    assert!(round.len() <= 20_000);
    let chosen = counts(&ports(&pool, round.len()));
    assert_eq!(chosen.len(), 1001, "everybody gets something");
    assert!(chosen[&1] > 15_000);
}

#[test]
fn a_later_tier_serves_only_where_the_first_has_none_left() {
    let pool = pool(
        vec![endpoint(1, 1, 1), endpoint(2, 1, 0), endpoint(3, 1, 0)],
        &Registry::default(),
    );
    assert_eq!(ports(&pool, 4), [2, 3, 2, 3]);
    let mut tried = Tried::none();
    for _ in 0..2 {
        tried.add(pool.choose(&tried).unwrap().endpoint.address);
    }
    assert_eq!(port(pool.choose(&tried)), Some(1));
}

#[test]
fn a_draining_endpoint_takes_nothing_new() {
    let draining = Endpoint {
        state: EndpointState::Draining,
        ..endpoint(1, 1, 0)
    };
    let registry = Registry::default();
    let both = pool(vec![draining, endpoint(2, 1, 0)], &registry);
    assert_eq!(ports(&both, 3), [2, 2, 2]);
    assert_eq!(both.endpoints().len(), 2);
    let alone = pool(vec![draining], &registry);
    assert!(alone.is_empty() && alone.choose(&Tried::none()).is_none());
    assert!(pool(vec![], &registry).is_empty());
}

#[test]
fn trying_again_takes_no_turn_from_others() {
    let pool = pool(
        (1..=3).map(|port| endpoint(port, 1, 0)),
        &Registry::default(),
    );
    let mut first = Vec::new();
    for _ in 0..30 {
        let mut tried = Tried::none();
        let chosen = pool.choose(&tried).unwrap().endpoint.address;
        first.push(chosen.socket().port());
        tried.add(chosen);
        assert_ne!(pool.choose(&tried).unwrap().endpoint.address, chosen);
    }
    assert_eq!(counts(&first), BTreeMap::from([(1, 10), (2, 10), (3, 10)]));
}

proptest! {
    #[test]
    fn of_k_requests_over_n_endpoints_each_gets_its_share_but_for_one(n in 1_u16..40, k in 0_usize..400, skip in 0_usize..100) {
        let pool = pool((1..=n).map(|port| endpoint(port, 3, 0)), &Registry::default());
        ports(&pool, skip);
        let counts = counts(&ports(&pool, k));
        let share = k / usize::from(n);
        for port in 1..=n {
            let got = counts.get(&port).copied().unwrap_or(0);
            prop_assert!((share..=share + 1).contains(&got), "{} of {} over {}", got, k, n);
        }
    }

    #[test]
    fn every_endpoint_is_tried_before_there_is_none(weights in prop::collection::vec((1_u16..9, 0_u8..3), 1..20)) {
        let endpoints = weights.iter().zip(1..).map(|((weight, tier), port)| endpoint(port, *weight, *tier));
        let pool = pool(endpoints, &Registry::default());
        let mut tried = Tried::none();
        let mut tiers = Vec::new();
        while let Some(chosen) = pool.choose(&tried) {
            prop_assert!(!tried.contains(chosen.endpoint.address));
            tried.add(chosen.endpoint.address);
            tiers.push(chosen.endpoint.tier);
        }
        prop_assert_eq!(tried.len(), weights.len());
        prop_assert!(tiers.is_sorted());
    }
}
