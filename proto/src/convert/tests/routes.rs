//! Routes that change what endpoints see, and routes that answer themselves.

use super::*;
use crate::rules::{AddPrefix, HostSeen, StripPrefix};

fn route(path: &str, rules: Rules, action: Action) -> Route {
    Route {
        path: path.into(),
        matches: None,
        rules,
        action,
    }
}

fn host_of(routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        pattern: "a.example".parse().unwrap(),
        rules: Rules::default(),
        routes,
    }
}

#[test]
fn a_route_with_a_feature_is_read_back_and_needs_it() {
    let pool = || Action::Pool("p".parse().unwrap());
    let strip = Rules {
        strip_prefix: StripPrefix(Some("/a".into())),
        ..Rules::default()
    };
    let add = Rules {
        add_prefix: AddPrefix(Some("/b".into())),
        ..Rules::default()
    };
    let seen = Rules {
        host: HostSeen(Some("b.example:80".into())),
        ..Rules::default()
    };
    let respond = Respond::new(410, b"gone", "text/html").unwrap();
    let files = Files {
        folder: "/srv/www".parse().unwrap(),
        spa: true,
        precompressed: true,
    };
    let files = route("/a", Rules::default(), Action::Files(files));
    let respond = route("/a", Rules::default(), Action::Respond(respond));
    for (route, feature) in [
        (route("/a/x", strip, pool()), 15),
        (route("/a", add, pool()), 16),
        (route("/a", seen, pool()), 17),
        (respond, 18),
        (files, 20),
    ] {
        let host = host_of(vec![route]);
        let record = host_record(&host);
        assert_eq!(requires(&record), [1, feature]);
        assert_eq!(decode(&record), Ok(Resource::VirtualHost(host)));
    }
}

#[test]
fn a_prefix_that_no_request_for_the_route_has_is_refused_by_a_proxy_too() {
    let strip = Rules {
        strip_prefix: StripPrefix(Some("/b".into())),
        ..Rules::default()
    };
    let pool = Action::Pool("p".parse().unwrap());
    let faults = decode(&host_record(&host_of(vec![route("/a", strip, pool)]))).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].field, "routes.\"/a\".strip_prefix");
}
