//! The keys that change what endpoints see of a request, the responses of routes themselves, and redirects that lead nowhere.

use super::bad_input::faults;
use super::read_main;
use crate::model::Action;

#[test]
fn what_endpoints_see_is_read_at_a_path() {
    let text = "\
a.example:
  paths:
    /app/v1:
      servers: ['127.0.0.1:1']
      strip_prefix: /%61pp/
      add_prefix: /new/
      host: Inner.Example:8080
    /keep: {servers: ['127.0.0.1:1'], host: keep}
";
    let authored = read_main(text).expect("no fault");
    let [app, keep] = &authored.hosts[0].host.routes[..] else {
        panic!("{authored:?}");
    };
    assert_eq!(app.rules.strip_prefix.0.as_deref(), Some("/app"));
    assert_eq!(app.rules.add_prefix.0.as_deref(), Some("/new"));
    assert_eq!(app.rules.host.0.as_deref(), Some("inner.example:8080"));
    assert_eq!(keep.rules, crate::rules::Rules::default());
    assert!(authored.warnings.is_empty());
}

#[test]
fn what_could_never_change_a_request_is_refused_at_its_place() {
    let text = "\
a.example:
  paths:
    /app:
      servers: ['127.0.0.1:1']
      strip_prefix: /ap
    /:
      servers: ['127.0.0.1:1']
      strip_prefix: /app
      add_prefix: /x/../y
      host: https://b.example/x
    /a:
      servers: ['127.0.0.1:1']
      strip_prefix: /
      add_prefix: new
      host: b.example/x
    /old:
      redirect_to: https://b.example
      add_prefix: /new
    /gone:
      respond: {status: 410}
      host: b.example
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:5:21: a.example.paths./app.strip_prefix: `/ap` is not a prefix of the route's path `/app` in whole segments (did you mean `/app`?)
upstreams.yaml:8:21: a.example.paths./.strip_prefix: `/app` is not a prefix of the route's path `/` in whole segments (set it at a route `/app`)
upstreams.yaml:9:19: a.example.paths./.add_prefix: `/x/../y` contains a segment `.` or `..`; write the path that it leads to
upstreams.yaml:10:13: a.example.paths./.host: `https://b.example/x` is a URL (did you mean `b.example`?)
upstreams.yaml:13:21: a.example.paths./a.strip_prefix: `/` removes nothing; remove the key
upstreams.yaml:14:19: a.example.paths./a.add_prefix: `new` does not begin with /
upstreams.yaml:15:13: a.example.paths./a.host: `b.example/x` is not a host: a name contains only letters, digits, '-', '_' and '.'
upstreams.yaml:18:19: a.example.paths./old.add_prefix: has no effect with `redirect_to`, which sends no request to an endpoint; remove it
upstreams.yaml:21:13: a.example.paths./gone.host: has no effect with `respond`, which sends no request to an endpoint; remove it"
    );
}

#[test]
fn a_host_that_an_edit_replaces_is_warned_of() {
    let text = "\
a.example:
  paths:
    /: {servers: ['127.0.0.1:1'], host: b.example, server_headers: ['Host: c.example']}
";
    let authored = read_main(text).expect("no fault");
    let warnings: Vec<String> = authored.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "upstreams.yaml:3:41: a.example.paths./.host: has no effect: `server_headers` of the route sets Host too, and takes precedence"
        ]
    );
}

#[test]
fn a_response_is_read_with_its_defaults() {
    let text = "\
a.example:
  paths:
    /: {respond: {status: 503, body: \"<p>later</p>\", type: text/html}}
    /gone: {respond: {status: 410}}
    /ok: {respond: {body: ok}}
";
    let authored = read_main(text).expect("no fault");
    let responds = authored.hosts[0].host.routes.iter().map(|route| {
        let Action::Respond(respond) = &route.action else {
            panic!("{route:?}");
        };
        let body = String::from_utf8_lossy(respond.body()).into_owned();
        (respond.status(), body, respond.media_type())
    });
    let responds: Vec<_> = responds.collect();
    let expected = [
        (503, "<p>later</p>", "text/html"),
        (410, "", ""),
        (200, "ok", "text/plain; charset=utf-8"),
    ];
    let expected = expected.map(|(status, body, media_type)| (status, body.to_owned(), media_type));
    assert_eq!(responds, expected);
}

#[test]
fn a_response_that_cannot_be_sent_is_refused_at_its_place() {
    let text = "\
a.example:
  paths:
    /a: {respond: {status: 100}}
    /b: {respond: {status: 204, body: x}}
    /c: {respond: {status: 200, type: text/html}}
    /d: {respond: {status: 200, bodi: x}}
    /e: {respond: {status: 200}, servers: ['127.0.0.1:1'], redirect_to: 'https://b.example'}
    /f: {respond: 404}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:3:28: a.example.paths./a.respond.status: expected a whole number from 200 to 599, found 100
upstreams.yaml:4:19: a.example.paths./b.respond: has a body, but a response with status 204 has none
upstreams.yaml:5:19: a.example.paths./c.respond: has a type but no body that it could describe
upstreams.yaml:6:33: a.example.paths./d.respond.bodi: unknown key `bodi` in respond (did you mean `body`?)
upstreams.yaml:7:5: a.example.paths./e: has several actions, `servers` and `redirect_to` and `respond`; a route has exactly one
upstreams.yaml:8:19: a.example.paths./f.respond: expected a map, found a number"
    );
}

#[test]
fn redirects_that_lead_back_to_their_route_are_refused_with_the_whole_loop() {
    let text = "\
a.example: {paths: {/: {redirect_to: 'http://A.Example:80'}}}
b.example: {paths: {/: {redirect_to: 'https://c.example'}}}
c.example:
  paths:
    /: {redirect_to: 'http://d.example/new'}
d.example:
  paths:
    /: {servers: ['127.0.0.1:1']}
    /new: {redirect_to: {to: 'https://b.example/old/..', status: 302}}
e.example:
  paths:
    /: {redirect_to: 'http://e.example/more'}
f.example:
  paths:
    /: {redirect_to: 'http://b.example'}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:1:38: a.example.paths./.redirect_to: leads clients in a loop: a.example/ -> a.example/
upstreams.yaml:2:38: b.example.paths./.redirect_to: leads clients in a loop: b.example/ -> c.example/ -> d.example/new -> b.example/
upstreams.yaml:12:22: e.example.paths./.redirect_to: leads clients in a loop: e.example/ -> e.example/"
    );
}

#[test]
fn a_redirect_that_may_lead_back_is_warned_of() {
    let text = "\
a.example:
  paths:
    /: {redirect_to: 'https://a.example'}
'*.w.example':
  paths:
    /: {redirect_to: 'http://www.w.example'}
";
    let authored = read_main(text).expect("no fault");
    let warnings: Vec<String> = authored.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "upstreams.yaml:3:22: a.example.paths./.redirect_to: leads a client that already comes over https back to this route: a.example/ -> a.example/",
            "upstreams.yaml:6:22: *.w.example.paths./.redirect_to: leads clients in a loop if these names lead to this proxy: *.w.example/ -> *.w.example/",
        ]
    );
}

#[test]
fn a_redirect_that_leads_elsewhere_is_no_loop() {
    let text = "\
a.example:
  paths:
    /: {redirect_to: 'http://a.example:8080'}
    /old: {redirect_to: 'http://a.example/new'}
    /new: {servers: ['127.0.0.1:1']}
    /x: {redirect_to: 'http://b.example'}
b.example:
  paths:
    /: {redirect_to: 'https://www.example'}
    /x: {redirect_to: 'http://c.example'}
DEFAULT:
  paths:
    /: {redirect_to: 'https://www.example'}
    /x: {respond: {status: 404}}
";
    let authored = read_main(text).expect("no fault");
    assert_eq!(authored.warnings, []);
}
