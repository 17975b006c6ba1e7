use proptest::prelude::*;

use super::*;
use crate::Pairs;
use crate::edits::CompiledEdits;

/// The proxy at the other end of the connection.
const PROXY: [u8; 4] = [10, 0, 0, 1];

fn trusting(list: &[&str]) -> Networks {
    list.iter().map(|text| text.parse().unwrap()).collect()
}

fn from<'a>(sender: impl Into<IpAddr>, fields: &'a [(&'a str, &'a str)]) -> Request<'a, Pairs<'a>> {
    Request {
        method: "GET",
        scheme: Scheme::Http,
        host: Some("a.example"),
        target: "/",
        client: sender.into(),
        fields: Pairs(fields),
    }
}

/// The facts about a request from the proxy, where 10.0.0.0/8 is trusted.
fn facts(fields: &[(&str, &str)]) -> ClientFacts {
    ClientFacts::of(&trusting(&["10.0.0.0/8"]), &from(PROXY, fields))
}

fn client(fields: &[(&str, &str)]) -> String {
    facts(fields).client.address.to_string()
}

#[test]
fn the_right_most_address_that_is_not_trusted_is_the_client() {
    for (list, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("6.6.6.6, 10.0.0.3, unknown, 10.0.0.2", "10.0.0.2"),
        ("6.6.6.6, unknown", "10.0.0.1"),
        (
            "6.6.6.6, 192.0.2.1:80,, [::ffff:10.0.0.2]:80 ,",
            "192.0.2.1",
        ),
        ("10.0.0.2, \"[2001:db8::1]\"", "2001:db8::1"),
        (",", "10.0.0.1"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", list)]), expected, "{list}");
    }
    let in_fields = [
        ("X-Forwarded-For", "6.6.6.6, 192.0.2.1"),
        ("x-forwarded-for", "10.0.0.3"),
        ("X-FORWARDED-FOR", ""),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
    ];
    assert_eq!(client(&in_fields), "192.0.2.1");
}

#[test]
fn forwarded_names_the_client_where_x_forwarded_for_does_not() {
    for (list, expected) in [
        (
            "for=6.6.6.6, for=192.0.2.1;proto=https, for=10.0.0.2",
            "192.0.2.1",
        ),
        ("for=192.0.2.1, for=unknown, for=10.0.0.2", "10.0.0.2"),
        ("for=192.0.2.1, proto=http", "10.0.0.1"),
        ("for=\"[2001:db8::1]:80\"", "2001:db8::1"),
        ("for=\"6.6.6.6, for=192.0.2.1", "192.0.2.1"),
        ("for=192.0.2.1;host=\"a, for=6.6.6.6\"", "192.0.2.1"),
    ] {
        assert_eq!(client(&[("Forwarded", list)]), expected, "{list}");
    }
    let both = [
        ("Forwarded", "for=6.6.6.6"),
        ("X-Forwarded-For", "192.0.2.1"),
    ];
    assert_eq!(client(&both), "192.0.2.1");
}

/// A client cannot become its proxy by making the list long.
// Row T-04: fields about the client.
#[test]
fn a_long_list_names_a_client_only_by_an_address_at_its_end_that_is_not_trusted() {
    let hops = |count: usize| vec!["10.0.0.2"; count].join(", ");
    assert_eq!(client(&[("x-forwarded-for", &hops(20))]), "10.0.0.2");
    assert_eq!(client(&[("x-forwarded-for", &hops(21))]), "10.0.0.1");
    let far = format!("192.0.2.1, {}", hops(20));
    assert_eq!(client(&[("x-forwarded-for", &far)]), "10.0.0.1");
    let padded = |end: &str| format!("{}, {end}", "x".repeat(1_024));
    for (end, expected) in [("10.0.0.2", "10.0.0.1"), ("192.0.2.1", "192.0.2.1")] {
        let list = padded(end);
        assert_eq!(client(&[("x-forwarded-for", &list)]), expected);
        let list = format!("for={}, for={end}", "x".repeat(1_024));
        assert_eq!(client(&[("forwarded", &list)]), expected);
    }
}

#[test]
fn the_scheme_is_the_one_that_the_last_proxy_says_or_that_of_the_connection() {
    for (fields, expected) in [
        (&[("X-Forwarded-Proto", "https")][..], Scheme::Https),
        (&[("X-Forwarded-Proto", "WSS")], Scheme::Https),
        (&[("X-Forwarded-Proto", "https, http")], Scheme::Http),
        (
            &[("X-Forwarded-Proto", "https"), ("x-forwarded-proto", "ws")],
            Scheme::Http,
        ),
        (&[("X-Forwarded-Proto", "ftp")], Scheme::Http),
        (
            &[("Forwarded", "for=1;proto=http, for=2;proto=https")],
            Scheme::Https,
        ),
        (&[("Forwarded", "for=1;proto=https, for=2")], Scheme::Http),
        (
            &[("X-Forwarded-Proto", "http"), ("Forwarded", "proto=https")],
            Scheme::Http,
        ),
        (
            &[("X_Forwarded_Proto", "https"), ("X-Forwarded-Ssl", "on")],
            Scheme::Http,
        ),
        (&[], Scheme::Http),
    ] {
        assert_eq!(facts(fields).client.scheme, expected, "{fields:?}");
    }
}

/// The lines for an endpoint about a request from the proxy, each followed by a semicolon.
fn lines(fields: &[(&str, &str)], route: &CompiledEdits) -> String {
    let mut out = Vec::new();
    let fields_seen = Pairs(fields);
    let facts = facts(fields);
    let relayed = facts.relayed(&fields_seen).expect("from a trusted proxy");
    relayed.write(Some("a.example"), route, &mut out);
    String::from_utf8(out).unwrap().replace("\r\n", ";")
}

fn plain(fields: &[(&str, &str)]) -> String {
    lines(fields, &CompiledEdits::default())
}

#[test]
fn an_endpoint_sees_what_the_proxies_say_with_the_last_one_appended() {
    let own = "x-forwarded-proto: http;x-forwarded-host: a.example;";
    assert_eq!(plain(&[]), format!("x-forwarded-for: 10.0.0.1;{own}"));
    let said = [
        ("X-Forwarded-For", "unknown,192.0.2.1"),
        ("X-Forwarded-For", " 10.0.0.2:80"),
        ("X-Forwarded-Proto", "http, WSS"),
        ("X-Forwarded-Host", "b.example, c.example:81"),
        ("X-Forwarded-Port", "444"),
    ];
    assert_eq!(
        plain(&said),
        "x-forwarded-for: unknown, 192.0.2.1, 10.0.0.2:80, 10.0.0.1;x-forwarded-proto: WSS;x-forwarded-host: c.example:81;"
    );
    let bad = [
        ("X-Forwarded-Proto", "https, ftp"),
        ("X-Forwarded-Host", "b.example, c d"),
    ];
    assert_eq!(plain(&bad), format!("x-forwarded-for: 10.0.0.1;{own}"));
}

#[test]
fn forwarded_is_continued_and_never_begun() {
    let element = "for=10.0.0.1;proto=http;";
    let said = [
        ("Forwarded", "for=_a"),
        ("Forwarded", "for=\"[2001:db8::1]\";proto=https"),
    ];
    assert_eq!(
        plain(&said),
        format!(
            "x-forwarded-for: 2001:db8::1, 10.0.0.1;x-forwarded-proto: https;x-forwarded-host: a.example;\
             forwarded: for=_a, for=\"[2001:db8::1]\";proto=https, {element}"
        )
    );
    let malformed = plain(&[("Forwarded", "for=\"x, for=192.0.2.1")]);
    let end = format!("forwarded: for=192.0.2.1;proto=http, {element}");
    assert!(malformed.ends_with(&end), "{malformed}");
    let fields = [("Forwarded", "for=192.0.2.1")];
    let request = from(std::net::Ipv6Addr::LOCALHOST, &fields);
    let sent = ClientFacts::of(&trusting(&["::1/128"]), &request);
    let mut out = Vec::new();
    let relayed = sent.relayed(&request.fields).unwrap();
    relayed.write(None, &CompiledEdits::default(), &mut out);
    let end = b"forwarded: for=192.0.2.1, for=\"[::1]\";proto=http\r\n";
    assert!(out.ends_with(end), "{}", out.escape_ascii());
}

#[test]
fn a_list_that_is_long_or_ends_in_no_address_is_replaced_by_what_is_known() {
    let long = format!("{}192.0.2.1", "6.6.6.6, ".repeat(20));
    let said = plain(&[("X-Forwarded-For", &long)]);
    assert!(
        said.starts_with("x-forwarded-for: 192.0.2.1, 10.0.0.1;"),
        "{said}"
    );
    let said = plain(&[("X-Forwarded-For", "192.0.2.1, unknown")]);
    assert!(said.starts_with("x-forwarded-for: 10.0.0.1;"), "{said}");
    let long = format!("{}for=192.0.2.1", "for=6.6.6.6, ".repeat(20));
    let said = plain(&[("Forwarded", &long)]);
    let end = ";forwarded: for=192.0.2.1;proto=http, for=10.0.0.1;proto=http;";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn what_the_operator_sets_or_removes_is_not_said() {
    use aralez_proto::model::HeaderEdits;

    let names = [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "forwarded",
    ];
    let said = [
        ("Forwarded", "for=192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.1"),
    ];
    let all = plain(&said);
    for name in names {
        let route = CompiledEdits::new(&HeaderEdits {
            remove: vec![name.to_owned()],
            ..HeaderEdits::default()
        });
        let left = all.split(&format!("{name}: ")).count();
        assert!(left > 1, "{name} is said otherwise: {all}");
        let said = lines(&said, &route);
        assert!(!said.contains(&format!("{name}: ")), "{name}: {said}");
    }
}

#[test]
fn a_field_passes_from_a_trusted_proxy_unless_it_is_written_anew() {
    for name in [
        "X-Real-IP",
        "X_Forwarded_For",
        "X-Forwarded-Port",
        "Remote-User",
    ] {
        assert!(passes(name.as_bytes()), "{name}");
    }
    for name in [
        "x-forwarded-for",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "FORWARDED",
        "Proxy",
    ] {
        assert!(!passes(name.as_bytes()), "{name}");
    }
}

/// A member of a list of hops, and the address that it names.
fn member() -> impl Strategy<Value = (String, Option<IpAddr>)> {
    let address = prop_oneof![
        (0..4_u8, 0..4_u8).prop_map(|(a, b)| IpAddr::from([10, 0, a, b])),
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u16; 8]>().prop_map(|parts| IpAddr::from(parts).to_canonical()),
    ];
    let written = |address: IpAddr, form: u8| match (form, address) {
        (0, IpAddr::V4(address)) => format!("{address}:4430"),
        (0 | 1, IpAddr::V6(address)) => format!("[{address}]"),
        (2, IpAddr::V6(address)) => format!("\"[{address}]:443\""),
        (_, address) => address.to_string(),
    };
    prop_oneof![
        9 => (address, 0..4_u8).prop_map(move |(address, form)| (written(address, form), Some(address))),
        1 => "[a-z\"=;\\\\]{1,9}".prop_map(|text| (text, None)),
    ]
}

/// The client by the rule, over the whole list at once.
fn model(trusted: &Networks, hops: &[Option<IpAddr>]) -> IpAddr {
    let proxy = IpAddr::from(PROXY);
    let end = &hops[hops.len().saturating_sub(hops::MOST_HOPS)..];
    let readable = end
        .iter()
        .rposition(Option::is_none)
        .map_or(0, |bad| bad + 1);
    let known: Vec<IpAddr> = end[readable..].iter().copied().flatten().collect();
    let stranger = known
        .iter()
        .rev()
        .find(|address| !trusted.contain(**address));
    match (stranger, known.first()) {
        (Some(stranger), _) => *stranger,
        (None, Some(first)) if hops.len() <= hops::MOST_HOPS => *first,
        _ => proxy,
    }
}

proptest! {
    #[test]
    fn the_walk_finds_the_client_of_the_rule(
        members in prop::collection::vec(member(), 0..24),
        split in 0..24_usize,
    ) {
        let trusted = trusting(&["10.0.0.0/8"]);
        let texts: Vec<&str> = members.iter().map(|(text, _)| text.as_str()).collect();
        let (first, last) = texts.split_at(split.min(texts.len()));
        let (first, last) = (first.join(","), last.join(" , "));
        prop_assume!(first.len() + last.len() <= 1_024);
        let fields = [("X-Forwarded-For", first.as_str()), ("X-Forwarded-For", &last)];
        let found = ClientFacts::of(&trusted, &from(PROXY, &fields));
        let hops: Vec<Option<IpAddr>> = members.iter().map(|(_, address)| *address).collect();
        prop_assert_eq!(found.client.address, model(&trusted, &hops));
    }

    /// What a client says about itself changes nothing, unless it is a trusted proxy.
    #[test]
    fn nothing_that_a_client_says_is_believed(
        name in prop::sample::select(vec!["X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "X-Real-IP", "X_Forwarded_For"]),
        value in "[ -~]{0,60}",
        client in any::<[u8; 4]>(),
    ) {
        let client = IpAddr::from(client);
        let networks = trusting(&["10.0.0.0/8"]);
        prop_assume!(!networks.contain(client));
        let fields = [(name, value.as_str())];
        let request = from(client, &fields);
        for trusted in [&networks, &Networks::default()] {
            let found = ClientFacts::of(trusted, &request);
            prop_assert_eq!(found, ClientFacts::of(trusted, &from(client, &[])));
            prop_assert_eq!(found.client.address, client);
            prop_assert!(found.relayed(&request.fields).is_none());
        }
    }

    #[test]
    fn no_fields_make_a_head_with_more_lines_or_a_list_that_grows_without_limit(
        list in "[ -~]{0,1200}",
        other in "[ -~]{0,1200}",
    ) {
        let said = [("X-Forwarded-For", list.as_str()), ("Forwarded", &other), ("X-Forwarded-Host", &other)];
        let text = plain(&said).replace("; ", ",");
        prop_assert!(text.len() < 4_000, "{}", text.len());
        prop_assert!(!text.contains('\r') && !text.contains('\n'));
    }
}
