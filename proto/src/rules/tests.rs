use super::*;

#[test]
fn a_key_stands_in_the_scopes_that_keys_md_names() {
    let in_scope = |scope: Scope| {
        let mut names: Vec<_> = RuleKeys::keys(scope).map(|key| key.name).collect();
        names.sort_unstable();
        names
    };
    let everywhere = [
        "allow",
        "authorization",
        "compress",
        "deny",
        "errors",
        "headers",
        "max_body",
        "rate_limit",
        "server_headers",
        "timeouts",
        "to_https",
        "x4xx_limit",
    ];
    let with = |more: &[&'static str]| {
        let mut names = [everywhere.as_slice(), more].concat();
        names.sort_unstable();
        names
    };
    let pool = [
        "balance",
        "health",
        "healthcheck",
        "on_empty",
        "retries",
        "sticky_sessions",
    ];
    assert_eq!(
        in_scope(Scope::Top),
        with(&[pool.as_slice(), &["trusted_proxies"]].concat())
    );
    assert_eq!(in_scope(Scope::Host), with(&["client_ca"]));
    let path = [
        "strip_prefix",
        "add_prefix",
        "host",
        "max_in_flight",
        "tls",
        "http2",
    ];
    assert_eq!(
        in_scope(Scope::Path),
        with(&[pool.as_slice(), &path].concat())
    );
}

#[test]
fn a_scope_that_says_nothing_is_nothing_on_the_wire() {
    assert_eq!(Rules::default().encode(), None);
    let said = Rules {
        to_https: ToHttps(Some(false)),
        ..Rules::default()
    };
    let sent = said.encode().expect("it says something");
    let wrong = &mut |rule: &'static str, reason: String| panic!("{rule}: {reason}");
    assert_eq!(Rules::decode(Some(sent), wrong), said);
    assert_eq!(Rules::decode(None, wrong), Rules::default());
}
