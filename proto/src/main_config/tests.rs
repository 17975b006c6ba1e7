use super::*;

fn faults(text: &str) -> String {
    read("main.yaml", text.as_bytes())
        .expect_err("faulty")
        .to_string()
}

#[test]
fn the_documented_file_loads_unchanged() {
    let text = include_bytes!("../../../deploy/samples/main.yaml");
    let config = read("main.yaml", text).expect("no fault");
    assert_eq!(config.threads.map(NonZeroUsize::get), Some(12));
    assert_eq!(
        config.proxy_address_http,
        Some(vec!["0.0.0.0:6193".parse().unwrap()])
    );
    assert_eq!(
        config.proxy_address_tls,
        Some(vec!["0.0.0.0:6194".parse().unwrap()])
    );
}

#[test]
fn every_fault_of_main_yaml_is_told_at_once_with_its_place() {
    let text = "\
threads: 0
config_adress: 127.0.0.1:3000
config_address: localhost:3000
proxy_address_http: [\"0.0.0.0:70000\", \"0.0.0.0:0\", \"0.0.0.0\", \"::1:80\"]
proxy_tls_grade: a+
daemon: yes
log_level: verbose
grace_period: soon
max_snapshot: 64 KiX
runuser: nobody
tls_certificate: x.pem
config_tls_address: 0.0.0.0:3001
control_address: 0.0.0.0:3003
control_servers: [/run/x.sock]
join_token_file: /etc/token
node_id: \"a b\"
state_dir: [a]
";
    assert_eq!(
        faults(text),
        "\
main.yaml:1:10: threads: expected a whole number, from 1 to 4096, found 0
main.yaml:2:1: config_adress: `config_adress` is not a key in main.yaml (did you mean `config_address`?)
main.yaml:3:17: config_address: `localhost:3000` is not ADDR:PORT: a host name is not an address (did you mean 127.0.0.1?)
main.yaml:4:22: proxy_address_http[0]: `0.0.0.0:70000` is not ADDR:PORT: a port is 1 to 65535
main.yaml:4:39: proxy_address_http[1]: `0.0.0.0:0` is not ADDR:PORT: a port is 1 to 65535
main.yaml:4:52: proxy_address_http[2]: `0.0.0.0` is not ADDR:PORT: the port is missing
main.yaml:4:63: proxy_address_http[3]: `::1:80` is not ADDR:PORT: an IPv6 address stands in brackets before its port, as [::1]:80
main.yaml:5:18: proxy_tls_grade: expected one of high, medium, unsafe, found `a+`
main.yaml:6:9: daemon: expected true or false, found `yes` (did you mean `true`?)
main.yaml:7:12: log_level: expected one of trace, debug, info, warn, error, off, found `verbose`
main.yaml:8:15: grace_period: `soon` is not a duration, as 30s, 500ms, 10m or a number of seconds
main.yaml:9:15: max_snapshot: `64 KiX` is not a size, as 65536, 64KiB, 10MiB or 1GiB
main.yaml:10:10: runuser: needs `rungroup` beside it
main.yaml:11:1: tls_certificate: `tls_certificate` is not a key in main.yaml (did you mean `config_tls_certificate`?)
main.yaml:12:21: config_tls_address: needs `config_tls_certificate` and `config_tls_key_file` beside it
main.yaml:13:18: control_address: `0.0.0.0:3003` needs mTLS, which this release does not have yet; use unix:PATH
main.yaml:14:19: control_servers[0]: expected unix:PATH, found `/run/x.sock` (did you mean `unix:/run/x.sock`?)
main.yaml:15:18: join_token_file: enrolment needs mTLS, which this release does not have yet; remove it to go on
main.yaml:16:10: node_id: \"a b\" is not a node name: 1 to 128 letters, digits, '-', '_' and '.'
main.yaml:17:12: state_dir: expected a path, found a list"
    );
}

#[test]
fn keys_that_do_nothing_yet_load_and_are_named() {
    let text = "hc_method: get\naccess_log: off\nproxy_tls_unsafe: true\nproxy_tls_grade: UNSAFE\n";
    let idle: Vec<String> = read("main.yaml", text.as_bytes())
        .expect("no fault")
        .idle
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        idle,
        [
            "main.yaml:1:12: hc_method: does nothing in this release",
            "main.yaml:3:19: proxy_tls_unsafe: does nothing in this release",
            "main.yaml:4:18: proxy_tls_grade: does nothing in this release",
        ]
    );
}

#[test]
fn an_empty_file_says_nothing() {
    for text in ["", "# nothing\n", "---\n", "~", "\u{feff}"] {
        let config = read("main.yaml", text.as_bytes()).expect("no fault");
        assert!(
            config.threads.is_none() && config.idle.is_empty(),
            "{text:?}"
        );
    }
}

#[test]
fn durations_and_sizes_read_as_documented() {
    let text = "grace_period: 500ms\nlame_duck: 10m\nmax_snapshot: 64KiB\nmax_hosts: 7\ncontrol_address: unix:/run/c.sock\n";
    let config = read("main.yaml", text.as_bytes()).expect("no fault");
    assert_eq!(config.grace_period, Some(Duration::from_millis(500)));
    assert_eq!(config.lame_duck, Some(Duration::from_secs(600)));
    assert_eq!(config.max_snapshot, Some(65_536));
    assert_eq!(config.max_hosts, Some(7));
    let socket = ControlAddress::Unix(PathBuf::from("/run/c.sock"));
    assert_eq!(config.control_address, Some(socket));
}

#[test]
fn the_key_is_never_shown() {
    let config = read("main.yaml", b"master_key: hunter2\n").expect("no fault");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!faults("master_key: [hunter2]\n").contains("hunter2"));
}
