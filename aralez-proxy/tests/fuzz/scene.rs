//! A table of routes with every kind of authorization, and what decisions about its requests are.

use std::sync::LazyLock;

use aralez_decision::additions::Additions;
use aralez_decision::ask::{Ask, Reply};
use aralez_decision::decide::{Decision, PoolChoice, decide, resume};
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::rejection::Rejection;
use aralez_decision::state::Unused;
use aralez_decision::table::RouteTable;
use aralez_decision::trace::NewIds;
use aralez_decision::{Context, Fields, Request};
use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::matcher::Scheme;
use aralez_proto::model::{HmacStates, TokenIssuer};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

/// The key with which control signs.
const ISSUER: &[u8] = b"fuzz-secret-910517d9-f9a1-48de";

/// One pool for each way to be authorized, and `secret` behind a path.
const DOCUMENT: &str = r#"
basic.test:
  authorization: {type: basic, users: ["user:$2y$04$ErvcbgWeuSgWXLeJSkB5Z.rd/HaCtrzJNBv4fIjWuGkcMg8jcW2Jm"]}
  paths: {/: {servers: ["127.0.0.1:1"]}}
key.test:
  authorization: {type: apikey, creds: fuzz-key}
  paths: {/: {servers: ["127.0.0.1:1"]}}
jwt.test:
  authorization:
    type: jwt
    claims: {sub: X-User}
    keys:
      - kid: es256
        alg: ES256
        key: "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExwMt2zbcbPI83Y7lHEoRX2HIppOO\nhu2dzOT9h472EeNBe5pdbXkr5eN6hCMKKi2nNRHEW4598hwqaMFk2mM27w==\n-----END PUBLIC KEY-----"
      - kid: eddsa
        alg: EdDSA
        key: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAFEzERPPgUVOQA8pAk1ZVBt6kZaB49eWjJ3QIruFt9Xw=\n-----END PUBLIC KEY-----"
  paths: {/: {servers: ["127.0.0.1:1"]}}
issued.test:
  authorization: {type: jwt, keys: aralez}
  paths: {/: {servers: ["127.0.0.1:1"]}}
a.test:
  paths:
    /: {servers: ["127.0.0.1:1"]}
    /pub: {servers: ["127.0.0.1:1"]}
    /app: {servers: ["127.0.0.1:1"], strip_prefix: /app}
    /secret: {servers: ["127.0.0.1:1"], authorization: {type: apikey, creds: fuzz-key}}
"#;

static TABLE: LazyLock<RouteTable> = LazyLock::new(|| {
    let surroundings = Surroundings {
        issuer: TokenIssuer::Hs256(HmacStates::of(ISSUER)),
        ..Surroundings::default()
    };
    let authored = document::read(&DocumentSet::of_main(DOCUMENT.into()), &surroundings);
    let records = document::records(&authored.expect("the document is valid"), None);
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default());
    RouteTable::build(&snapshot.expect("the snapshot is complete"))
});

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is forwarded to this pool, with this target.
    Forwarded(String, String),
    /// It is refused or answered.
    Refused(Rejection),
    Answered,
}

/// Decides about a request as the engine does. `Unused` remembers no credentials, so each is compared.
pub(crate) fn fate<F: Fields + Copy>(host: Option<&str>, target: &str, fields: F) -> Fate {
    let context = Context {
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        tls_port: None,
    };
    let request = Request {
        method: "GET",
        scheme: Scheme::Http,
        host,
        target,
        client: [192, 0, 2, 1].into(),
        fields,
    };
    let mut additions = Additions::default();
    let mut decision = decide(
        &TABLE,
        &context,
        &request,
        &Unused::TIMELESS,
        &mut additions,
    );
    if let Decision::Ask {
        ask: Ask::Password(check),
        pause,
    } = decision
    {
        let reply = Reply::Password(check.compute());
        let rest = (&mut additions, pause, reply);
        decision = resume(&TABLE, &context, &request, &Unused::TIMELESS, rest);
    }
    match decision {
        Decision::Forward(forward) => {
            let pool = match forward.pool {
                PoolChoice::Only(pool) => pool.to_string(),
                PoolChoice::OneOf(_) => String::new(),
            };
            Fate::Forwarded(pool, forward.path_and_query.text(target).to_owned())
        }
        Decision::Reject { rejection, .. } => Fate::Refused(rejection),
        Decision::Serve(_) | Decision::Answer { .. } | Decision::Ask { .. } => Fate::Answered,
    }
}
