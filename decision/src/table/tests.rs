use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::matcher::PlainGet;
use aralez_proto::model::{
    Direction, Header, HeaderEdits, Redirect, RedirectStatus, Route, Settings,
};
use aralez_proto::rules::{HostSeen, RequestHeaders, ResponseHeaders, Rules, Timeouts};

use super::*;

/// Rules that set `x-scope` to a value; none for 0.
fn said(value: u8) -> Rules {
    let header = Header::new(Direction::Response, "x-scope", &value.to_string()).unwrap();
    let set = (value > 0).then_some(header).into_iter().collect();
    Rules {
        response_headers: ResponseHeaders(HeaderEdits {
            set,
            ..HeaderEdits::default()
        }),
        ..Rules::default()
    }
}

/// A host with the routes `/0`, `/1`, … that set these values.
fn host<const N: usize>(values: [u8; N], rules: Rules) -> VirtualHost {
    let route = |(at, value): (usize, u8)| Route {
        path: format!("/{at}").into(),
        matches: None,
        rules: said(value),
        action: aralez_proto::model::Action::Redirect(Redirect {
            to: "https://x.example".parse().unwrap(),
            status: RedirectStatus::Found,
        }),
    };
    VirtualHost {
        pattern: "a.example".parse().unwrap(),
        rules,
        routes: values.into_iter().enumerate().map(route).collect(),
    }
}

#[test]
fn the_narrower_scope_wins_and_equal_edits_are_shared() {
    let settings = Settings {
        rules: said(1),
        ..Settings::default()
    };
    let host = host([0, 9, 0], said(2));
    let host = CompiledHost::new(&CompiledScope::of(&settings), &host);
    let route = |path| {
        let path = RequestPath::parse(path).unwrap();
        host.route(&path, &PlainGet).unwrap()
    };
    let lines = |path| route(path).unwrap().rules.response_edits.lines();
    assert_eq!(lines("/0"), b"x-scope: 2\r\n");
    assert_eq!(lines("/1/x"), b"x-scope: 9\r\n");
    let [first, own, last] = ["/0", "/1", "/2"].map(|path| route(path).unwrap());
    assert!(Arc::ptr_eq(&first.rules, &last.rules));
    assert!(Arc::ptr_eq(&first.rules.others, &own.rules.others));
    assert_eq!(first.rules.others.timeouts, Timeouts::defaults());
    assert!(route("/").is_none());
}

#[test]
fn routes_in_a_row_that_say_the_same_share_their_rules() {
    let host = host([1, 1, 2, 1], Rules::default());
    let compiled: Vec<_> = CompiledScope::default().compile(&host).collect();
    let shared = |at: usize| Arc::ptr_eq(&compiled[at].rules, &compiled[at + 1].rules);
    assert_eq!([shared(0), shared(1), shared(2)], [true, false, false]);
    let lines = compiled
        .iter()
        .map(|route| route.rules.response_edits.lines());
    let expected = [1, 1, 2, 1].map(|value| format!("x-scope: {value}\r\n").into_bytes());
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

/// Rules that set `Host` by an edit, by `host`, or by both.
fn host_rules(edit: Option<&str>, seen: Option<&str>) -> Rules {
    let header = edit.map(|value| Header::new(Direction::Request, "host", value).unwrap());
    Rules {
        request_headers: RequestHeaders(HeaderEdits {
            set: header.into_iter().collect(),
            ..HeaderEdits::default()
        }),
        host: HostSeen(seen.map(Into::into)),
        ..Rules::default()
    }
}

#[test]
fn the_host_of_a_route_replaces_wider_edits_but_not_its_own() {
    let (edited, seen) = (Some("edit.example"), Some("seen.example:80"));
    for (wide, own, lines) in [
        (None, host_rules(None, seen), "host: seen.example:80\r\n"),
        (edited, host_rules(None, None), "host: edit.example\r\n"),
        (edited, host_rules(None, seen), "host: seen.example:80\r\n"),
        (None, host_rules(edited, seen), "host: edit.example\r\n"),
    ] {
        let mut host = host([0], host_rules(wide, None));
        host.routes[0].rules = own;
        let mut compiled = CompiledScope::default().compile(&host);
        let rules = compiled.next().unwrap().rules;
        assert_eq!(rules.request_edits.lines(), lines.as_bytes());
        assert_eq!(rules.request_edits.dropped().count(), 1);
        assert_eq!(rules.others.host, HostSeen::default());
    }
}

#[test]
fn a_header_of_a_claim_is_dropped_where_its_authorization_applies_and_no_rule_sets_it() {
    let text = "server_headers: [\"X-User:rule\", \"X-Other:rule\"]\n\
        authorization: {type: jwt, creds: 0123456789abcdef, claims: {sub: X-User}}\n\
        a.example:\n  paths:\n    /0: {redirect_to: \"https://x.example\"}\n    \
        /1: {redirect_to: \"https://x.example\", authorization: none}\n    \
        /2: {redirect_to: \"https://x.example\", server_headers: [\"X-Third:rule\"]}\n";
    let documents = DocumentSet::of_main(text.into());
    let authored = document::read(&documents, &Surroundings::default()).unwrap();
    let scope = CompiledScope::of(&authored.settings);
    let routes: Vec<_> = scope.compile(&authored.hosts[0].host).collect();
    for (index, lines) in [
        (0, "x-other: rule\r\n"),
        (1, "x-user: rule\r\nx-other: rule\r\n"),
        (2, "x-other: rule\r\nx-third: rule\r\n"),
    ] {
        let edits = &routes[index].rules.request_edits;
        assert!(edits.drops(b"X_User"), "{index}");
        assert_eq!(edits.lines(), lines.as_bytes(), "{index}");
        assert_eq!(routes[index].rules.policies.len(), usize::from(index != 1));
    }
}
