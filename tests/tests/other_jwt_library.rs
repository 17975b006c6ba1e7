//! Tokens that another library makes open routes, and it reads those that control issues. The daemons use `jsonwebtoken`, this uses `josekit`.

use std::time::{Duration, SystemTime};

use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use aralez_tests::raw::{self, Request};
use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::ed::EdKeyPair;
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::{ES256, EdDSA, HS256, JwsHeader, JwsSigner, RS256};
use josekit::jwt::{self, JwtPayload};
use serde_json::Value;

const SECRET: &str = "910517d9-f9a1-48de-8826-dbadacbd84af-cb6f830e-ab16-47ec-9d8f-0090de732774";
const LIFETIME: Duration = Duration::from_mins(10);

/// The key pairs of an issuer.
struct Issuer {
    rsa: RsaKeyPair,
    ec: EcKeyPair,
    ed: EdKeyPair,
}

impl Issuer {
    fn new() -> Self {
        let curve = josekit::jwk::alg::ed::EdCurve::Ed25519;
        Self {
            rsa: RS256.generate_key_pair(2_048).unwrap(),
            ec: ES256.generate_key_pair().unwrap(),
            ed: EdDSA.generate_key_pair(curve).unwrap(),
        }
    }

    /// Returns a document with the public keys, and `SECRET` for HS256.
    fn document(&self, origin: &Origin) -> String {
        let key = |kid: &str, alg: &str, pem: Vec<u8>| {
            let pem = String::from_utf8(pem).unwrap().replace('\n', "\\n");
            format!("      - {{kid: {kid}, alg: {alg}, key: \"{pem}\"}}\n")
        };
        let keys = [
            key("rsa", "RS256", self.rsa.to_pem_public_key()),
            key("ec", "ES256", self.ec.to_pem_public_key()),
            key("ed", "EdDSA", self.ed.to_pem_public_key()),
            format!("      - {{kid: shared, alg: HS256, key: {SECRET}}}\n"),
        ];
        format!(
            "a.test:\n  authorization:\n    type: jwt\n    claims: {{sub: X-User}}\n    keys:\n{}  paths:\n    /: {{servers: [\"{}\"]}}\n",
            keys.concat(),
            origin.address()
        )
    }
}

/// Returns the claims of a token for `ann`.
fn claims() -> JwtPayload {
    let mut claims = JwtPayload::new();
    claims.set_subject("ann");
    claims.set_expires_at(&(SystemTime::now() + LIFETIME));
    claims
}

fn signed(kid: &str, signer: &dyn JwsSigner) -> String {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    header.set_key_id(kid);
    jwt::encode_with_signer(&claims(), &header, signer).unwrap()
}

/// A fleet that accepts the tokens of an issuer.
struct Scene {
    issuer: Issuer,
    origin: Origin,
    fleet: Fleet,
}

impl Scene {
    async fn start() -> Self {
        let (issuer, origin) = (Issuer::new(), Origin::start("content").await);
        let plan = Plan::new(1).document(&issuer.document(&origin));
        let fleet = plan.start().await;
        fleet.until_current(LIVE).await;
        Self {
            issuer,
            origin,
            fleet,
        }
    }

    async fn status(&self, token: &str) -> u16 {
        let request =
            Request::get("a.test", "/").header("Authorization", &format!("Bearer {token}"));
        let response = raw::send(self.fleet.http(0), &request).await;
        response.unwrap().status
    }
}

// Row S67: jwt.
#[tokio::test]
async fn tokens_of_another_library_open_a_route_in_every_algorithm() {
    let scene = Scene::start().await;
    let Issuer { rsa, ec, ed } = &scene.issuer;
    let tokens = [
        signed(
            "rsa",
            &RS256.signer_from_pem(rsa.to_pem_private_key()).unwrap(),
        ),
        signed(
            "ec",
            &ES256.signer_from_pem(ec.to_pem_private_key()).unwrap(),
        ),
        signed(
            "ed",
            &EdDSA.signer_from_pem(ed.to_pem_private_key()).unwrap(),
        ),
        signed("shared", &HS256.signer_from_bytes(SECRET).unwrap()),
    ];
    for (turn, token) in tokens.iter().enumerate() {
        assert_eq!(scene.status(token).await, 200, "{token}");
        assert_eq!(scene.origin.count(), turn + 1);
        assert_eq!(scene.origin.last().headers("x-user"), ["ann"]);
    }
}

// Row A-03: broken tokens.
#[tokio::test]
async fn tokens_that_another_library_signs_with_another_key_or_algorithm_open_nothing() {
    let scene = Scene::start().await;
    let (rsa, other) = (&scene.issuer.rsa, Issuer::new());
    let public = rsa.to_pem_public_key();
    let private = rsa.to_pem_private_key();
    let refused = [
        // The public key, which anyone has, as the secret of HS256.
        signed("rsa", &HS256.signer_from_bytes(&public).unwrap()),
        signed("ec", &RS256.signer_from_pem(&private).unwrap()),
        signed(
            "rsa",
            &RS256
                .signer_from_pem(other.rsa.to_pem_private_key())
                .unwrap(),
        ),
        signed(
            "ec",
            &ES256
                .signer_from_pem(other.ec.to_pem_private_key())
                .unwrap(),
        ),
        signed(
            "ed",
            &EdDSA
                .signer_from_pem(other.ed.to_pem_private_key())
                .unwrap(),
        ),
        signed("shared", &HS256.signer_from_bytes([7; 64]).unwrap()),
        jwt::encode_unsecured(&claims(), &JwsHeader::new()).unwrap(),
    ];
    for token in refused {
        assert_eq!(scene.status(&token).await, 401, "{token}");
    }
    assert_eq!(scene.origin.count(), 0);
}

/// Verifies a token of control with its key, and returns its claims.
fn read(token: &str) -> JwtPayload {
    // RFC 2104 pads a short key with zeros, so this is the same key; the library takes no short ones.
    let mut key = MASTER_KEY.as_bytes().to_vec();
    key.resize(64, 0);
    let verifier = HS256.verifier_from_bytes(key).unwrap();
    let (claims, header) = jwt::decode_with_verifier(token, &verifier).unwrap();
    assert_eq!(
        (header.token_type(), header.algorithm()),
        (Some("JWT"), Some("HS256"))
    );
    let left = claims
        .expires_at()
        .unwrap()
        .duration_since(SystemTime::now());
    assert!(left.unwrap() <= LIFETIME);
    claims
}

// Row S85: tokens by the API.
#[tokio::test]
async fn another_library_reads_the_tokens_that_control_issues() {
    let scene = Scene::start().await;
    let payload = format!(r#"{{"master_key":"{MASTER_KEY}","owner":"valod","valid":10}}"#);
    let request = Request::new("POST", "127.0.0.1", "/jwt")
        .header("Content-Type", "application/json")
        .body(payload);
    let response = raw::send(scene.fleet.api(), &request).await.unwrap();
    let answer: Value = serde_json::from_str(&response.text()).unwrap();
    let claims = read(answer["token"].as_str().unwrap());
    assert_eq!(claims.claim("user"), Some(&Value::from("valod")));
    let output = scene
        .fleet
        .ctl(&["issue-token", "--owner", "ann", "--valid", "10m"])
        .await;
    let claims = read(text(&output).trim());
    assert_eq!(claims.claim("user"), Some(&Value::from("ann")));
}
