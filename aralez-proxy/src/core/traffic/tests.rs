use super::*;

#[test]
fn a_request_is_in_flight_until_its_guard_drops() {
    let traffic = Arc::new(Traffic::default());
    let first = traffic.enter();
    let second = traffic.enter();
    assert_eq!(traffic.in_flight(), 2);
    drop(first);
    drop(second);
    assert_eq!(traffic.in_flight(), 0);
}

#[test]
fn a_panicking_request_is_no_longer_in_flight() {
    let traffic = Arc::new(Traffic::default());
    let inside = Arc::clone(&traffic);
    let outcome = std::panic::catch_unwind(move || {
        let _request = inside.enter();
        panic!("a handler failed");
    });
    assert!(outcome.is_err());
    assert_eq!(traffic.in_flight(), 0);
}

#[test]
fn unknown_methods_share_one_count_so_that_clients_cannot_make_series() {
    let traffic = Traffic::default();
    traffic.request("GET", "HTTP/1.1");
    traffic.request("BREW", "HTTP/1.1");
    traffic.request("WHEN", "HTTP/9");
    let methods: Vec<_> = traffic.by_method().filter(|(_, n)| *n > 0).collect();
    assert_eq!(methods, [("GET", 1), ("OTHER", 2)]);
    assert_eq!(traffic.requests(), 3);
}

#[test]
fn only_statuses_that_were_sent_are_listed() {
    let traffic = Traffic::default();
    for status in [200, 200, 503, 599, 0, 1000] {
        traffic.response(status);
    }
    let listed: Vec<_> = traffic.by_status().collect();
    assert_eq!(listed, [(200, 2), (503, 1), (599, 1)]);
    assert_eq!(traffic.responses_5xx(), 2);
}

#[test]
fn a_time_counts_in_the_first_bucket_that_holds_it() {
    let times = Histogram::new(&RESPONSE_BOUNDS);
    times.observe(Duration::from_millis(10));
    times.observe(Duration::from_millis(11));
    times.observe(Duration::from_secs(60));
    let counted: Vec<u64> = times
        .buckets()
        .into_iter()
        .map(|(_, count)| count)
        .collect();
    assert_eq!(counted, [1, 1, 0, 0, 0, 0, 0, 0, 1]);
    assert!((times.sum() - 60.021).abs() < 1e-9);
}
