use super::*;
use crate::core::request::rest::Uptime;

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn address(port: u16) -> EndpointAddress {
    format!("127.0.0.1:{port}").parse().unwrap()
}

#[test]
fn state_stays_for_as_long_as_somebody_holds_it() {
    let registry = Registry::default();
    let state = registry.pool(&pool("a"));
    state.take_turn();
    assert_eq!(registry.pool(&pool("a")).take_turn(), 1);
    assert_eq!(registry.pool(&pool("b")).take_turn(), 0);
    drop(state);
    assert_eq!(registry.pool(&pool("a")).take_turn(), 0);
}

#[test]
fn the_same_address_in_two_pools_carries_two_loads() {
    let registry = Registry::default();
    let a = registry.pool(&pool("a"));
    let first = a.loads([address(2), address(1)].iter());
    let running = first[0].begin();
    let again = a.loads([address(1), address(2), address(3)].iter());
    let other = registry.pool(&pool("b")).loads([address(2)].iter());
    let active: Vec<_> = again
        .iter()
        .chain(&other)
        .map(|load| load.active())
        .collect();
    assert_eq!(active, [0, 1, 0, 0]);
    drop(running);
    assert_eq!(first[0].active(), 0);
}

#[test]
fn a_request_that_outlives_its_pool_is_counted_when_the_pool_comes_back() {
    let registry = Registry::default();
    let running = registry.pool(&pool("a")).loads([address(1)].iter())[0].begin();
    let back = registry.pool(&pool("a")).loads([address(1)].iter());
    assert_eq!(back[0].active(), 1);
    drop(running);
    assert_eq!(back[0].active(), 0);
}

#[test]
fn what_nobody_holds_is_swept() {
    let registry = Registry::default();
    let state = registry.pool(&pool("a"));
    let kept = state.loads([address(1)].iter());
    for port in 2..5_000 {
        registry.pool(&pool(&port.to_string()));
        state.loads([address(port)].iter());
    }
    let sizes = (registry.0.lock().kept.len(), state.loads.lock().len());
    assert!(sizes.0 <= 2 * 64, "{sizes:?} entries are left");
    assert!(sizes.1 <= 2, "{sizes:?} entries are left");
    let again = state.loads([address(1)].iter());
    assert!(Arc::ptr_eq(&kept[0], &again[0]));
}

#[test]
fn a_rest_belongs_to_pool_and_address_and_outlives_a_change_of_the_pool() {
    let registry = Registry::default();
    let a = registry.pool(&pool("a"));
    let first = a.loads([address(1)].iter());
    first[0].rest().failed(Uptime::default());
    let again = a.loads([address(1), address(2)].iter());
    drop(first);
    let other = registry.pool(&pool("b")).loads([address(1)].iter());
    let rests = |load: &Arc<Load>| load.rest().is_resting(Uptime::default());
    let resting: Vec<_> = again.iter().chain(&other).map(rests).collect();
    assert_eq!(resting, [true, false, false]);
}

#[test]
fn a_load_fills_a_cache_line_with_the_counts_of_its_arc() {
    assert_eq!(size_of::<Load>() + 2 * size_of::<usize>(), 64);
}
