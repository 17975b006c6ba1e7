use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::matcher::{Scheme, Target};
use aralez_proto::model::{HostPattern, TokenIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::additions::Additions;
use crate::limits::{LimitedRoute, RouteLimits};
use crate::observe::Unobserved;
use crate::policy::{Evaluated, Policy, evaluate};
use crate::pseudonym::Pseudonym;
use crate::state::{ClientCounts, CredentialDigest, Credentials, Unused};
use crate::trace::NewIds;
use crate::{Context, Pairs, Request};

mod claims;
mod issued;
mod odd_fields;
mod server;
mod signatures;
mod vectors;

/// The secret of the tests' HS256 rules.
const SECRET: &str = "910517d9-f9a1-48de-8826-dbadacbd84af";
/// The time at which requests arrive.
const NOW: u64 = 1_900_000_000;
/// `htpasswd -nbB user pa:ss` of Debian's apache2-utils.
const HTPASSWD: &str = "user:$2y$05$GMrcYZrqbfSQy4XCgj/m/ujyODbz6ufzsaBrPybPKrft0Ps/YXLtW";

/// The memory of one process, with a clock that stands still.
#[derive(Default)]
struct Memory {
    verified: RefCell<HashMap<CredentialDigest, Arc<Verified>>>,
    failures: Cell<u32>,
    blocked: Cell<bool>,
}

impl State for Memory {
    fn counts(&self) -> &dyn ClientCounts {
        &Unused::TIMELESS
    }

    fn credentials(&self) -> &dyn Credentials {
        self
    }
}

impl Credentials for Memory {
    fn unix_now(&self) -> u64 {
        NOW
    }

    fn blocked(&self, _: IpAddr) -> Option<Duration> {
        self.blocked.get().then_some(Duration::from_millis(30_500))
    }

    fn fail(&self, _: IpAddr) {
        self.failures.set(self.failures.get() + 1);
    }

    fn digest(&self, parts: &[&[u8]]) -> CredentialDigest {
        CredentialDigest(Sha256::digest(parts.join(&b'|')).into())
    }

    fn verified(&self, digest: &CredentialDigest) -> Option<Arc<Verified>> {
        self.verified.borrow().get(digest).cloned()
    }

    fn remember(&self, digest: CredentialDigest, verified: Arc<Verified>) {
        self.verified.borrow_mut().insert(digest, verified);
    }
}

/// A route with authorization.
struct Guarded {
    policies: Box<[Policy]>,
    memory: Memory,
}

/// What became of a request.
struct Judged {
    result: Result<Evaluated, Rejection>,
    additions: Additions,
}

impl Judged {
    /// Returns the answer as one line: `pass`, or the status, with the fields of the response and those of the request to the endpoint.
    fn line(&self) -> String {
        let mut line = match &self.result {
            Ok(Evaluated::Passed) => "pass".to_owned(),
            Ok(other) => format!("{other:?}"),
            Err(rejection) => rejection.status().to_string(),
        };
        for list in [&self.additions.response, &self.additions.request] {
            for (name, value) in list.fields() {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                line.push_str(&format!(" {}: {}", text(name), text(value)));
            }
        }
        line
    }
}

impl Guarded {
    fn new(rule: &str) -> Self {
        Self::of_issuer(rule, TokenIssuer::Unknown)
    }

    /// A route of a control that signs tokens with the key of `issuer`.
    fn of_issuer(rule: &str, issuer: TokenIssuer) -> Self {
        let rules = Self::rules(rule, issuer);
        let policies = Policy::of(&rules, &RouteLimits::of(&rules, &Rules::default(), false));
        Self {
            policies,
            memory: Memory::default(),
        }
    }

    fn rules(rule: &str, issuer: TokenIssuer) -> Rules {
        let set = DocumentSet::of_main(format!("authorization: {rule}\n").into());
        let surroundings = Surroundings {
            issuer,
            ..Surroundings::default()
        };
        let authored = document::read(&set, &surroundings);
        authored.expect("the rule is valid").settings.rules
    }

    fn hs256(more: &str) -> Self {
        Self::new(&format!("{{type: jwt, creds: {SECRET}{more}}}"))
    }

    /// Judges a request, and answers its questions as an engine would.
    fn judge(&self, target: &str, fields: &[(&str, &str)]) -> Judged {
        let mut additions = Additions::default();
        let mut resumed = None;
        loop {
            let result = self.evaluate(target, fields, resumed, &mut additions);
            let Ok(Evaluated::Asks(Ask::Password(check), pause)) = result else {
                return Judged { result, additions };
            };
            resumed = Some((pause, Reply::Password(check.compute())));
        }
    }

    fn evaluate(
        &self,
        target: &str,
        fields: &[(&str, &str)],
        resumed: Option<(crate::ask::Pause, Reply)>,
        additions: &mut Additions,
    ) -> Result<Evaluated, Rejection> {
        let context = Context {
            node: &Pseudonym::new([0; 8]),
            ids: &NewIds::default(),
            tls_port: None,
        };
        let request = Request {
            method: "GET",
            scheme: Scheme::Http,
            host: Some("a.example"),
            target,
            client: [192, 0, 2, 1].into(),
            fields: Pairs(fields),
        };
        let mut subject = Subject {
            context: &context,
            request: &request,
            host: Some("a.example"),
            target: &Target::parse(target).unwrap(),
            route: LimitedRoute {
                host: &HostPattern::CatchAll,
                path: "/",
                match_key: 0,
            },
            state: &self.memory,
            additions,
        };
        evaluate(&self.policies, resumed, &mut subject, &mut Unobserved)
    }

    fn with(&self, name: &str, value: &str) -> String {
        self.judge("/", &[(name, value)]).line()
    }

    fn bearer(&self, token: &str) -> String {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn basic(&self, credentials: &str) -> String {
        let coded = STANDARD.encode(credentials);
        self.with("Authorization", &format!("Basic {coded}"))
    }
}

const BEARER: &str = "401 www-authenticate: Bearer error=\"invalid_token\"";

/// Signs claims with HMAC-SHA256, written out from RFC 2104.
fn hs256(header: &str, claims: &str, secret: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut key = [0_u8; 64];
    key[..secret.len()].copy_from_slice(secret.as_bytes());
    let inner = Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x36))
        .chain_update(&message)
        .finalize();
    let outer = Sha256::new()
        .chain_update(key.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(outer))
}

fn token(claims: &str) -> String {
    hs256(r#"{"typ":"JWT","alg":"HS256"}"#, claims, SECRET)
}

/// Name and password of the documented form, as control hashes it.
// Row S65: basic.
// Row X3: no panic on what clients send.
#[test]
fn a_name_and_its_password_pass_and_nothing_else_does() {
    let guarded = Guarded::new(&format!(
        "{{type: basic, realm: In, users: ['{HTPASSWD}']}}"
    ));
    let challenge = "401 www-authenticate: Basic realm=\"In\", charset=\"UTF-8\"";
    assert_eq!(guarded.basic("user:pa:ss"), "pass");
    for wrong in [
        "user:pa:sS",
        "user:",
        "user",
        "other:pa:ss",
        ":",
        "use:rpa:ss",
    ] {
        assert_eq!(guarded.basic(wrong), challenge, "{wrong}");
    }
    assert_eq!(guarded.memory.failures.get(), 6);
    // X3: what a client sends is never trusted to be text.
    for wrong in [
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic gICAgA==",
        "bAsIc dXNlcjpwYTpzUw==",
    ] {
        assert_eq!(guarded.with("authorization", wrong), challenge, "{wrong}");
    }
    assert_eq!(
        guarded.with("authorization", "bAsIc  dXNlcjpwYTpzcw"),
        "pass"
    );
    assert_eq!(guarded.judge("/", &[]).line(), challenge);
}

// Row A-08: guessing.
// Row X5: guessing.
#[test]
fn a_proven_password_is_not_hashed_again_and_a_wrong_one_always_is() {
    let guarded = Guarded::new(&format!("{{type: basic, users: ['{HTPASSWD}']}}"));
    let asks = |credentials: &str| {
        let value = format!("Basic {}", STANDARD.encode(credentials));
        let mut additions = Additions::default();
        let fields = [("authorization", value.as_str())];
        let result = guarded.evaluate("/", &fields, None, &mut additions);
        matches!(result, Ok(Evaluated::Asks(..)))
    };
    assert!(asks("user:pa:ss"));
    assert_eq!(guarded.basic("user:pa:ss"), "pass");
    assert!(!asks("user:pa:ss"));
    // X5: a name that does not exist costs the same as one that does.
    for wrong in ["user:wrong", "nobody:pa:ss"] {
        assert!(asks(wrong), "{wrong}");
        guarded.basic(wrong);
        assert!(asks(wrong), "{wrong}");
    }
}

#[test]
fn a_question_without_a_reply_is_unavailable_and_no_failure() {
    let guarded = Guarded::new(&format!("{{type: basic, users: ['{HTPASSWD}']}}"));
    let fields = [("authorization", "Basic dXNlcjp4")];
    let mut additions = Additions::default();
    let asked = guarded.evaluate("/", &fields, None, &mut additions);
    let Ok(Evaluated::Asks(_, pause)) = asked else {
        panic!("does not ask");
    };
    let resumed = Some((pause, Reply::Unavailable));
    let result = guarded.evaluate("/", &fields, resumed, &mut additions);
    assert_eq!(result.unwrap_err(), Rejection::Unavailable);
    assert_eq!(guarded.memory.failures.get(), 0);
}

/// A key in `x-api-key`.
// Row S66: apikey.
#[test]
fn each_of_several_keys_passes() {
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let guarded = Guarded::new(&format!(
        "{{type: apikey, keys: [first, 'sha256:{digest}']}}"
    ));
    let challenge = "401 www-authenticate: ApiKey realm=\"aralez\"";
    assert_eq!(guarded.with("X-Api-Key", "first"), "pass");
    assert_eq!(guarded.with("x-api-key", "secret"), "pass");
    for wrong in ["", "firs", "first ", digest, "sha256:"] {
        assert_eq!(guarded.with("x-api-key", wrong), challenge, "{wrong}");
    }
    assert_eq!(guarded.judge("/", &[]).line(), challenge);
    assert_eq!(guarded.memory.failures.get(), 5, "no key is no attempt");
}

/// Guessing ends.
// Row A-08: guessing.
// Row X5: guessing.
#[test]
fn a_blocked_address_is_refused_before_anything_is_compared() {
    let guarded = Guarded::new("{type: apikey, creds: first}");
    guarded.memory.blocked.set(true);
    for key in ["first", "second"] {
        assert_eq!(guarded.with("x-api-key", key), "429 retry-after: 31");
    }
    assert_eq!(guarded.memory.failures.get(), 0);
    // Also if it was blocked while a hash was computed.
    let guarded = Guarded::new(&format!("{{type: basic, users: ['{HTPASSWD}']}}"));
    let fields = [("authorization", "Basic dXNlcjpwYTpzcw==")];
    let mut additions = Additions::default();
    let asked = guarded.evaluate("/", &fields, None, &mut additions);
    let Ok(Evaluated::Asks(_, pause)) = asked else {
        panic!("does not ask");
    };
    guarded.memory.blocked.set(true);
    let resumed = Some((pause, Reply::Password(true)));
    let result = guarded.evaluate("/", &fields, resumed, &mut additions);
    assert_eq!(result.unwrap_err(), Rejection::Blocked);
}

/// `none` opens.
// Row S47: authorization.
// Row C6: authorization in each scope.
#[test]
fn rules_that_serve_everyone_have_no_such_policy() {
    assert!(Guarded::new("none").policies.is_empty());
    assert!(Guarded::new("{type: none}").policies.is_empty());
}
