//! Bad documents, each with the exact text of its faults.

use super::*;
use crate::model::Forbidden;

pub(super) fn faults(text: &str) -> String {
    read_main(text).expect_err("faulty").to_string()
}

#[test]
fn unknown_keys_say_what_was_meant_or_where_they_belong() {
    let text = "\
sticky_session: true
servers: []
examle.com: {path: {}}
a.example:
  servers: ['127.0.0.1:1']
  colour: red
  paths:
    /:
      server: ['127.0.0.1:1']
      servers: ['127.0.0.1:1']
      groups: [a]
      provider: file
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:1:1: sticky_session: unknown key `sticky_session` at the top (did you mean `sticky_sessions`?)
upstreams.yaml:2:1: servers: belongs at a path, not at the top
upstreams.yaml:3:14: examle.com.path: unknown key `path` at a host (did you mean `paths`?)
upstreams.yaml:5:3: a.example.servers: belongs at a path, not at a host
upstreams.yaml:6:3: a.example.colour: unknown key `colour` at a host
upstreams.yaml:9:7: a.example.paths./.server: unknown key `server` at a path (did you mean `servers`?)
upstreams.yaml:11:7: a.example.paths./.groups: belongs at a host, not at a path
upstreams.yaml:12:7: a.example.paths./.provider: belongs at the top, not at a path"
    );
}

#[test]
fn wrong_types_say_what_was_expected_and_found() {
    let text = "\
provider: [file, etcd]
to_https: \"true\"
headers: X-A:1
timeouts: {connect: [], reed: 1s, total: 5 parsecs}
compat: aralez-0.8
upstreams:
  b.example: {}
  a.example:
    to_https: on
    override: 1
    groups: []
    paths: [1]
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:1:18: provider[1]: unknown provider `etcd`; known providers: file, consul, kubernetes
upstreams.yaml:2:11: to_https: expected true or false, found a quoted string (remove the quotes)
upstreams.yaml:3:10: headers: expected a list of `Name:value`, or a map of set, append, remove, found a string
upstreams.yaml:4:21: timeouts.connect: expected a duration (e.g. 30s, 500ms, 10m, or a number of seconds), found a list
upstreams.yaml:4:25: timeouts.reed: unknown key `reed` in timeouts (did you mean `read`?)
upstreams.yaml:4:42: timeouts.total: `5 parsecs` is not a duration (e.g. 30s, 500ms, 10m, or a number of seconds)
upstreams.yaml:5:9: compat: expected one of aralez-0.9, found `aralez-0.8` (did you mean `aralez-0.9`?)
upstreams.yaml:7:3: upstreams.b.example: a host needs `paths`
upstreams.yaml:9:15: upstreams.a.example.to_https: expected true or false, found `on` (did you mean `true`?)
upstreams.yaml:10:15: upstreams.a.example.override: expected true or false, found `1` (did you mean `true`?)
upstreams.yaml:11:13: upstreams.a.example.groups: is empty; remove the key to serve the host in all groups
upstreams.yaml:12:12: upstreams.a.example.paths: expected a map of paths, found a list"
    );
}

// Row S42: servers.
#[test]
fn servers_that_cannot_be_reached_are_refused_one_by_one() {
    let text = "\
a.example:
  paths:
    /:
      servers:
        - 127.0.0.1:0
        - 127.0.0.1:70000
        - 127.0.0.1
        - ::1:80
        - backend.example:80
        - unix:run/app.sock
        - http://127.0.0.1:80/
        - 0.0.0.0:80
        - 127.0.0.1:80
        - {address: '127.0.0.1:80', weight: 2, backup: true}
        - {weight: 0}
        - [x]
    /none: {servers: []}
    /null: {to_https: true}
    /two: {servers: ['127.0.0.1:1'], files: /srv}
    /files: {files: srv/www}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:5:11: a.example.paths./.servers[0]: \"127.0.0.1:0\" is not ip:port: the port is out of range (1 to 65535)
upstreams.yaml:6:11: a.example.paths./.servers[1]: \"127.0.0.1:70000\" is not ip:port: the port is out of range (1 to 65535)
upstreams.yaml:7:11: a.example.paths./.servers[2]: \"127.0.0.1\" is not ip:port: the port is missing
upstreams.yaml:8:11: a.example.paths./.servers[3]: \"::1:80\" is not ip:port: an IPv6 address must be in brackets, such as [::1]:80
upstreams.yaml:9:11: a.example.paths./.servers[4]: `backend.example:80`: host names are not resolved in this release; write the IP address of \"backend.example\"
upstreams.yaml:10:11: a.example.paths./.servers[5]: `unix:run/app.sock` is not unix:PATH: the path is relative (did you mean `unix:/run/app.sock`?)
upstreams.yaml:11:11: a.example.paths./.servers[6]: `http://127.0.0.1:80/` is a URL; write ip:port without `http://` (did you mean `127.0.0.1:80`?)
upstreams.yaml:12:11: a.example.paths./.servers[7]: \"0.0.0.0:80\" is not ip:port: the unspecified address cannot be connected to
upstreams.yaml:14:11: a.example.paths./.servers[9]: duplicate server 127.0.0.1:80, already listed at 13:11
upstreams.yaml:14:45: a.example.paths./.servers[9].weight: weight is not supported in this release; remove it
upstreams.yaml:14:56: a.example.paths./.servers[9].backup: backup is not supported in this release; remove it
upstreams.yaml:15:11: a.example.paths./.servers[10]: `address` is missing
upstreams.yaml:15:20: a.example.paths./.servers[10].weight: expected a whole number from 1 to 65535, found 0
upstreams.yaml:16:11: a.example.paths./.servers[11]: expected ip:port, unix:PATH, or a map of address, weight, backup, found a list
upstreams.yaml:17:22: a.example.paths./none.servers: is empty; a route needs at least one server
upstreams.yaml:18:5: a.example.paths./null: expected exactly one of `servers`, `pools`, `redirect_to`, `files`, `respond`, found none
upstreams.yaml:19:5: a.example.paths./two: has several actions, `servers` and `files`; a route has exactly one
upstreams.yaml:20:21: a.example.paths./files.files: `srv/www` is not absolute; expected a folder on the machines of the proxies, such as /srv/www"
    );
}

#[test]
fn what_is_not_enforced_is_refused_at_its_place_and_still_checked_inside() {
    let text = "\
sticky_sessions: 600
x4xx_limit: 5
balance: {hash: ip}
retries: {attempts: 3, budgt: 20%}
health: {path: /}
healthcheck: true
max_body: 10MiB
trusted_proxies: [10.0.0.0/33]
consul: {servers: [http://127.0.0.1:8500], services: [{hostname: a, upstreem: b}]}
provider: consul
a.example:
  client_ca: {ca: x, mode: maybe}
  authorization: {creds: secret}
  paths:
    /:
      servers: ['127.0.0.1:1']
      tls: auto
      http2: {}
      balance: least_requests
      rate_limit: {requests: 0}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:1:18: sticky_sessions: sticky_sessions is not supported in this release; remove it
upstreams.yaml:3:10: balance: balance is not supported in this release; remove it
upstreams.yaml:4:10: retries: retries is not supported in this release; remove it
upstreams.yaml:4:24: retries.budgt: unknown key `budgt` in retries (did you mean `budget`?)
upstreams.yaml:5:9: health: health is not supported in this release; remove it
upstreams.yaml:6:14: healthcheck: healthcheck is not supported in this release; remove it
upstreams.yaml:8:19: trusted_proxies[0]: `10.0.0.0/33` is not a network such as 10.0.0.0/8
upstreams.yaml:9:9: consul: consul is not supported in this release; remove it
upstreams.yaml:9:69: consul.services[0].upstreem: unknown key `upstreem` in services (did you mean `upstream`?)
upstreams.yaml:10:11: provider: the provider `consul` is not supported in this release; remove it
upstreams.yaml:12:14: a.example.client_ca: client_ca is not supported in this release; remove it
upstreams.yaml:12:28: a.example.client_ca.mode: expected one of optional, required, found `maybe`
upstreams.yaml:13:18: a.example.authorization: `type` is missing
upstreams.yaml:17:12: a.example.paths./.tls: tls is not supported in this release; remove it
upstreams.yaml:18:14: a.example.paths./.http2: expected one of auto, on, off, found a map
upstreams.yaml:19:16: a.example.paths./.balance: balance is not supported in this release; remove it
upstreams.yaml:20:30: a.example.paths./.rate_limit.requests: expected a whole number from 1 to 4294967295, found 0"
    );
}

// Row T-08: line breaks in values.
#[test]
fn bad_headers_are_refused_and_their_values_never_shown() {
    let text = "\
headers:
  - hunter2
  - 'X Y: hunter2'
  - \"X-Y: hunter2\\r\\nX-Z: 1\"
  - 'Content-Length: 5'
  - [hunter2]
client_headers: []
server_headers:
  set: {CDN-Loop: hunter2, X-A: [hunter2], x-b: 1, X-B: 2}
  sett: {}
  remove: {X-A: 1}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:2:5: headers[0]: expected `Name:value`, found no `:`
upstreams.yaml:3:5: headers[1]: \"X Y\" is not a header name: only letters, digits and !#$%&'*+-.^_`|~ are allowed
upstreams.yaml:4:5: headers[2]: the value of x-y contains a control byte; a header is one line
upstreams.yaml:5:5: headers[3]: content-length is set by the proxy itself and cannot be edited
upstreams.yaml:6:5: headers[4]: expected `Name:value` in quotes, found a list
upstreams.yaml:7:17: client_headers: duplicate of `headers`, which is already set at 2:3 under another name
upstreams.yaml:9:19: server_headers.set.CDN-Loop: cdn-loop is set by the proxy itself and cannot be edited
upstreams.yaml:9:33: server_headers.set.X-A: expected a header value, found a list
upstreams.yaml:9:52: server_headers.set: duplicate header `x-b`; names are case-insensitive
upstreams.yaml:10:3: server_headers.sett: unknown key `sett` in headers; known keys: set, append, remove
upstreams.yaml:11:11: server_headers.remove: expected a list of names, found a map"
    );
}

#[test]
fn redirects_that_lead_nowhere_are_refused() {
    let text = "\
a.example:
  paths:
    /a: {redirect_to: www.example.com}
    /b: {redirect_to: 'ftp://www.example.com'}
    /c: {redirect_to: 'https://'}
    /d: {redirect_to: 'https://u:p@example.com'}
    /e: {redirect_to: {to: 'https://x.example', status: 303}}
    /f: {redirect_to: {status: 301}}
    /g: {redirect_to: 'https://x.example:0/'}
    /h: {redirect_to: 'https://x.example/?a=b'}
    /i: {redirect_to: \"https://x.example/\\r\\nX: y\"}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:3:23: a.example.paths./a.redirect_to: `www.example.com` is not a URL with a scheme, such as https://www.example.com
upstreams.yaml:4:23: a.example.paths./b.redirect_to: `ftp://www.example.com` has a scheme other than http and https
upstreams.yaml:5:23: a.example.paths./c.redirect_to: `https://` has no valid host
upstreams.yaml:6:23: a.example.paths./d.redirect_to: `https://u:p@example.com` contains user information, which every client would see
upstreams.yaml:7:57: a.example.paths./e.redirect_to.status: expected 301, 302, 307 or 308, found 303
upstreams.yaml:8:23: a.example.paths./f.redirect_to: `to` is missing
upstreams.yaml:9:23: a.example.paths./g.redirect_to: `https://x.example:0/` has an invalid port; expected 1 to 65535
upstreams.yaml:10:23: a.example.paths./h.redirect_to: `https://x.example/?a=b` has a query or a fragment; the request's path and query are appended
upstreams.yaml:11:23: a.example.paths./i.redirect_to: `https://x.example/\\r\\nX: y` contains a character that is not allowed in a URL"
    );
}

#[test]
fn a_host_or_path_that_stands_twice_names_both_places() {
    let text = "\
a.example:
  paths: {/: {servers: ['127.0.0.1:1']}}
upstreams:
  A.Example:
    paths:
      /: {servers: ['127.0.0.1:1']}
      /foo: {servers: ['127.0.0.1:1']}
      /foo/: {servers: ['127.0.0.1:1']}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:4:3: upstreams.A.Example: duplicate host a.example, already defined at 1:1
upstreams.yaml:8:7: upstreams.A.Example.paths./foo/: duplicate path `/foo`, already defined at 7:7"
    );
    assert_eq!(
        faults("a: 1\na: 2\n"),
        "upstreams.yaml:2:1: duplicate key `a`, already defined at 1:1"
    );
}

#[test]
fn files_of_conf_d_hold_hosts_only_and_all_files_are_told_of() {
    let documents = set(&[
        (
            "conf.d/a.yaml",
            "to_https: true\nupstreams: {}\nb.example: {}\n",
        ),
        ("conf.d/b.yaml", "- 1\n"),
        ("upstreams.yaml", "a: [\n"),
    ]);
    let faults = read(&documents, &Surroundings::default())
        .expect_err("faulty")
        .to_string();
    assert_eq!(
        faults,
        "\
conf.d/a.yaml:1:1: to_https: belongs in upstreams.yaml; files in conf.d contain only hosts
conf.d/a.yaml:3:1: b.example: unknown key `b.example` at the top; a host is a map with `paths`
conf.d/b.yaml:1:1: expected a map of keys and hosts, found a list
upstreams.yaml:2:1: invalid YAML: while parsing a node, did not find expected node content"
    );
}

#[test]
fn no_route_may_point_at_the_config_api() {
    let text = "a.example: {paths: {/: {servers: ['127.0.0.1:3000', '[::ffff:127.0.0.1]:3000', '127.0.0.2:3000', '127.0.0.1:3001', '[::1]:9']}}}";
    let rules = Surroundings {
        forbidden: Forbidden {
            addresses: vec![
                "127.0.0.1:3000".parse().unwrap(),
                "0.0.0.0:9".parse().unwrap(),
            ],
            paths: Vec::new(),
        },
        ..Surroundings::default()
    };
    let faults = read(&DocumentSet::of_main(text.into()), &rules).expect_err("forbidden");
    let indices: Vec<&str> = faults.0.iter().map(|fault| &fault.path[25..]).collect();
    assert_eq!(indices, ["[0]", "[1]", "[4]"], "{faults}");
    assert!(
        faults.0[0].reason.contains("points at the config API"),
        "{faults}"
    );
}

#[test]
fn no_route_may_point_at_a_socket_of_the_daemons() {
    let text = "a.example: {paths: {/: {servers: ['unix:/state/control.sock', 'unix:/state/proxy-a/upgrade.sock', 'unix:/run/c.sock', 'unix:/state.sock', 'unix:/run/c.sock2']}}}";
    let rules = Surroundings {
        forbidden: Forbidden {
            addresses: Vec::new(),
            paths: vec!["/state".into(), "/run/c.sock".into()],
        },
        ..Surroundings::default()
    };
    let faults = read(&DocumentSet::of_main(text.into()), &rules).expect_err("forbidden");
    assert_eq!(
        faults.to_string(),
        "\
upstreams.yaml:1:35: a.example.paths./.servers[0]: unix:/state/control.sock points at a socket of the daemons, which no route may reach
upstreams.yaml:1:63: a.example.paths./.servers[1]: unix:/state/proxy-a/upgrade.sock points at a socket of the daemons, which no route may reach
upstreams.yaml:1:99: a.example.paths./.servers[2]: unix:/run/c.sock points at a socket of the daemons, which no route may reach"
    );
}

#[test]
fn of_very_many_faults_the_first_are_told_and_the_rest_counted() {
    let text: String = (0..5_000).map(|n| format!("key{n}x: 1\n")).collect();
    let faults = read_main(&text).expect_err("faulty");
    assert_eq!(faults.0.len(), 1_001);
    assert_eq!(
        faults.0[1_000].to_string(),
        "upstreams.yaml: and 4000 more faults"
    );
}

#[test]
fn faults_below_a_faulty_host_or_path_are_told_along() {
    let text = "\
a b:
  paths:
    old:
      server: ['127.0.0.1:99999']
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:1:1: a b: \"a b\" is not a host name: a name contains only letters, digits, '-', '_' and '.'
upstreams.yaml:3:5: a b.paths.old: `old` is not a path: does not begin with /
upstreams.yaml:3:5: a b.paths.old: expected exactly one of `servers`, `pools`, `redirect_to`, `files`, `respond`, found none
upstreams.yaml:4:7: a b.paths.old.server: unknown key `server` at a path (did you mean `servers`?)"
    );
}

#[test]
fn a_request_has_one_host_and_headers_that_fit() {
    let long = format!(
        "headers: ['{}:1', 'X-A:{}']\n",
        "a".repeat(257),
        "hunter2".repeat(4000)
    );
    let text = faults(&long);
    assert_eq!(text.matches("at most 256 bytes").count(), 2, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    for edits in [
        "['Host:a', 'host:b']",
        "{append: {Host: a}}",
        "{remove: [HOST]}",
    ] {
        let text = faults(&format!("server_headers: {edits}\n"));
        assert!(
            text.contains("a request has exactly one Host"),
            "{edits}: {text}"
        );
    }
}

#[test]
fn a_space_of_another_width_in_the_indentation_is_named() {
    assert_eq!(
        faults("a.example:\n\u{a0}\u{a0}paths:\n    /: {servers: ['127.0.0.1:1']}\n")
            .lines()
            .last(),
        Some(
            "upstreams.yaml:2:1: \\u{a0}\\u{a0}paths: `\\u{a0}\\u{a0}paths` contains the character U+00A0, \
             which looks like a space or is invisible; indent with plain spaces; a host is a map with `paths`"
        )
    );
}
