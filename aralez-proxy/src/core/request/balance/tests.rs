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
    let name = "pool".parse().unwrap();
    CompiledPool::new(&name, &Pool::default(), &endpoints, registry)
}

const NOW: Uptime = Uptime::from_millis(0);

fn port(found: &CompiledEndpoint) -> u16 {
    found.peer.address().tcp().unwrap().port()
}

/// The first choice of each of `requests` requests.
fn ports(pool: &CompiledPool, requests: usize) -> Vec<u16> {
    let choose = |_| port(pool.choose(&mut Walk::default(), NOW).unwrap().at);
    (0..requests).map(choose).collect()
}

/// All endpoints that one request tries, each of which fails for a local reason.
fn walked(pool: &CompiledPool, now: Uptime) -> Vec<u16> {
    let mut walk = Walk::default();
    std::iter::from_fn(|| pool.choose(&mut walk, now).map(|chosen| port(chosen.at))).collect()
}

fn fail(pool: &CompiledPool, ports: &[u16], now: Uptime) {
    for one in pool.endpoints() {
        if ports.contains(&port(one)) {
            one.load.rest().failed(now);
        }
    }
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
    let round = pool.first.as_ref().unwrap().length();
    assert!(round <= 20_000);
    let chosen = counts(&ports(&pool, round));
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
    assert_eq!(walked(&pool, NOW).last(), Some(&1));
    fail(&pool, &[2], NOW);
    assert_eq!(ports(&pool, 4), [3, 3, 3, 3]);
    fail(&pool, &[3], NOW);
    assert_eq!(ports(&pool, 3), [1, 1, 1]);
}

#[test]
fn an_endpoint_that_rests_is_avoided_and_its_requests_are_spread_over_all_others() {
    for weight in [1, 3] {
        let first = endpoint(1, weight, 0);
        let others = (2..=5).map(|port| endpoint(port, 1, 0));
        let pool = pool(std::iter::once(first).chain(others), &Registry::default());
        fail(&pool, &[1], NOW);
        let counts = counts(&ports(&pool, 400 * usize::from(weight)));
        assert_eq!(counts.len(), 4, "{counts:?}");
        let (least, most) = (counts.values().min(), counts.values().max());
        let (least, most) = (least.unwrap(), most.unwrap());
        assert!(*most <= 2 * least, "weight {weight}: {counts:?}");
    }
}

#[test]
fn the_end_of_a_rest_is_probed_by_one_request() {
    let pool = pool(
        (1..=3).map(|port| endpoint(port, 1, 0)),
        &Registry::default(),
    );
    fail(&pool, &[2, 3], NOW);
    let later = Uptime::from_millis(1_500);
    let mut walks = vec![Walk::default(); 9];
    let chosen: Vec<_> = walks
        .iter_mut()
        .map(|walk| pool.choose(walk, later).unwrap())
        .collect();
    let probes = chosen.iter().filter(|chosen| chosen.probe.is_some());
    assert_eq!(probes.count(), 2, "one for each that rested");
    let others = chosen.iter().filter(|chosen| chosen.probe.is_none());
    assert!(others.map(|chosen| port(chosen.at)).all(|port| port == 1));
}

#[test]
fn where_all_rest_each_is_tried_once_by_tiers() {
    let pool = pool(
        (1..=40).map(|port| endpoint(port, 1, u8::from(port > 20))),
        &Registry::default(),
    );
    fail(&pool, &(1..=40).collect::<Vec<_>>(), NOW);
    let tried = walked(&pool, NOW);
    assert_eq!(counts(&tried).len(), 40);
    assert_eq!(tried.len(), 40);
    assert!(tried[..20].iter().all(|port| *port <= 20), "{tried:?}");
}

#[test]
fn the_last_endpoint_of_a_walk_is_told_to_be_the_last() {
    let pool = pool(
        (1..=3).map(|port| endpoint(port, 1, 0)),
        &Registry::default(),
    );
    fail(&pool, &[2], NOW);
    let mut walk = Walk::default();
    let last = std::iter::from_fn(|| pool.choose(&mut walk, NOW).map(|chosen| chosen.is_last));
    assert_eq!(last.collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn a_pool_of_a_thousand_fails_endpoint_by_endpoint_and_each_is_tried_once() {
    let pool = pool(
        (1..=1_000).map(|port| endpoint(port, 1, 0)),
        &Registry::default(),
    );
    let mut walk = Walk::default();
    let mut tried = Vec::new();
    while let Some(chosen) = pool.choose(&mut walk, NOW) {
        chosen.at.load.rest().failed(NOW);
        tried.push(port(chosen.at));
    }
    assert_eq!((tried.len(), counts(&tried).len()), (1_000, 1_000));
    assert!(size_of::<Walk>() <= 128);
}

#[test]
fn a_draining_endpoint_takes_nothing_new() {
    let draining = Endpoint {
        state: EndpointState::Draining,
        ..endpoint(1, 1, 0)
    };
    let registry = Registry::default();
    let both = pool(vec![draining.clone(), endpoint(2, 1, 0)], &registry);
    assert_eq!(ports(&both, 3), [2, 2, 2]);
    assert_eq!(both.endpoints().len(), 2);
    let alone = pool(vec![draining], &registry);
    assert!(alone.is_empty() && alone.choose(&mut Walk::default(), NOW).is_none());
    assert!(pool(vec![], &registry).is_empty());
}

#[test]
fn trying_again_takes_no_turn_from_others() {
    let pool = pool(
        (1..=3).map(|port| endpoint(port, 1, 0)),
        &Registry::default(),
    );
    let first: Vec<_> = (0..30).map(|_| walked(&pool, NOW)[0]).collect();
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
    fn every_endpoint_is_tried_once_and_those_that_rest_last(
        weights in prop::collection::vec((1_u16..9, 0_u8..3, any::<bool>()), 1..16),
        skip in 0_usize..50,
    ) {
        let endpoints = weights.iter().zip(1..).map(|((weight, tier, _), port)| endpoint(port, *weight, *tier));
        let pool = pool(endpoints, &Registry::default());
        ports(&pool, skip);
        let resting: Vec<u16> = weights.iter().zip(1..).filter(|((_, _, rests), _)| *rests).map(|(_, port)| port).collect();
        fail(&pool, &resting, NOW);
        let tried = walked(&pool, NOW);
        prop_assert_eq!(counts(&tried).len(), weights.len());
        prop_assert_eq!(tried.len(), weights.len());
        let order = |port: &u16| (resting.contains(port), weights[usize::from(*port) - 1].1);
        prop_assert!(tried.is_sorted_by_key(order), "{:?}", tried);
    }
}
