//! Every key of the two files is known: a key that this release does not support is refused for that reason, not as a misspelling.

use aralez_proto::document::{self, DocumentSet, NamedFiles, Surroundings};
use aralez_proto::main_config;
use bytes::Bytes;

/// Words in the refusal of a key whose feature this release does not have.
const LATER: [&str; 2] = ["not supported in this release", "not support yet"];

const EVERYWHERE: &str = "
to_https: true
rate_limit: 10
rate_limit: {requests: 10, per: 1s, burst: 5}
x4xx_limit: 10
headers: ['A:b']
client_headers: {set: {A: b}, append: {C: d}, remove: [E]}
server_headers: ['A:b']
authorization: none
authorization: {type: basic, creds: 'a:b'}
authorization: {type: basic, users: ['a:$2y$05$4uNBNnQ8RGEwmUP8GXRy1.UZ6KR/tlIyhmIP4hYk6RMRZlhFLlONy'], realm: x}
authorization: {type: basic, users_file: htpasswd}
authorization: {type: apikey, keys: [KEY, 'sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b']}
authorization: {type: jwt, data: secret}
authorization: {type: jwt, keys: [{kid: a, alg: HS256, key: x}], algorithms: [HS256], audience: a, issuer: b, claims: {sub: X-User}}
authorization: {type: jwt, keys: aralez}
authorization: {type: forward, url: 'http://127.0.0.1:1/', copy: ['Remote-*'], timeout: 2s}
compress: 'off'
compress: auto
allow: [10.0.0.0/8]
deny: [10.0.0.0/8]
deny: []
errors: {404: 404.html}
timeouts: {connect: 1s, first_byte: 1s, read: 1s, write: 1s, total: 0, idle: 1s}
max_body: 10MiB
";

const TOP_AND_PATH: &str = "
sticky_sessions: true
sticky_sessions: 600
balance: round_robin
balance: least_requests
balance: {hash: ip}
balance: {hash: uri}
balance: {hash: {header: X-User}}
balance: {hash: {cookie: user}}
on_empty: keep
on_empty: remove
retries: {attempts: 2, budget: 20%, on: [connect, reset, 503]}
health: {path: /, method: GET, interval: 2s, timeout: 1s, rise: 2, fall: 3, status: 200, jitter: 10%, type: http, slow_start: 10s, eject: {after: 5, for: 30s, most: 50%}, panic: 50%}
healthcheck: false
";

const TOP: &str = "
provider: file
provider: [file, consul]
consul: {servers: ['http://127.0.0.1:8500'], services: [{hostname: a.example, upstream: a, path: /, headers: ['A:b'], rate_limit: 1, to_https: true}], token: x, partition: a}
consul: {servers: ['http://127.0.0.1:8500'], token_file: x, token_env: X, ca: ca.pem, insecure: true, datacenter: dc, namespace: n, tags: [a]}
kubernetes: {servers: ['127.0.0.1:1'], tokenpath: x, kubeconfig: k, ingress_class: a, publish_address: a.example}
compat: aralez-0.9
trusted_proxies: [10.0.0.0/8]
x-anchors: {a: 1}
";

const HOST: &str = "
groups: [a]
client_ca: {ca: ca.pem, mode: optional}
override: true
";

const PATH: &str = "
match: {exact: true, methods: [GET], headers: {A: b, C: {regex: d}}, query: {a: b}}
strip_prefix: /a
add_prefix: /a
host: keep
host: a.example
max_in_flight: 10
tls: auto
tls: 'off'
tls: {verify: true, ca: ca.pem, sni: a.example, client_cert: a.pem, client_key: a.key}
http2: 'on'
";

const ACTIONS: &str = "
servers: ['127.0.0.1:1']
servers: ['a.example:1']
servers: ['unix:/run/a.sock']
servers: [{address: '127.0.0.1:1', weight: 2, backup: true}]
pools: [{weight: 1, servers: ['127.0.0.1:1']}, {weight: 9, servers: ['127.0.0.1:2']}]
redirect_to: https://a.example
redirect_to: {to: https://a.example, status: 308}
files: /srv
files: {folder: /srv, spa: true, precompressed: true}
respond: {status: 200, body: ok, type: text/plain}
";

const MAIN: &str = "
traces: {endpoint: 'http://127.0.0.1:4318', sample: 1%}
client_handshake_timeout: 10s
http2_max_streams: 128
config_api_hosts: [a.example]
auth_failures: 10/min
allow_routes_to_api: false
allow_routes_to_api: true
control_tls: {ca: ca.pem, certificate: a.pem, key: a.key}
control_advertise: ['a.example:3003']
history: {keep: 1000, for: 90d}
join_token_file: /etc/token
max_api_connections: 256
proxy_protocol_from: [10.0.0.0/8]
log_file: {path: /var/log/a, size: 10MiB, keep: 3, compress: true}
";

fn lines(texts: &[&'static str]) -> Vec<&'static str> {
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The content of every file: a user, who is also long enough as a secret.
const CONTENT: &str = "ann:$2y$05$4uNBNnQ8RGEwmUP8GXRy1.UZ6KR/tlIyhmIP4hYk6RMRZlhFLlONy\n";

/// Reads a document next to which every file exists that it names.
fn said_of(text: &str) -> Vec<String> {
    let set = DocumentSet::of_main(text.to_owned().into());
    let files = NamedFiles::collect(&document::named_files(&set), |_| Ok(Bytes::from(CONTENT)));
    let set = set.with_files(files);
    match document::read(&set, &Surroundings::default()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that a line has no faults, except for features that this release does not have.
#[track_caller]
fn known(line: &str, said: &[String]) {
    // Servers that are host names have a refusal with other words: they are not resolved yet.
    let later = |fault: &String| {
        LATER.iter().any(|words| fault.contains(words))
            || fault.contains("are not resolved in this release")
    };
    assert!(said.iter().all(later), "{line}: {said:#?}");
}

#[test]
fn every_key_of_upstreams_yaml_is_known_in_its_scopes() {
    let route = "servers: ['127.0.0.1:1']";
    for line in lines(&[EVERYWHERE, TOP_AND_PATH, TOP]) {
        let text = format!("{line}\na.example:\n  paths:\n    /:\n      {route}\n");
        known(line, &said_of(&text));
    }
    for line in lines(&[EVERYWHERE, HOST]) {
        let text = format!("a.example:\n  {line}\n  paths:\n    /:\n      {route}\n");
        known(line, &said_of(&text));
    }
    for line in lines(&[EVERYWHERE, TOP_AND_PATH, PATH]) {
        let text = format!("a.example:\n  paths:\n    /a:\n      {route}\n      {line}\n");
        known(line, &said_of(&text));
    }
    for line in lines(&[ACTIONS]) {
        let text = format!("a.example:\n  paths:\n    /:\n      {line}\n");
        known(line, &said_of(&text));
    }
    let routes = "a.example:\n  paths:\n    /:\n      - match: {methods: [GET]}\n        servers: ['127.0.0.1:1']\n";
    assert_eq!(said_of(routes), Vec::<String>::new());
}

#[test]
fn every_key_of_main_yaml_that_does_nothing_yet_is_known() {
    for line in lines(&[MAIN]) {
        let said: Vec<_> = match main_config::read("main.yaml", line.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
        };
        known(line, &said);
    }
}

#[test]
fn what_limits_or_protects_is_refused_as_not_enforced_and_never_passed_over() {
    let at_the_path = [
        ("max_in_flight: 10", "max_in_flight"),
        ("compress: auto", "compress"),
        ("on_empty: remove", "on_empty"),
    ];
    for (line, key) in at_the_path {
        let text =
            format!("a.example:\n  paths:\n    /:\n      servers: ['127.0.0.1:1']\n      {line}\n");
        let said = said_of(&text);
        let reason = format!("{key} is not supported in this release; remove it");
        assert!(said.len() == 1 && said[0].ends_with(&reason), "{said:?}");
    }
}
