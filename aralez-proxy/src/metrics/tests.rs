use super::*;

fn page(traffic: &Arc<Traffic>) -> String {
    let mut text = String::new();
    let registry = registry(Observed {
        traffic: Arc::clone(traffic),
        live: Arc::new(Live::new(std::time::Instant::now())),
        limit_keys: Box::new(|| 0),
        connected: Box::new(|| true),
    });
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

#[test]
fn the_documented_names_are_there() {
    let traffic = Arc::new(Traffic::default());
    let tally = traffic.tally();
    tally.request("GET", "HTTP/1.1");
    tally.response(200);
    tally
        .request_latency
        .observe(std::time::Duration::from_millis(7));
    tally
        .response_latency
        .observe(std::time::Duration::from_millis(7));
    let page = page(&traffic);
    assert!(page.contains("aralez_snapshot_info{generation=\"0\",revision=\"0\",authored_root=\""));
    for line in [
        "aralez_requests_total 1",
        "aralez_responses_total{status=\"200\"} 1",
        "aralez_requests_by_method_total{method=\"GET\"} 1",
        "aralez_requests_by_version_total{version=\"HTTP/1.1\"} 1",
        "aralez_errors_total 0",
        "aralez_request_latency_seconds_bucket{le=\"0.005\"} 0",
        "aralez_request_latency_seconds_bucket{le=\"0.01\"} 1",
        "aralez_request_latency_seconds_bucket{le=\"+Inf\"} 1",
        "aralez_response_latency_seconds_count 1",
        "aralez_snapshot_source{source=\"none\"} 1",
        "aralez_snapshot_source{source=\"stream\"} 0",
        "aralez_control_connected 1",
        "aralez_limit_keys 0",
        "aralez_refusals_total{reason=\"rate_limit\"} 0",
        "aralez_refusals_total{reason=\"x4xx_limit\"} 0",
        "aralez_refusals_total{reason=\"body_too_large\"} 0",
    ] {
        assert!(
            page.lines().any(|shown| shown == line),
            "{line} is not in\n{page}"
        );
    }
}

#[test]
fn what_the_engine_refuses_waits_for_and_turns_away_is_shown_by_reason() {
    use crate::core::request::http1::RequestRefusal;
    use crate::core::request::http1::response::BadResponse;
    use crate::core::traffic::{ConnectionLimit, ConnectionState, Deadline};
    let traffic = Arc::new(Traffic::default());
    let tally = traffic.tally();
    let connections = &tally.connections;
    let _tunnel = connections.enter(ConnectionState::Tunnel);
    connections.refuse(RequestRefusal::HostMissing);
    connections.bad_response(BadResponse::Switch);
    connections.deadline(Deadline::BodyRate);
    connections.turn_away(ConnectionLimit::Address);
    tally.event(TrafficEvent::UnexpectedData);
    let page = page(&traffic);
    for line in [
        "aralez_client_connections{state=\"tunnel\"} 1",
        "aralez_client_connections{state=\"idle\"} 0",
        "aralez_client_connections_refused_total{limit=\"address\"} 1",
        "aralez_refusals_total{reason=\"host_missing\"} 1",
        "aralez_bad_responses_total{reason=\"switch\"} 1",
        "aralez_deadline_closes_total{kind=\"body_rate\"} 1",
        "aralez_endpoint_unexpected_data_total 1",
        "aralez_endpoint_stale_total 0",
        "aralez_truncated_total 0",
        "aralez_client_connections_accepted_total 0",
    ] {
        assert!(
            page.lines().any(|shown| shown == line),
            "{line} is not in\n{page}"
        );
    }
}
