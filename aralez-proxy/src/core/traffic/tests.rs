use std::time::Duration;

use super::*;

#[test]
fn a_request_is_in_flight_until_its_guard_drops() {
    let tally = Arc::new(Tally::default());
    let first = tally.enter();
    let second = tally.enter();
    assert_eq!(tally.in_flight(), 2);
    drop(first);
    drop(second);
    assert_eq!(tally.in_flight(), 0);
}

#[test]
fn a_panicking_request_is_no_longer_in_flight() {
    let tally = Arc::new(Tally::default());
    let inside = Arc::clone(&tally);
    let outcome = std::panic::catch_unwind(move || {
        let _request = inside.enter();
        panic!("a handler failed");
    });
    assert!(outcome.is_err());
    assert_eq!(tally.in_flight(), 0);
}

#[test]
fn unknown_methods_share_one_count_so_that_clients_cannot_make_series() {
    let tally = Tally::default();
    tally.request("GET", "HTTP/1.1");
    tally.request("BREW", "HTTP/1.1");
    tally.request("WHEN", "HTTP/9");
    let methods: Vec<_> = tally.by_method().filter(|(_, n)| *n > 0).collect();
    assert_eq!(methods, [("GET", 1), ("OTHER", 2)]);
    assert_eq!(tally.requests(), 3);
}

#[test]
fn only_statuses_that_were_sent_are_listed() {
    let tally = Tally::default();
    for status in [200, 200, 503, 599, 600, 999, 0, 1000] {
        tally.response(status);
    }
    let listed: Vec<_> = tally.by_status().collect();
    assert_eq!(listed, [(200, 2), (503, 1), (599, 1), (600, 1), (999, 1)]);
    assert_eq!(tally.responses_5xx(), 2);
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

#[test]
fn the_sum_is_what_all_threads_counted() {
    let traffic = Traffic::default();
    let [one, other] = [traffic.tally(), traffic.tally()];
    let _running = [one.enter(), other.enter()];
    for tally in [&one, &other, &other] {
        tally.request("GET", "HTTP/1.1");
        tally.response(200);
        tally.event(TrafficEvent::Retry);
        tally.request_latency.observe(Duration::from_millis(1));
        tally.response_latency.observe(Duration::from_secs(9));
        tally.connections.deadline(Deadline::Head);
    }
    let sum = traffic.sum();
    assert_eq!((sum.requests(), sum.events(TrafficEvent::Retry)), (3, 3));
    assert_eq!((sum.in_flight(), traffic.in_flight()), (2, 2));
    assert_eq!(sum.by_status().collect::<Vec<_>>(), [(200, 3)]);
    assert_eq!(sum.request_latency.buckets()[0].1, 3);
    assert!((sum.response_latency.sum() - 27.0).abs() < 1e-9);
    assert!(
        sum.connections
            .by_deadline()
            .any(|count| count == ("head", 3))
    );
}
