use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::reading::KeySet;

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
    let address = |text: &str| OneOrMany::from(text.parse::<SocketAddr>().unwrap());
    assert_eq!(config.proxy_address_http, address("0.0.0.0:6193"));
    assert_eq!(config.proxy_address_tls, Some(address("0.0.0.0:6194")));
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
main.yaml:1:10: threads: expected a whole number from 1 to 4096, found 0
main.yaml:2:1: config_adress: unknown key `config_adress` in main.yaml (did you mean `config_address`?)
main.yaml:3:17: config_address: `localhost:3000` is not ADDR:PORT: a host name is not an address (did you mean 127.0.0.1?)
main.yaml:4:22: proxy_address_http[0]: `0.0.0.0:70000` is not ADDR:PORT: the port is out of range (1 to 65535)
main.yaml:4:39: proxy_address_http[1]: `0.0.0.0:0` is not ADDR:PORT: the port is out of range (1 to 65535)
main.yaml:4:52: proxy_address_http[2]: `0.0.0.0` is not ADDR:PORT: the port is missing
main.yaml:4:63: proxy_address_http[3]: `::1:80` is not ADDR:PORT: an IPv6 address must be in brackets, such as [::1]:80
main.yaml:5:18: proxy_tls_grade: expected one of high, medium, unsafe, found `a+`
main.yaml:6:9: daemon: expected true or false, found `yes` (did you mean `true`?)
main.yaml:7:12: log_level: expected one of trace, debug, info, warn, error, off, found `verbose`
main.yaml:8:15: grace_period: `soon` is not a duration (e.g. 30s, 500ms, 10m, or a number of seconds)
main.yaml:9:15: max_snapshot: `64 KiX` is not a size (e.g. 65536, 64KiB, 10MiB or 1GiB)
main.yaml:10:10: runuser: requires `rungroup`
main.yaml:11:1: tls_certificate: unknown key `tls_certificate` in main.yaml (did you mean `config_tls_certificate`?)
main.yaml:12:21: config_tls_address: requires `config_tls_certificate` and `config_tls_key_file`
main.yaml:13:18: control_address: `0.0.0.0:3003` requires mTLS, which this release does not support yet; use unix:PATH
main.yaml:14:19: control_servers[0]: expected unix:PATH, found `/run/x.sock` (did you mean `unix:/run/x.sock`?)
main.yaml:15:18: join_token_file: enrolment requires mTLS, which this release does not support yet; remove the key
main.yaml:16:10: node_id: \"a b\" is not a node name: expected 1 to 128 letters, digits, '-', '_' and '.'
main.yaml:17:12: state_dir: expected a path, found a list"
    );
}

// Row C2: keys of later releases.
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
            "main.yaml:1:12: hc_method: has no effect in this release",
            "main.yaml:3:19: proxy_tls_unsafe: has no effect in this release",
            "main.yaml:4:18: proxy_tls_grade: has no effect in this release",
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
    assert_eq!(config.grace_period, Duration::from_millis(500));
    assert_eq!(config.lame_duck, Duration::from_secs(600));
    assert_eq!(config.max_snapshot, Some(65_536));
    assert_eq!(config.max_hosts, Some(7));
    let socket = ControlAddress::Unix(PathBuf::from("/run/c.sock"));
    assert_eq!(config.control_address, Some(socket));
}

#[test]
fn the_limits_of_clients_read_as_documented() {
    let text = "\
client_header_timeout: 5s
client_body_timeout: 500ms
client_body_min_rate: 1KiB
client_write_timeout: 1m
client_idle_timeout: 75
client_requests: 1
client_defer_accept: false
tunnel_idle_timeout: 2h
tunnel_grace: 10s
client_linger: 2s
max_connections: 0
max_connections_per_listener: 20
max_connections_per_address: 3
max_head: 16KiB
max_fields: 64
max_target: 16KiB
upstream_keepalive_per_endpoint: 0
";
    let config = read("main.yaml", text.as_bytes()).expect("no fault");
    let seconds = Duration::from_secs;
    assert_eq!(config.client_header_timeout, seconds(5));
    assert_eq!(config.client_body_timeout, Duration::from_millis(500));
    assert_eq!(config.client_body_min_rate, 1_024);
    assert_eq!(config.client_write_timeout, seconds(60));
    assert_eq!(config.client_idle_timeout, seconds(75));
    assert_eq!(config.client_requests, 1);
    assert_eq!(config.tunnel_idle_timeout, seconds(7_200));
    assert_eq!(config.tunnel_grace, Some(seconds(10)));
    assert_eq!(config.client_linger, seconds(2));
    assert_eq!(config.max_connections, None);
    assert_eq!(config.max_connections_per_listener, NonZeroUsize::new(20));
    assert_eq!(config.max_connections_per_address, NonZeroUsize::new(3));
    assert!(!config.client_defer_accept);
    let head = (config.max_head, config.max_fields, config.max_target);
    assert_eq!(head, (16_384, 64, 16_384));
    assert_eq!(config.upstream_keepalive_per_endpoint, 0);
}

/// Each default is a valid value of its key, and a file that sets all of them equals an empty file.
#[test]
fn an_empty_file_is_the_file_of_all_defaults() {
    let keys = keys::MainKeys::keys();
    let written = keys.iter().filter_map(|key| {
        let default = key.default?;
        Some(format!("{}: {default}\n", key.name))
    });
    let written: String = written.collect();
    assert!(written.contains("client_idle_timeout: 75s\n"), "{written}");
    let read = read("main.yaml", written.as_bytes()).expect("no fault");
    assert_eq!(format!("{read:?}"), format!("{:?}", MainConfig::default()));
}

#[test]
fn a_key_is_owned_once() {
    let mut owned: Vec<_> = keys::OWNERS.iter().map(|(key, ..)| *key).collect();
    let mut known: Vec<_> = keys::MainKeys::keys().iter().map(|key| key.name).collect();
    owned.sort_unstable();
    known.sort_unstable();
    assert_eq!(owned, known);
}

#[test]
fn limits_of_clients_that_make_no_sense_are_told_with_their_reason() {
    let text = "\
client_header_timeout: 0
client_body_timeout: 0s
client_write_timeout: 0.2ms
client_idle_timeout: never
tunnel_idle_timeout: 0h
client_body_min_rate: fast
client_requests: 0
max_connections: -1
max_connections_per_listener: 4294967296
max_connections_per_address: few
max_head: 1000
max_fields: 0
max_target: 1MiB
upstream_keepalive_per_endpoint: 100001
";
    let zero = "this limit cannot be disabled: zero would close every connection immediately; expected 1ms or more, such as 30s";
    let expected = format!(
        "\
main.yaml:1:24: client_header_timeout: {zero}
main.yaml:2:22: client_body_timeout: {zero}
main.yaml:3:23: client_write_timeout: {zero}
main.yaml:4:22: client_idle_timeout: `never` is not a duration (e.g. 30s, 500ms, 10m, or a number of seconds)
main.yaml:5:22: tunnel_idle_timeout: {zero}
main.yaml:6:23: client_body_min_rate: `fast` is not a size (e.g. 65536, 64KiB, 10MiB or 1GiB)
main.yaml:7:18: client_requests: expected a whole number from 1 to 4294967295, found 0
main.yaml:8:18: max_connections: expected a whole number from 0 to 4294967295, found -1
main.yaml:9:31: max_connections_per_listener: expected a whole number from 0 to 4294967295, found 4294967296
main.yaml:10:30: max_connections_per_address: expected a whole number, found a string
main.yaml:11:11: max_head: expected a size from 1KiB to 1MiB, found 1000
main.yaml:12:13: max_fields: expected a whole number from 1 to 1000, found 0
main.yaml:13:13: max_target: expected a size from 64 to 64KiB, found 1MiB
main.yaml:14:34: upstream_keepalive_per_endpoint: expected a whole number from 0 to 100000, found 100001"
    );
    assert_eq!(faults(text), expected);
    assert_eq!(
        faults("max_target: 5KiB\nmax_head: 4KiB\n"),
        "main.yaml:1:13: max_target: is 5KiB, which exceeds `max_head` (4KiB): the target is part of the head"
    );
    assert_eq!(
        faults("tunnel_grace: 1m\ngrace_period: 25s\nclient_linger: 0\n"),
        format!(
            "main.yaml:1:15: tunnel_grace: is 60s, which exceeds `grace_period` (25s), at whose end the process exits\n\
             main.yaml:3:16: client_linger: {zero}"
        )
    );
}

#[test]
fn the_key_is_never_shown() {
    let config = read("main.yaml", b"master_key: hunter2\n").expect("no fault");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!faults("master_key: [hunter2]\n").contains("hunter2"));
}

#[test]
fn a_value_that_this_machine_cannot_use_is_a_fault_at_its_place() {
    let text = b"threads: 2\nfile_server_folder: /srv/none\nfile_server_address: 127.0.0.1:3002\n";
    let config = read("main.yaml", text).expect("no fault");
    assert_eq!(config.file_server_folder, Some(PathBuf::from("/srv/none")));
    let fault = fault_of("main.yaml", text, "file_server_folder", "no".to_owned());
    assert_eq!(fault.to_string(), "main.yaml:2:21: file_server_folder: no");
}

#[test]
fn a_file_server_has_a_folder_and_an_address() {
    assert_eq!(
        faults("file_server_folder: /srv\n"),
        "main.yaml:1:21: file_server_folder: requires `file_server_address`"
    );
    assert_eq!(
        faults("file_server_address: 127.0.0.1:3002\n"),
        "main.yaml:1:22: file_server_address: requires `file_server_folder`"
    );
}
