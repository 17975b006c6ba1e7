use aralez_proto::model::{Direction, Header};

use super::*;

fn passes(name: &str) -> bool {
    passes_request(name, ["close, X-Mine", "keep-alive"])
}

#[test]
fn what_belongs_to_one_connection_goes_no_further() {
    for name in [
        "Connection",
        "keep-alive",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "x-mine",
        "Proxy-Connection",
    ] {
        assert!(!passes(name), "{name}");
        assert!(!passes_response(name, ["x-mine"]), "{name}");
    }
    for name in ["Host", "Accept", "Cookie", "X-Mine-2", "Content-Length"] {
        assert!(passes(name), "{name}");
    }
}

#[test]
fn a_client_cannot_speak_in_our_name_in_any_spelling() {
    for name in [
        "X-Forwarded-For",
        "X_Forwarded_For",
        "x-forwarded_proto",
        "Forwarded",
        "X-Real-IP",
        "X_REAL_IP",
        "X-Client-Cert",
    ] {
        assert!(!passes(name), "{name}");
    }
    assert!(passes("X-Forwarded"));
    assert!(passes("X-Forwarded-Forx"));
    assert!(passes_response("X-Real-IP", []));
}

#[test]
fn a_client_cannot_have_managed_fields_dropped() {
    assert_eq!(
        check_nomination(["close, X-Mine, Cookie", "", "keep-alive"]),
        Ok(())
    );
    for named in [
        "x-forwarded-for",
        "close, Host",
        "X-Real-Ip",
        "x_forwarded_proto",
        "via",
        ":authority",
        "content-length",
    ] {
        assert_eq!(check_nomination([named]), Err(ManagedField), "{named}");
    }
}

#[test]
fn an_endpoint_cannot_have_the_framing_dropped() {
    assert!(passes_response("content-length", ["content-length"]));
}

#[test]
fn a_route_removes_then_sets_then_appends() {
    let header = |name, value| Header::new(Direction::Request, name, value).unwrap();
    let edits = HeaderEdits {
        set: vec![header("X-A", "1")],
        append: vec![header("X-B", "2")],
        remove: vec!["x-c".to_owned()],
    };
    let listed: Vec<Edit<'_>> = of_route(&edits).collect();
    let expected = [
        Edit::Remove("x-c"),
        Edit::Set("x-a", "1"),
        Edit::Append("x-b", "2"),
    ];
    assert_eq!(listed, expected);
}

#[test]
fn the_endpoint_learns_who_asked_for_what_and_how() {
    let edits = forwarded("203.0.113.7", true, "Example.com:443");
    assert!(edits.contains(&Edit::Set("x-forwarded-for", "203.0.113.7")));
    assert!(edits.contains(&Edit::Set("x-forwarded-proto", "https")));
    assert!(edits.contains(&Edit::Set("x-forwarded-host", "Example.com:443")));
    assert!(forwarded("::1", false, "a").contains(&Edit::Set("x-forwarded-proto", "http")));
}
