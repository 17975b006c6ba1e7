//! The verdict of another server.

use super::*;
use crate::additions::FieldList;
use crate::authorization::server::{CopiedFields, ServerQuestion};
use crate::edits::CompiledEdits;

const RULE: &str = "{type: forward, url: 'http://127.0.0.1:9091/verify'";

/// Returns the question about a request, and its place.
fn asked(guarded: &Guarded, target: &str) -> (ServerQuestion, crate::ask::Pause) {
    let asked = guarded.evaluate(target, &[], None, &mut Additions::default());
    match asked {
        Ok(Evaluated::Asks(Ask::Server(question), pause)) => (question, pause),
        other => panic!("{other:?}"),
    }
}

/// Returns what became of a request to which the server replied.
fn replied(guarded: &Guarded, reply: Reply) -> String {
    let (_, pause) = asked(guarded, "/");
    let mut additions = Additions::default();
    let result = guarded.evaluate("/", &[], Some((pause, reply)), &mut additions);
    Judged { result, additions }.line()
}

fn lines(fields: &FieldList) -> &str {
    std::str::from_utf8(fields.lines()).unwrap()
}

/// Original method, URI, host and scheme, without the token.
#[test]
fn the_server_is_told_what_the_client_asks_for_and_never_its_token() {
    let guarded = Guarded::new(&format!("{RULE}}}"));
    let (question, _) = asked(&guarded, "/x/../a?b=1&araleztoken=s3cret");
    assert_eq!(
        lines(&question.fields),
        "x-forwarded-method: GET\r\nx-forwarded-uri: /a?b=1\r\nx-original-method: GET\r\nx-original-url: http://a.example/a?b=1\r\n"
    );
    assert_eq!(question.server.rule.url.path_and_query(), "/verify");
}

/// Without a verdict nobody passes.
#[test]
fn only_the_servers_word_passes_a_request() {
    let guarded = Guarded::new(&format!("{RULE}}}"));
    assert_eq!(
        replied(&guarded, Reply::Allowed(CopiedFields::default())),
        "pass"
    );
    assert_eq!(replied(&guarded, Reply::Denied), "403");
    assert_eq!(replied(&guarded, Reply::Unavailable), "503");
    assert_eq!(
        guarded.memory.failures.get(),
        0,
        "the server counts attempts itself"
    );
    guarded.memory.blocked.set(true);
    assert!(
        guarded.with("a", "b").starts_with("429"),
        "an address that guessed elsewhere is not asked about"
    );
}

/// Returns the fields that a rule copies from a response to the request and to the client.
fn copied(rule: &str, response: &[(&str, &str)]) -> String {
    let guarded = Guarded::new(rule);
    let (question, _) = asked(&guarded, "/");
    let fields = response
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    replied(&guarded, Reply::Allowed(question.server.copied(fields)))
}

#[test]
fn the_named_headers_of_the_response_reach_the_endpoint() {
    let response = [
        ("Remote-User", "ann"),
        ("Remote-Groups", "a,b"),
        ("X-Auth-Request-Email", "ann@a.example"),
        ("X-Other", "1"),
        ("Set-Cookie", "s=1"),
        ("Authorization", "Bearer x"),
        ("Content-Length", "0"),
    ];
    assert_eq!(
        copied(&format!("{RULE}}}"), &response),
        "pass remote-user: ann remote-groups: a,b x-auth-request-email: ann@a.example"
    );
    assert_eq!(
        copied(
            &format!("{RULE}, copy: [Set-Cookie, authorization, X-Other]}}"),
            &response
        ),
        "pass set-cookie: s=1 x-other: 1 authorization: Bearer x"
    );
}

/// A prefix cannot overwrite what the proxy or the operator says.
#[test]
fn a_prefix_copies_nothing_over_what_others_set() {
    let response = [
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Request-Id", "1"),
        ("X-Set", "server"),
        ("X-User", "ann"),
        ("x_forwarded_for", "10.0.0.1"),
    ];
    let set = "server_headers: [\"X-Set:operator\"]";
    let rule = format!("{RULE}, copy: 'X-*'}}\n{set}");
    assert_eq!(copied(&rule, &response), "pass x-user: ann");
}

/// The client cannot send what the server is to say.
#[test]
fn a_client_cannot_send_the_copied_headers_itself() {
    let rules = Guarded::rules(
        &format!("{RULE}, copy: [X-User, 'X-Auth-*']}}"),
        TokenIssuer::Unknown,
    );
    let prefixes = prefixes_of(&rules.authorization);
    let edits = aralez_proto::model::HeaderEdits {
        remove: fields_of(&rules).map(str::to_owned).collect(),
        ..Default::default()
    };
    let edits = CompiledEdits::dropping(&edits, &prefixes);
    for name in ["X-User", "x_user", "X-Auth-Anything"] {
        assert!(edits.drops(name.as_bytes()), "{name}");
    }
    assert!(!edits.drops(b"X-Users"));
}
