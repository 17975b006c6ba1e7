//! `match`, lists of routes and `pools`.

use super::*;
use crate::model::{MatchedPath, Method, Route};

fn routes(text: &str) -> Vec<Route> {
    let authored = read_main(text).expect("no fault");
    authored.hosts[0].host.routes.clone()
}

fn faults(text: &str) -> String {
    read_main(text).expect_err("faulty").to_string()
}

fn warnings(text: &str) -> Vec<String> {
    let authored = read_main(text).expect("no fault");
    authored.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_path_may_be_a_list_of_routes_with_the_most_specific_match_first() {
    let text = "\
a.example:
  paths:
    /app:
      - match: {methods: [POST, GET], headers: {X-B: {regex: 'v[0-9]+'}, X-A: true}, query: {q: 1}}
        servers: ['127.0.0.1:1']
        to_https: true
      - match: {exact: true, methods: GET}
        redirect_to: https://b.example
      - servers: ['127.0.0.1:2']
    /: {match: {exact: false}, servers: ['127.0.0.1:3']}
";
    let authored = read_main(text).expect("no fault");
    let host = &authored.hosts[0];
    let routes = &host.host.routes;
    let paths: Vec<&str> = routes.iter().map(|route| &*route.path).collect();
    assert_eq!(paths, ["/", "/app", "/app", "/app"]);
    assert!(routes[0].matches.is_none() && routes[3].matches.is_none());
    let first = routes[1].matches.as_deref().unwrap();
    let methods: Vec<&str> = first.methods.iter().map(Method::as_str).collect();
    assert_eq!(methods, ["GET", "POST"]);
    let headers: Vec<&str> = first.headers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(headers, ["x-a", "x-b"]);
    assert!(first.headers[0].value.holds(b"true") && first.headers[1].value.holds(b"v12"));
    assert_eq!((&*first.query[0].name, &*first.query[0].value), ("q", "1"));
    assert_eq!(
        routes[2].matches.as_deref().unwrap().path,
        MatchedPath::Exact
    );
    assert_eq!(host.route_places[1].of("to_https"), Some((6, 19)));
    assert_eq!(host.route_places[2].iter().count(), 0);
    let scopes: Vec<_> = host.route_places.iter().map(Places::scope).collect();
    assert_eq!(host.places.scope(), Some((1, 1)));
    assert_eq!(
        scopes[1..],
        [Some((4, 9)), Some((7, 9)), Some((9, 9))],
        "of the elements of the list"
    );
}

#[test]
fn a_pool_keeps_its_name_where_routes_are_added_and_moved() {
    let named = |list: &str| -> Vec<(String, String)> {
        let authored = read_main(&format!("a.example:\n  paths:\n    /:{list}")).expect("no fault");
        let pools = authored.hosts[0].pools.iter();
        let named = pools.map(|pool| {
            let server = pool.endpoints[0].address.to_string();
            (server, pool.name.to_string())
        });
        named.collect()
    };
    let alone = named(" {servers: ['127.0.0.1:1']}\n");
    assert_eq!(alone, [("127.0.0.1:1".to_owned(), "a.example/".to_owned())]);
    let get = "\n      - {match: {methods: GET}, servers: ['127.0.0.1:2']}";
    let post = "\n      - {match: {methods: POST}, pools: [{servers: ['127.0.0.1:3']}, {servers: ['127.0.0.1:4']}]}";
    let rest = "\n      - servers: ['127.0.0.1:1']\n";
    let both = named(&format!("{get}{post}{rest}"));
    let mut moved = named(&format!("{post}{get}{rest}"));
    moved.sort();
    let mut sorted = both.clone();
    sorted.sort();
    assert_eq!(moved, sorted);
    assert_eq!(both[3].1, "a.example/");
    assert_eq!(
        both[1].1[..both[1].1.len() - 1],
        both[2].1[..both[2].1.len() - 1]
    );
    assert!(
        both[1].1.ends_with("#1") && both[2].1.ends_with("#2"),
        "{both:?}"
    );
    assert_eq!(both[0].1.len(), "a.example/#".len() + 16);
    let split = named(" {pools: [{servers: ['127.0.0.1:1']}]}\n");
    assert_eq!(split[0].1, "a.example/#1");
}

#[test]
fn pools_share_requests_by_weight_and_may_share_servers() {
    let text = "\
a.example:
  paths:
    /:
      pools:
        - {weight: 9, servers: ['127.0.0.1:1']}
        - servers: ['127.0.0.1:1', '127.0.0.1:2']
        - {weight: 0, servers: ['127.0.0.1:3']}
";
    let routes = routes(text);
    let Action::Split(split) = &routes[0].action else {
        panic!("no split: {:?}", routes[0].action);
    };
    let weights: Vec<u16> = split.pools().iter().map(|pool| pool.weight).collect();
    assert_eq!(weights, [9, 1, 0]);
}

#[test]
fn a_path_with_a_trailing_slash_may_stand_beside_the_one_without_where_one_is_exact() {
    let text = "\
a.example:
  paths:
    /app: {servers: ['127.0.0.1:1']}
    /app/: {match: {exact: true}, servers: ['127.0.0.1:2']}
";
    let forms = |text: &str| -> Vec<Option<MatchedPath>> {
        let routes = routes(text);
        let form = |route: &Route| route.matches.as_deref().map(|matches| matches.path);
        routes.iter().map(form).collect()
    };
    assert_eq!(forms(text), [Some(MatchedPath::ExactWithSlash), None]);
    let other = "\
a.example:
  paths:
    /app: {match: {exact: true}, servers: ['127.0.0.1:2']}
    /app/: {servers: ['127.0.0.1:1']}
    /:  {match: {exact: true}, servers: ['127.0.0.1:2']}
";
    let exact = Some(MatchedPath::Exact);
    assert_eq!(forms(other), [exact, exact, None]);
    let plain = other.replace("match: {exact: true}, ", "");
    assert!(faults(&plain).contains(
        "upstreams.yaml:4:5: a.example.paths./app/: duplicate path `/app`, already defined at 3:5"
    ));
    let twice = "\
a.example:
  paths:
    /app: {match: {exact: true}, servers: ['127.0.0.1:1']}
    //app: {match: {exact: true}, servers: ['127.0.0.1:2']}
";
    assert_eq!(
        faults(twice),
        "upstreams.yaml:3:5: a.example.paths.//app: can never match: the route at 4:5 takes every request that it would take"
    );
}

#[test]
fn a_match_that_cannot_be_meant_is_refused_with_its_place_and_reason() {
    let text = "\
a.example:
  paths:
    /a:
      match:
        exact: yes
        methods: [get, 'G T', CONNECT]
        headers: {'x y': 1, Host: a, X-A: {regex: 'v(1'}, X-B: {}, X-C: [], X-D: {value: 1}, X-E: ~}
        query: {q: [1], '': 1}
        path: /a
      servers: ['127.0.0.1:1']
    /b: {match: {}, servers: ['127.0.0.1:1']}
    /c: {match: {headers: {}, methods: []}, servers: ['127.0.0.1:1']}
    /d: {match: GET, servers: ['127.0.0.1:1']}
    /e: {match: {headers: {X-A: 1, x-a: 2}}, servers: ['127.0.0.1:1']}
    /f: []
    /g: [1]
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:5:16: a.example.paths./a.match.exact: expected true or false, found `yes` (did you mean `true`?)
upstreams.yaml:6:19: a.example.paths./a.match.methods[0]: `get` is not sent by clients: methods are compared exactly (did you mean `GET`?)
upstreams.yaml:6:24: a.example.paths./a.match.methods[1]: `G T` is not a method: expected 1 to 32 letters, digits or !#$%&'*+-.^_`|~
upstreams.yaml:6:31: a.example.paths./a.match.methods[2]: `CONNECT` never reaches a route: the proxy offers no tunnels
upstreams.yaml:7:19: a.example.paths./a.match.headers.x y: \"x y\" is not a header name: only letters, digits and !#$%&'*+-.^_`|~ are allowed
upstreams.yaml:7:29: a.example.paths./a.match.headers.Host: is matched by the name of the host that contains the route; remove it
upstreams.yaml:7:51: a.example.paths./a.match.headers.X-A.regex: invalid regular expression: unclosed group, at character 2
upstreams.yaml:7:64: a.example.paths./a.match.headers.X-B: expected a value, or a map with `regex`
upstreams.yaml:7:73: a.example.paths./a.match.headers.X-C: expected a value, or a map of regex, found a list
upstreams.yaml:7:82: a.example.paths./a.match.headers.X-D: expected a value, or a map with `regex`
upstreams.yaml:7:83: a.example.paths./a.match.headers.X-D.value: unknown key `value` at a value; known keys: regex
upstreams.yaml:7:99: a.example.paths./a.match.headers.X-E: expected a value, or a map of regex, found nothing
upstreams.yaml:8:20: a.example.paths./a.match.query.q: expected a value, found a list
upstreams.yaml:8:25: a.example.paths./a.match.query.: expected the name of a parameter, found nothing
upstreams.yaml:9:9: a.example.paths./a.match.path: unknown key `path` in match; known keys: exact, methods, headers, query
upstreams.yaml:11:17: a.example.paths./b.match: is empty, so the route takes every request; remove it
upstreams.yaml:12:27: a.example.paths./c.match.headers: is empty; expected a map of header names and values
upstreams.yaml:12:40: a.example.paths./c.match.methods: is an empty list; expected a method such as GET
upstreams.yaml:13:17: a.example.paths./d.match: expected a map, found a string
upstreams.yaml:14:27: a.example.paths./e.match.headers: names the header x-a twice
upstreams.yaml:15:9: a.example.paths./f: is empty; expected a route or a list of routes
upstreams.yaml:16:10: a.example.paths./g[0]: expected a map, found a number"
    );
}

#[test]
fn a_route_that_can_never_match_is_refused() {
    let text = "\
a.example:
  paths:
    /a:
      - servers: ['127.0.0.1:1']
      - {match: {methods: GET}, servers: ['127.0.0.1:2']}
    /b:
      - {match: {headers: {X-A: {regex: '[0-9]'}}}, servers: ['127.0.0.1:1']}
      - {match: {methods: GET, headers: {X-A: 1}}, servers: ['127.0.0.1:2']}
      - {match: {methods: GET, headers: {X-A: 12}}, servers: ['127.0.0.1:2']}
    /c:
      - {match: {methods: [GET, PUT]}, servers: ['127.0.0.1:1']}
      - {match: {methods: GET, query: {q: 1}}, servers: ['127.0.0.1:2']}
      - {match: {methods: POST}, servers: ['127.0.0.1:2']}
      - {match: {methods: [PUT, GET]}, servers: ['127.0.0.1:2']}
    /d:
      - {match: {methods: [gett]}, server: ['127.0.0.1:1']}
      - {match: {methods: [gett]}, servers: ['127.0.0.1:1']}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:5:9: a.example.paths./a[1]: can never match: the route at 4:9 takes every request that it would take
upstreams.yaml:8:9: a.example.paths./b[1]: can never match: the route at 7:9 takes every request that it would take
upstreams.yaml:12:9: a.example.paths./c[1]: can never match: the route at 11:9 takes every request that it would take
upstreams.yaml:14:9: a.example.paths./c[3]: can never match: the route at 11:9 takes every request that it would take
upstreams.yaml:16:9: a.example.paths./d[0]: expected exactly one of `servers`, `pools`, `redirect_to`, `files`, `respond`, found none
upstreams.yaml:16:36: a.example.paths./d[0].server: unknown key `server` at a path (did you mean `servers`?)"
    );
}

#[test]
fn pools_that_cannot_serve_are_refused() {
    let text = "\
a.example:
  paths:
    /a: {pools: []}
    /b: {pools: [{weight: 0, servers: ['127.0.0.1:1']}]}
    /c: {pools: [{weight: 70000, servers: ['127.0.0.1:1']}, {weight: 1}, {servers: []}, 5]}
    /d: {pools: [{servers: ['127.0.0.1:1']}], servers: ['127.0.0.1:1']}
    /e: {pools: {servers: ['127.0.0.1:1']}}
    /f: {pools: [{servers: ['127.0.0.1:1', '127.0.0.1:1'], wieght: 2}]}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:3:17: a.example.paths./a.pools: is empty; expected at least one pool
upstreams.yaml:4:17: a.example.paths./b.pools: has no weight above 0, so no pool would get a request
upstreams.yaml:5:27: a.example.paths./c.pools[0].weight: expected a whole number from 0 to 65535, found 70000
upstreams.yaml:5:61: a.example.paths./c.pools[1]: `servers` is missing
upstreams.yaml:5:84: a.example.paths./c.pools[2].servers: is empty; a route needs at least one server
upstreams.yaml:5:89: a.example.paths./c.pools[3]: expected a map, found a number
upstreams.yaml:6:5: a.example.paths./d: has several actions, `servers` and `pools`; a route has exactly one
upstreams.yaml:7:17: a.example.paths./e.pools: expected a list of maps of weight, servers, found a map
upstreams.yaml:8:44: a.example.paths./f.pools[0].servers[1]: duplicate server 127.0.0.1:1, already listed at 8:29
upstreams.yaml:8:60: a.example.paths./f.pools[0].wieght: unknown key `wieght` in pools (did you mean `weight`?)"
    );
}

#[test]
fn what_is_valid_but_hardly_meant_is_said() {
    let text = "\
a.example:
  paths:
    /a:
      - {match: {exact: true}, servers: ['127.0.0.1:1']}
      - servers: ['127.0.0.1:1']
    /b: {match: {methods: [GET, GET], query: {q: 'a%20b'}}, servers: ['127.0.0.1:1']}
";
    assert_eq!(
        warnings(text),
        [
            "upstreams.yaml:4:9: a.example.paths./a[0]: has no effect: the next route does the same with the same requests",
            "upstreams.yaml:6:50: a.example.paths./b.match.query.q: is compared with the decoded query, in which `%20` stands for itself; write the decoded character if that is meant",
            "upstreams.yaml:6:27: a.example.paths./b.match.methods: lists a method twice",
        ]
    );
}

#[test]
fn too_many_routes_or_conditions_are_refused() {
    let list = |count: usize| -> String {
        let route = |at: usize| {
            format!("      - {{match: {{query: {{q: {at}}}}}, servers: ['127.0.0.1:1']}}\n")
        };
        format!(
            "a.example:\n  paths:\n    /:\n{}",
            (0..count).map(route).collect::<String>()
        )
    };
    assert_eq!(routes(&list(256)).len(), 256);
    assert!(faults(&list(257)).contains("a.example.paths./: has more than 256 routes"));
    let query: String = (0..17).map(|at| format!("q{at}: 1, ")).collect();
    let text = format!(
        "a.example:\n  paths:\n    /: {{match: {{query: {{{query}}}}}, servers: ['127.0.0.1:1']}}\n"
    );
    assert!(faults(&text).contains("match.query: has more than 16 entries"));
}

#[test]
fn a_network_that_is_allowed_and_denied_is_warned_of_where_the_second_list_is() {
    let text = "\
deny: [0.0.0.0/0, '2001:db8::/32']
b.test:
  allow: ['2001:db8:1::/48', 'fd00::/8']
  paths:
    /: {respond: {status: 204}}
    /lifted: {respond: {status: 204}, deny: []}
    /again:
      deny: ['fc00::/7']
      respond: {status: 204}
a.test:
  paths:
    /:
      allow: [10.0.0.0/8]
      respond: {status: 204}
    /both:
      - match: {exact: true}
        deny: [10.1.0.0/16]
        allow: [10.0.0.0/8, 10.1.2.0/24, 10.1.3.0/24]
        respond: {status: 204}
      - {respond: {status: 204}}
";
    assert_eq!(
        warnings(text),
        [
            "upstreams.yaml:13:14: a.test.paths./.allow: clients of 10.0.0.0/8 are refused, as `deny` of a wider scope contains them; \
             `deny: []` here lifts it",
            "upstreams.yaml:18:16: a.test.paths./both.allow: clients of 10.1.2.0/24, 10.1.3.0/24 are refused, as `deny` contains them",
            "upstreams.yaml:3:10: b.test.allow: clients of 2001:db8:1::/48 are refused, as `deny` of a wider scope contains them; \
             `deny: []` here lifts it",
            "upstreams.yaml:8:13: b.test.paths./again.deny: refuses clients of fd00::/8, which `allow` names",
        ]
    );
    let wrapped = "upstreams: {a.test: {allow: [::1/128], deny: ['::/0'], paths: {/: {respond: {status: 204}}}}}\n";
    assert_eq!(
        warnings(wrapped),
        [
            "upstreams.yaml:1:29: upstreams.a.test.allow: clients of ::1/128 are refused, as `deny` contains them"
        ]
    );
}
