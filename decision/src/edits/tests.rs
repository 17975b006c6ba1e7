use aralez_proto::model::{Direction, Header};

use super::*;

#[test]
fn a_route_takes_away_what_it_removes_and_sets_and_adds_what_it_sets_and_appends() {
    let header = |name, value| Header::new(Direction::Response, name, value).unwrap();
    let edits = CompiledEdits::new(&HeaderEdits {
        set: vec![header("X-A", "1")],
        append: vec![header("X-B", "2")],
        remove: vec!["x-c".to_owned()],
    });
    assert_eq!(edits.lines(), b"x-a: 1\r\nx-b: 2\r\n");
    let fields: Vec<(&[u8], &[u8])> = edits.fields().collect();
    assert_eq!(fields, [(&b"x-a"[..], &b"1"[..]), (b"x-b", b"2")]);
    let dropped: Vec<_> = edits.dropped().map(|(name, _)| name).collect();
    assert_eq!(dropped, [b"x-a", b"x-c"]);
    for (name, dropped) in [
        ("X-a", true),
        ("X-B", false),
        ("X-C", true),
        ("X_c", true),
        ("x.C", true),
        ("XxC", false),
        ("X", false),
    ] {
        assert_eq!(edits.drops(name.as_bytes()), dropped, "{name}");
    }
    assert!(!edits.sets_date());
    let dated = HeaderEdits {
        set: vec![header("Date", "now")],
        ..HeaderEdits::default()
    };
    assert!(CompiledEdits::new(&dated).sets_date());
    assert!(CompiledEdits::default().drops_nothing());
}

#[test]
fn the_endpoint_learns_who_asked_for_what_and_how() {
    let text = |client: &str, tls, host: &str| {
        let mut out = Vec::new();
        Forwarded::new(client.parse().unwrap(), tls).write(
            Some(host),
            &CompiledEdits::default(),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        text("203.0.113.7", true, "Example.com:443"),
        "x-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\nx-forwarded-host: Example.com:443\r\n"
    );
    assert!(
        text("::1", false, "a").contains("x-forwarded-for: ::1\r\nx-forwarded-proto: http\r\n")
    );
}

#[test]
fn what_is_said_of_the_client_is_data_as_well_unless_the_route_says_it() {
    let forwarded = Forwarded::new("::1".parse().unwrap(), true);
    let said = |edits: &CompiledEdits| {
        let fields = forwarded.fields(Some("a:1"), edits);
        fields
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        said(&CompiledEdits::default()),
        "x-forwarded-for=::1 x-forwarded-proto=https x-forwarded-host=a:1"
    );
    let own = CompiledEdits::new(&HeaderEdits {
        remove: vec!["x-forwarded-for".to_owned(), "x-forwarded-host".to_owned()],
        ..HeaderEdits::default()
    });
    assert_eq!(said(&own), "x-forwarded-proto=https");
}

#[test]
fn a_prefix_takes_away_every_name_that_begins_with_it() {
    let edits = HeaderEdits {
        remove: vec!["x-c".to_owned()],
        ..HeaderEdits::default()
    };
    let edits = CompiledEdits::dropping(&edits, &["x-auth-"]);
    for (name, dropped) in [
        ("X-Auth-User", true),
        ("x_auth_user", true),
        ("X-Auth-", true),
        ("X-Auth", false),
        ("X-Author", false),
        ("X-C", true),
        ("X-Cd", false),
    ] {
        assert_eq!(edits.drops(name.as_bytes()), dropped, "{name}");
    }
    assert!(!edits.drops_nothing());
}
