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

/// Reads a value as documents write it; otherwise returns the faults, one per line.
pub(super) fn read_value<T: FromYaml>(text: &str) -> Result<T, String> {
    let tree = crate::yaml::parse(text.as_bytes()).expect("it is YAML");
    let mut reader = Reader::new("value");
    let value = T::read(tree.root().expect("a value"), &mut reader);
    let (faults, _, _) = reader.finish();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    value.ok_or_else(|| faults.join("\n"))
}

/// Returns the faults of a value.
pub(super) fn said_of<T: FromYaml>(text: &str) -> String {
    read_value::<T>(text).err().expect("it is refused")
}
