use super::*;

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
    assert_eq!(settings.grace_period, Duration::from_secs(25));
    assert_eq!(settings.lame_duck, Duration::from_secs(5));
    assert_eq!(settings.pool_size, 128);
    assert_eq!(settings.limits, Limits::default());
}

#[test]
fn what_is_said_holds() {
    let config = MainConfig {
        threads: NonZeroUsize::new(1),
        proxy_address_http: Some(vec!["0.0.0.0:80".parse().unwrap()]),
        node_group: Some("edge".parse().unwrap()),
        max_hosts: Some(3),
        lame_duck: Some(Duration::ZERO),
        ..MainConfig::default()
    };
    let settings = settings(&config);
    assert_eq!(settings.threads.get(), 1);
    assert_eq!(settings.http, ["0.0.0.0:80".parse().unwrap()]);
    assert_eq!(settings.group.as_str(), "edge");
    assert_eq!(settings.limits.max_hosts, Some(3));
    assert_eq!(settings.lame_duck, Duration::ZERO);
}
