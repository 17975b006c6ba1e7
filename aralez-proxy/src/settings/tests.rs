use std::time::Duration;

use super::*;
use crate::core::limits::HeadLimits;

fn settings(config: &MainConfig) -> Settings {
    let node = "edge-1".parse().unwrap();
    Settings::new(
        config,
        Path::new("/state"),
        node,
        NonZeroUsize::new(4).unwrap(),
    )
}

#[test]
fn nothing_said_means_the_documented_defaults() {
    let settings = settings(&MainConfig::default());
    assert_eq!(settings.threads.get(), 4);
    assert_eq!(settings.http, ["127.0.0.1:6193".parse().unwrap()]);
    assert_eq!(settings.admin, "127.0.0.1:3004".parse().unwrap());
    let socket = ControlAddress::Unix("/state/control.sock".into());
    assert_eq!(settings.control_servers, [socket]);
    assert_eq!(settings.group.as_str(), "default");
    assert_eq!(settings.state_dir, Path::new("/state/proxy-edge-1"));
    assert_eq!(settings.phases.grace_period, Duration::from_secs(25));
    assert_eq!(settings.phases.lame_duck, Duration::from_secs(5));
    assert_eq!(
        (settings.pool.idle, settings.pool.idle_per_endpoint),
        (128, 128)
    );
    assert_eq!(settings.client, ClientLimits::default());
    assert_eq!(settings.limits, Limits::default());
}

#[test]
fn what_is_said_holds() {
    let config = MainConfig {
        threads: NonZeroUsize::new(1),
        proxy_address_http: "0.0.0.0:80".parse::<SocketAddr>().unwrap().into(),
        node_group: "edge".parse().unwrap(),
        max_hosts: Some(3),
        lame_duck: Duration::ZERO,
        ..MainConfig::default()
    };
    let settings = settings(&config);
    assert_eq!(settings.threads.get(), 1);
    assert_eq!(settings.http, ["0.0.0.0:80".parse().unwrap()]);
    assert_eq!(settings.group.as_str(), "edge");
    assert_eq!(settings.limits.max_hosts, Some(3));
    assert_eq!(settings.phases.lame_duck, Duration::ZERO);
}

#[test]
fn clients_have_the_documented_limits_where_nothing_is_said() {
    let limits = ClientLimits::default();
    let seconds = Duration::from_secs;
    assert_eq!((limits.header, limits.body), (seconds(10), seconds(30)));
    assert_eq!((limits.write, limits.idle), (seconds(60), seconds(75)));
    assert_eq!(
        (limits.tunnel_idle, limits.linger),
        (seconds(3_600), seconds(5))
    );
    assert_eq!((limits.body_min_rate, limits.requests), (100, 1_000));
    assert_eq!(limits.connections, NonZeroUsize::new(50_000));
    assert_eq!(limits.connections_per_listener, NonZeroUsize::new(10_000));
    assert_eq!(limits.connections_per_address, NonZeroUsize::new(256));
    let head = (limits.head.bytes, limits.head.fields, limits.head.target);
    assert_eq!(head, (65_536, 100, 8_192));
}

#[test]
fn the_limits_of_clients_and_endpoints_are_as_said() {
    let said = Duration::from_secs(7);
    let config = MainConfig {
        client_header_timeout: said,
        client_body_timeout: said,
        client_body_min_rate: 0,
        client_write_timeout: said,
        client_idle_timeout: said,
        client_requests: 1,
        tunnel_idle_timeout: said,
        tunnel_grace: Some(said),
        client_linger: said,
        max_connections: None,
        max_connections_per_listener: None,
        max_connections_per_address: NonZeroUsize::new(3),
        client_defer_accept: false,
        max_head: 2_048,
        max_fields: 5,
        max_target: 64,
        upstream_keepalive_pool_size: 9,
        upstream_keepalive_per_endpoint: 0,
        ..MainConfig::default()
    };
    let settings = settings(&config);
    let limit = Duration::from_secs(7);
    let expected = ClientLimits {
        header: limit,
        body: limit,
        body_min_rate: 0,
        write: limit,
        idle: limit,
        requests: 1,
        tunnel_idle: limit,
        tunnel_grace: Some(limit),
        linger: limit,
        connections: None,
        connections_per_listener: None,
        connections_per_address: NonZeroUsize::new(3),
        defer_accept: false,
        head: HeadLimits {
            bytes: 2_048,
            fields: 5,
            target: 64,
        },
    };
    assert_eq!(settings.client, expected);
    let pool = PoolLimits {
        idle: 9,
        idle_per_endpoint: 0,
    };
    assert_eq!(settings.pool, pool);
}

#[test]
fn a_small_head_holds_no_target_longer_than_itself() {
    let config = MainConfig {
        max_head: 4_096,
        ..MainConfig::default()
    };
    assert_eq!(settings(&config).client.head.target, 4_096);
}
