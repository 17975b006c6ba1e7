use proptest::prelude::*;

use super::*;

// Row P-07: the host.
#[test]
fn a_host_is_compared_in_one_form() {
    let cases = [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("EXAMPLE.com.:8080", "example.com"),
        ("a_b.example", "a_b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example:443", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("a.test:", "a.test"),
        ("a.test.:", "a.test"),
        ("[::1]:", "[::1]"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]"),
        ("[2001:DB8::A]", "[2001:db8::a]"),
        ("localhost", "localhost"),
    ];
    for (text, normal) in cases {
        assert_eq!(normalise_host(text).as_deref(), Ok(normal), "{text}");
    }
}

#[test]
fn what_is_no_host_is_refused_with_its_reason() {
    let long_label = format!("{}.example", "a".repeat(64));
    let long = "a.".repeat(150);
    let endless = "ä".repeat(1000);
    let cases = [
        ("", InvalidHost::Empty),
        (".", InvalidHost::Empty),
        (":80", InvalidHost::Empty),
        ("a..b", InvalidHost::EmptyLabel),
        (".a", InvalidHost::EmptyLabel),
        ("a..", InvalidHost::EmptyLabel),
        ("user@example.com", InvalidHost::Character),
        ("user:secret@example.com", InvalidHost::Port),
        ("example.com/admin", InvalidHost::Character),
        ("a b", InvalidHost::Character),
        (" a", InvalidHost::Character),
        ("a,b", InvalidHost::Character),
        ("a%2eb", InvalidHost::Character),
        ("a\0", InvalidHost::Character),
        ("a℀b", InvalidHost::Character),
        ("*.a", InvalidHost::Character),
        (":", InvalidHost::Empty),
        ("a:0", InvalidHost::Port),
        ("a:65536", InvalidHost::Port),
        ("a:+80", InvalidHost::Port),
        ("a:80:80", InvalidHost::Port),
        ("::1", InvalidHost::Port),
        ("[::1", InvalidHost::Address),
        ("[]", InvalidHost::Address),
        ("[fe80::1%eth0]", InvalidHost::Address),
        ("[127.0.0.1]", InvalidHost::Address),
        ("[::1]x", InvalidHost::Port),
        (&long_label, InvalidHost::LongLabel),
        (&long, InvalidHost::TooLong),
        (&endless, InvalidHost::TooLong),
    ];
    for (text, reason) in cases {
        assert_eq!(normalise_host(text), Err(reason), "{text}");
    }
}

// Row P-07: the host.
#[test]
fn the_longest_name_is_253_bytes() {
    let name = [63, 63, 63, 61].map(|length| "a".repeat(length)).join(".");
    assert_eq!(name.len(), 253);
    assert_eq!(normalise_host(&name).as_deref(), Ok(name.as_str()));
    let dotted = format!("{name}.:65535");
    assert_eq!(normalise_host(&dotted).as_deref(), Ok(name.as_str()));
    let longer = format!("a{name}");
    assert!(normalise_host(&longer).is_err());
}

#[test]
fn a_normal_host_costs_no_allocation() {
    for text in ["example.com", "example.com:80", "10.0.0.1", "[::1]:80"] {
        let normal = normalise_host(text).unwrap();
        assert!(matches!(normal, Cow::Borrowed(_)), "{text}");
    }
}

proptest! {
    #[test]
    fn normalising_a_host_twice_changes_nothing(
        text in "[a-zA-Z0-9._:\\[\\]äßİ。-]{1,20}|\\[[0-9a-fA-F:.]{2,20}\\]|(xn--[a-z0-9]{1,6}\\.){1,2}com"
    ) {
        if let Ok(once) = normalise_host(&text) {
            prop_assert!(once.is_ascii() && !once.bytes().any(|byte| byte.is_ascii_uppercase()));
            let twice = normalise_host(&once);
            prop_assert_eq!(twice.as_deref(), Ok(&*once));
            prop_assert!(matches!(twice, Ok(Cow::Borrowed(_))));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = normalise_host(&text);
    }
}
