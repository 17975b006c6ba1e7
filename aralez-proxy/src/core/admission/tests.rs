use super::*;

fn admission(global: usize, listener: usize, address: usize) -> Arc<Admission> {
    let most = Most {
        global: Some(global),
        listener: Some(listener),
        address: Some(address),
        descriptors: None,
    };
    Arc::new(Admission::new(most, Instant::now()))
}

#[test]
fn each_limit_turns_away_what_is_over_it_and_takes_again_what_left_room() {
    let admission = admission(3, 2, 1);
    let [one, other] = [Arc::default(), Arc::default()];
    let enter = |listener, client: &str| {
        admission.enter(listener, client.parse().unwrap(), Instant::now(), || 0)
    };
    let first = enter(&one, "10.0.0.1").unwrap();
    assert_eq!(
        enter(&one, "10.0.0.1").unwrap_err(),
        ConnectionLimit::Address
    );
    let _second = enter(&one, "10.0.0.2").unwrap();
    assert_eq!(
        enter(&one, "10.0.0.3").unwrap_err(),
        ConnectionLimit::Listener
    );
    let _third = enter(&other, "10.0.0.3").unwrap();
    assert_eq!(
        enter(&other, "10.0.0.4").unwrap_err(),
        ConnectionLimit::Global
    );
    assert_eq!(admission.count(), 3);
    drop(first);
    let _again = enter(&one, "10.0.0.1").unwrap();
}

#[test]
fn a_client_is_an_ipv4_address_or_a_64_of_ipv6() {
    let admission = admission(9, 9, 1);
    let listener = Arc::default();
    let enter =
        |client: &str| admission.enter(&listener, client.parse().unwrap(), Instant::now(), || 0);
    let _held = [
        enter("2001:db8::1").unwrap(),
        enter("2001:db8:0:1::1").unwrap(),
        enter("10.0.0.1").unwrap(),
    ];
    for same in ["2001:db8::ffff:1", "::ffff:10.0.0.1"] {
        assert_eq!(enter(same).unwrap_err(), ConnectionLimit::Address, "{same}");
    }
}

#[test]
fn nothing_is_kept_of_clients_that_are_gone() {
    let admission = admission(9, 9, 9);
    drop(admission.enter(
        &Arc::default(),
        "::1".parse().unwrap(),
        Instant::now(),
        || 0,
    ));
    assert!(admission.with_clients(|clients| clients.is_empty()));
    assert_eq!(admission.count(), 0);
}

mod idle {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A registered connection, and the count of its wake-ups.
    fn kept(admitted: &Admitted) -> (IdlePlace, Arc<Woken>) {
        let woken = Arc::new(Woken::default());
        (admitted.idle_place(Waker::from(Arc::clone(&woken))), woken)
    }

    fn times(woken: &Woken) -> usize {
        woken.0.load(Ordering::Relaxed)
    }

    #[test]
    fn at_a_limit_the_longest_idle_connection_makes_room_and_busy_ones_stay() {
        let admission = admission(3, 9, 9);
        let listener = Arc::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let enter = |ms| admission.enter(&listener, "10.0.0.1".parse().unwrap(), at(ms), || 0);
        let [a, b, c] = [0; 3].map(|_| enter(0).unwrap());
        let [
            (first, first_woken),
            (second, second_woken),
            (third, third_woken),
        ] = [&a, &b, &c].map(kept);
        assert!(!first.mark_idle(at(20)) && !second.mark_idle(at(10)) && !third.mark_idle(at(5)));
        assert!(!third.mark_busy(), "a request came in time");
        let _new = enter(30).unwrap();
        assert_eq!((times(&first_woken), times(&second_woken)), (0, 1));
        assert!(second.mark_idle(at(10)), "it is told to close");
        let _newer = enter(31).unwrap();
        assert_eq!((times(&first_woken), times(&third_woken)), (1, 0));
        assert!(
            first.mark_busy(),
            "a request that came just then is its last"
        );
        assert_eq!(enter(32).unwrap_err(), ConnectionLimit::Global);
        assert_eq!(admission.count(), 5, "until those that were told have gone");
    }

    #[test]
    fn room_at_a_listener_or_of_an_address_comes_from_its_own_connections() {
        let admission = admission(99, 2, 1);
        let [one, other] = [Arc::default(), Arc::default()];
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let enter = |listener, client: &str| {
            admission.enter(listener, client.parse().unwrap(), at(9), || 0)
        };
        let a = enter(&one, "10.0.0.1").unwrap();
        let b = enter(&other, "10.0.0.2").unwrap();
        let c = enter(&other, "10.0.0.3").unwrap();
        let [(a_place, a_woken), (b_place, b_woken), (c_place, c_woken)] = [&a, &b, &c].map(kept);
        let _ = (
            a_place.mark_idle(at(1)),
            b_place.mark_idle(at(2)),
            c_place.mark_idle(at(3)),
        );
        let woken = || [&a_woken, &b_woken, &c_woken].map(|woken| times(woken));
        let _d = enter(&other, "10.0.0.4").unwrap();
        assert_eq!(woken(), [0, 1, 0], "the listener is full");
        let _e = enter(&other, "10.0.0.3").unwrap();
        assert_eq!(woken(), [0, 1, 1], "one place serves address and listener");
        assert_eq!(
            enter(&other, "10.0.0.4").unwrap_err(),
            ConnectionLimit::Address
        );
        assert!(admission.close_longest_idle(at(9)));
        assert_eq!(woken(), [1, 1, 1]);
        assert!(!admission.close_longest_idle(at(9)));
    }

    #[test]
    fn thousands_are_closed_in_the_order_of_their_idleness_and_nothing_stays_of_them() {
        let admission = admission(9_999, 9_999, 9_999);
        let listener = Arc::default();
        let start = Instant::now();
        let at = |us| start + Duration::from_micros(us);
        let held: Vec<_> = (0..2_000_u64)
            .map(|number| {
                let client = IpAddr::from([10, 0, 0, (number % 7) as u8]);
                let admitted = admission.enter(&listener, client, at(0), || 0).unwrap();
                let (place, woken) = kept(&admitted);
                // A permutation: 773 and 2,000 have no common divisor.
                place.mark_idle(at(number * 773 % 2_000));
                (admitted, place, woken)
            })
            .collect();
        for closed in 1..=2_000_u64 {
            assert!(
                admission.close_longest_idle(at(10_000 * closed)),
                "{closed}"
            );
            let told = |number: u64| times(&held[number as usize].2) == 1;
            let all = (0..2_000).filter(|number| told(*number)).count() as u64;
            assert_eq!(all, closed);
            assert!((0..2_000).all(|number| told(number) == (number * 773 % 2_000 < closed)));
        }
        drop(held);
        assert_eq!(admission.count(), 0);
        assert!(!admission.close_longest_idle(at(99_999_999)));
    }
}

#[test]
fn where_descriptors_are_short_idle_connections_make_room_for_requests() {
    let most = Most {
        descriptors: Some(4),
        ..Most::default()
    };
    let admission = Arc::new(Admission::new(most, Instant::now()));
    let now = Instant::now();
    let listener = Arc::default();
    let enter =
        |in_flight| admission.enter(&listener, IpAddr::from([10, 0, 0, 1]), now, || in_flight);
    let first = enter(99).unwrap();
    let _second = enter(99).unwrap();
    assert!(
        admission.has_descriptors(|| 99, now),
        "two connections may both have a request"
    );
    let _third = enter(1).unwrap();
    assert!(admission.has_descriptors(|| 1, now) && !admission.has_descriptors(|| 2, now));
    assert_eq!(enter(1).unwrap_err(), ConnectionLimit::Descriptors);
    let place = first.idle_place(std::task::Waker::noop().clone());
    assert!(!place.mark_idle(now));
    assert!(admission.has_descriptors(|| 2, now), "the idle one goes");
    assert!(place.mark_idle(now));
    assert!(!admission.has_descriptors(|| 2, now));
}
