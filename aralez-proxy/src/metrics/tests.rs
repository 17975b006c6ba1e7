use super::*;

fn page(traffic: &Arc<Traffic>) -> String {
    let mut text = String::new();
    let registry = registry(Observed {
        traffic: Arc::clone(traffic),
        live: Arc::new(Live::new(std::time::Instant::now())),
        connected: Box::new(|| true),
    });
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

#[test]
fn the_documented_names_are_there() {
    let traffic = Arc::new(Traffic::default());
    traffic.request("GET", "HTTP/1.1");
    traffic.response(200);
    traffic
        .request_latency
        .observe(std::time::Duration::from_millis(7));
    traffic
        .response_latency
        .observe(std::time::Duration::from_millis(7));
    let page = page(&traffic);
    assert!(page.contains("aralez_snapshot_info{generation=\"0\",revision=\"0\",root=\""));
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
    ] {
        assert!(
            page.lines().any(|shown| shown == line),
            "{line} is not in\n{page}"
        );
    }
}
