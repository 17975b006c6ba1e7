use super::*;

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn address(port: u16) -> EndpointAddress {
    format!("127.0.0.1:{port}").parse().unwrap()
}

#[test]
fn state_stays_for_as_long_as_somebody_holds_it() {
    let registry = Registry::default();
    let turn = registry.turn(&pool("a"));
    turn.take();
    assert_eq!(registry.turn(&pool("a")).peek(), 1);
    assert_eq!(registry.turn(&pool("b")).peek(), 0);
    drop(turn);
    assert_eq!(registry.turn(&pool("a")).peek(), 0);
}

#[test]
fn the_same_address_in_two_pools_carries_two_loads() {
    let registry = Registry::default();
    let first = registry.loads(&pool("a"), [address(1), address(2)]);
    let running = first[0].begin();
    let again = registry.loads(&pool("a"), [address(1), address(2)]);
    let other = registry.loads(&pool("b"), [address(1)]);
    assert_eq!(
        [again[0].active(), again[1].active(), other[0].active()],
        [1, 0, 0]
    );
    drop(running);
    assert_eq!(first[0].active(), 0);
}

#[test]
fn what_nobody_holds_is_swept() {
    let registry = Registry::default();
    let kept = registry.loads(&pool("a"), [address(1)]);
    for port in 2..5_000 {
        registry.loads(&pool("a"), [address(port)]);
    }
    let size = registry.with(|kept| kept.loads.kept.len());
    assert!(size <= 2 * 64, "{size} entries are left");
    assert!(Arc::ptr_eq(
        &kept[0],
        &registry.loads(&pool("a"), [address(1)])[0]
    ));
}
