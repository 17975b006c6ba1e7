use bytes::Bytes;

use super::*;
use crate::model::{Action, RedirectStatus};

mod bad_input;
mod files;
mod matching;
mod routing;
mod served_files;

const SAMPLE: &str = include_str!("../../../deploy/samples/upstreams.yaml");
const WRAPPED: &str = include_str!("../../../deploy/samples/upstreams-wrapped.yaml");

fn set(documents: &[(&str, &str)]) -> DocumentSet {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), Bytes::from((*text).to_owned()));
    documents.iter().map(owned).collect()
}

fn read_main(text: &str) -> Result<Authored, DocumentFaults> {
    read(&set(&[("upstreams.yaml", text)]), &Surroundings::default())
}

/// Removes the positions of all rules.
fn without_places(mut authored: Authored) -> Authored {
    authored.places = Places::default();
    for host in &mut authored.hosts {
        host.places = Places::default();
        host.route_places.clear();
    }
    authored
}

// Row D1: both layouts.
#[test]
fn both_layouts_give_the_same_routes() {
    let flat = read_main(SAMPLE).expect("no fault");
    let wrapped = read_main(WRAPPED).expect("no fault");
    assert_eq!(
        without_places(flat.clone()),
        without_places(wrapped.clone())
    );
    assert_eq!(flat.settings.rules.to_https.0, Some(false));
    assert_eq!(flat.settings.rules.response_headers.0.set.len(), 3);
    let host = &flat.hosts[0];
    let paths: Vec<&str> = host.host.routes.iter().map(|route| &*route.path).collect();
    assert_eq!(paths, ["/", "/.well-known/acme-challenge", "/foo"]);
    let servers: Vec<String> = host.pools[2]
        .endpoints
        .iter()
        .map(|endpoint| endpoint.address.to_string())
        .collect();
    assert_eq!(servers, ["127.0.0.4:8443", "127.0.0.5:8443"]);
    assert_eq!(host.host.routes[2].rules.to_https.0, Some(true));
    let group = GroupName::default();
    assert_eq!(
        records(&flat, Some(&group)).root(),
        records(&wrapped, Some(&group)).root()
    );
}

#[test]
fn a_server_may_be_a_unix_socket_in_both_ways_of_writing_one() {
    let text = "\
a.example:
  paths:
    /:
      servers: ['unix:/run/app.sock', {address: 'unix:/run/b.sock'}, '127.0.0.1:1']
";
    let authored = read_main(text).expect("no fault");
    let endpoints = authored.hosts[0].pools[0].endpoints.iter();
    let shown: Vec<String> = endpoints.map(|one| one.address.to_string()).collect();
    assert_eq!(
        shown,
        ["unix:/run/app.sock", "unix:/run/b.sock", "127.0.0.1:1"]
    );
    let twice = text.replace("/run/b.sock", "/run/app.sock");
    let faults = read_main(&twice).expect_err("twice").to_string();
    assert!(
        faults.contains("servers[1]: duplicate server unix:/run/app.sock, already listed at 4:17"),
        "{faults}"
    );
}

#[test]
fn an_empty_set_is_an_empty_configuration() {
    assert_eq!(
        read(&DocumentSet::default(), &Surroundings::default()),
        Ok(Authored::default())
    );
    assert_eq!(read_main("# later\n"), Ok(Authored::default()));
}

#[test]
fn a_redirect_keeps_its_status_and_warns_of_dummy_servers() {
    let text = "\
a.example:
  paths:
    /: {redirect_to: 'https://www.example.com/', servers: ['127.0.0.1:1']}
    /moved: {redirect_to: {to: 'HTTP://b.example:8080/new/', status: 308}}
";
    let authored = read_main(text).expect("no fault");
    let redirect = |index: usize| match &authored.hosts[0].host.routes[index].action {
        Action::Redirect(redirect) => redirect.clone(),
        other => panic!("not a redirect: {other:?}"),
    };
    assert_eq!(redirect(0).to.as_str(), "https://www.example.com");
    assert_eq!(redirect(1).to.as_str(), "http://b.example:8080/new");
    assert_eq!(redirect(1).status, RedirectStatus::PermanentRedirect);
    assert!(authored.hosts[0].pools.is_empty());
    let warnings: Vec<String> = authored.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "upstreams.yaml:3:59: a.example.paths./.servers: has no effect with `redirect_to`; remove it"
        ]
    );
}

// Row S46: headers.
// Row C8: client_headers and server_headers.
#[test]
fn headers_read_as_lines_or_as_a_map() {
    let text = "\
client_headers:
  - 'X-One: 1'
  - X-Two:a:b
  - Set-Cookie:a=1
  - Set-Cookie:b=2
server_headers:
  set: {X-Three: 3}
  append: {X-Four: four}
  remove: [Cookie]
";
    let settings = read_main(text).expect("no fault").settings;
    let shown = |headers: &[crate::model::Header]| -> Vec<String> {
        let line = |header: &crate::model::Header| {
            format!("{}={}", header.name(), header.value().literal().unwrap())
        };
        headers.iter().map(line).collect()
    };
    let response = &settings.rules.response_headers.0;
    assert_eq!(
        shown(&response.set),
        ["x-one=1", "x-two=a:b", "set-cookie=a=1"]
    );
    assert_eq!(shown(&response.append), ["set-cookie=b=2"]);
    let request = &settings.rules.request_headers.0;
    assert_eq!(shown(&request.set), ["x-three=3"]);
    assert_eq!(shown(&request.append), ["x-four=four"]);
    assert_eq!(request.remove, ["cookie"]);
}

#[test]
fn what_asks_for_nothing_is_accepted() {
    let text = "\
provider: [file]
sticky_sessions: 0
authorization: {type: none}
trusted_proxies: []
balance: round_robin
compat: aralez-0.9
healthcheck: false
a.example:
  authorization: none
  groups: [edge, edge]
  paths:
    /:
      tls: off
      http2: off
      balance: round_robin
      sticky_sessions: false
      servers: [{address: '127.0.0.1:1', weight: 1, backup: false}]
      timeouts: {connect: 500ms, read: 0}
DEFAULT:
  paths: {/: {servers: ['[::1]:80']}}
";
    let authored = read_main(text).expect("no fault");
    assert!(authored.settings.compat_0_9);
    let edge: GroupName = "edge".parse().unwrap();
    assert_eq!(authored.hosts[0].groups, std::slice::from_ref(&edge));
    assert_eq!(authored.hosts[1].host.pattern.to_string(), "DEFAULT");
    // The settings, and for each host its record, a pool and an endpoint.
    assert_eq!(records(&authored, Some(&edge)).len(), 7);
    assert_eq!(records(&authored, None).len(), 4);
}

#[test]
fn the_first_byte_may_have_a_limit_of_its_own_in_every_scope() {
    let limits = |limit| format!("timeouts: {{first_byte: {limit}}}");
    let text = format!(
        "{}\na.example:\n  {}\n  paths:\n    /a: {{servers: ['127.0.0.1:1'], {}}}\n    /b: {{servers: ['127.0.0.1:1']}}\n",
        limits("5s"),
        limits("0"),
        limits("700ms")
    );
    let authored = read_main(&text).expect("no fault");
    let host = &authored.hosts[0].host;
    let ms = |limit: u64| Some(std::time::Duration::from_millis(limit));
    assert_eq!(authored.settings.rules.timeouts.first_byte, ms(5_000));
    assert_eq!(host.rules.timeouts.first_byte, ms(0));
    assert_eq!(host.routes[0].rules.timeouts.first_byte, ms(700));
    assert_eq!(host.routes[1].rules.timeouts.first_byte, None);
    let slip = read_main("timeouts: {firstbyte: 5s}\n").expect_err("a slip");
    assert!(slip.to_string().contains("`first_byte`"), "{slip}");
}

#[test]
fn networks_are_read_without_bits_of_a_host_and_an_empty_allow_is_refused() {
    let authored = read_main(
        "deny: [10.0.0.1/8, \"::ffff:10.0.0.0/104\", 192.0.2.1]\na.example: {paths: {/: {allow: [\"fd00::/8\"], servers: ['127.0.0.1:1']}}}\n",
    )
    .unwrap();
    let denied = authored.settings.rules.deny.0.unwrap();
    assert_eq!(
        denied,
        ["10.0.0.0/8", "10.0.0.0/8", "192.0.2.1/32"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect()
    );
    let warnings: Vec<String> = authored.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["upstreams.yaml:1:8: deny[0]: has bits of a host; it means 10.0.0.0/8"]
    );
    let faults = read_main("allow: []\n").unwrap_err().to_string();
    assert!(
        faults.starts_with("upstreams.yaml:1:8: allow: is empty, so no client would be served"),
        "{faults}"
    );
}

#[test]
fn a_file_of_conf_d_may_redefine_a_host_where_it_says_so() {
    let host = |port: u16, extra: &str| {
        format!("a.example:\n  {extra}\n  paths: {{/: {{servers: ['127.0.0.1:{port}']}}}}\n")
    };
    let (main, plain, over) = (
        host(1, "to_https: true"),
        host(2, "to_https: false"),
        host(3, "override: true"),
    );
    let read = |documents: &[(&str, &str)]| read(&set(documents), &Surroundings::default());
    let authored = read(&[("upstreams.yaml", &main), ("conf.d/b.yaml", &over)]).expect("no fault");
    assert_eq!(authored.hosts.len(), 1);
    assert_eq!(
        authored.hosts[0].pools[0].endpoints[0].address.to_string(),
        "127.0.0.1:3"
    );
    let faults = read(&[("upstreams.yaml", &main), ("conf.d/b.yaml", &plain)]).expect_err("twice");
    assert_eq!(
        faults.to_string(),
        "conf.d/b.yaml:1:1: a.example: duplicate host a.example, already defined at upstreams.yaml:1:1 (set `override: true` on the one that should win)"
    );
}

#[test]
fn x_keys_hold_what_hosts_merge_and_are_otherwise_ignored() {
    let text = "\
x-timeouts: &slow {read: 5m, connect: 1s}
x-route: &app
  servers: ['127.0.0.1:8000']
  headers: ['X-Frame-Options:DENY']
x-anything: [1, {two: null}]
a.example:
  paths:
    /: {<<: *app}
    /slow:
      <<: *app
      timeouts: {<<: *slow, connect: 9s}
";
    let plain = "\
a.example:
  paths:
    /: {servers: ['127.0.0.1:8000'], headers: ['X-Frame-Options:DENY']}
    /slow:
      servers: ['127.0.0.1:8000']
      headers: ['X-Frame-Options:DENY']
      timeouts: {read: 5m, connect: 9s}
";
    let [said, plainly] = [text, plain].map(|text| read_main(text).expect("no fault"));
    assert_eq!(without_places(said), without_places(plainly));
    let of_conf_d = set(&[("conf.d/a.yaml", text), ("upstreams.yaml", "")]);
    assert_eq!(
        read(&of_conf_d, &Surroundings::default())
            .expect("no fault")
            .hosts
            .len(),
        1
    );
}

#[test]
fn a_fault_in_a_merged_value_is_shown_where_it_is_written() {
    let text = "x-a: &a {servers: ['127.0.0.1']}\na.example: {paths: {/: {<<: *a}}}\n";
    assert_eq!(
        read_main(text).expect_err("faulty").to_string(),
        "upstreams.yaml:1:20: a.example.paths./.servers[0]: \"127.0.0.1\" is not ip:port: the port is missing"
    );
}

#[test]
fn a_host_whose_name_begins_with_x_is_a_host_and_said_to_be_one() {
    let authored = read_main("x-ray.example: {paths: {/: {servers: ['127.0.0.1:1']}}}\n");
    let authored = authored.expect("no fault");
    assert_eq!(authored.hosts.len(), 1);
    assert_eq!(
        authored.warnings[0].to_string(),
        "upstreams.yaml:1:1: x-ray.example: is read as a host because it has `paths`; other `x-` keys only define anchors"
    );
}

#[test]
fn every_value_of_a_rule_keeps_the_place_where_it_was_written() {
    let text = "\
to_https: false
timeouts: {connect: 1s}
a.example:
  client_headers: ['X-A:1', 'X-B:2']
  paths:
    /:
      servers: ['127.0.0.1:1']
      timeouts:
        read: 5s
        total: 0
    /b:
      servers: ['127.0.0.1:1']
      server_headers: {set: {X-C: 3}, remove: [Cookie]}
";
    let authored = read_main(text).expect("no fault");
    let places = |places: &Places| -> Vec<String> {
        let all = places.iter();
        all.map(|(key, (line, column))| format!("{key} {line}:{column}"))
            .collect()
    };
    assert_eq!(
        places(&authored.places),
        ["to_https 1:11", "timeouts 2:11", "timeouts.connect 2:21"]
    );
    let host = &authored.hosts[0];
    assert_eq!(
        places(&host.places),
        ["headers 4:19", "headers[0] 4:20", "headers[1] 4:29"]
    );
    assert_eq!(
        places(&host.route_places[0]),
        ["timeouts 9:9", "timeouts.read 9:15", "timeouts.total 10:16"]
    );
    assert_eq!(
        host.route_places[1].of("server_headers.set.X-C"),
        Some((13, 35))
    );
    assert_eq!(host.route_places[1].of("to_https"), None);
}
