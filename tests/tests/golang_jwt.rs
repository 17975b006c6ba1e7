//! Tokens that another library makes open routes, and it reads those that control issues: the command of golang-jwt, built from its module.
//!
//! `make prove` builds it and runs this. Keys are made by `openssl`.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use aralez_tests::programs::{output_of, program};
use aralez_tests::raw::{self, Request};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "910517d9-f9a1-48de-8826-dbadacbd84af-cb6f830e-ab16-47ec-9d8f-0090de732774";
const LIFETIME: Duration = Duration::from_mins(10);

/// The keys of an issuer, as files. A public key has the suffix `.pub`.
struct Issuer(TempDir);

impl Issuer {
    fn new() -> Self {
        let keys = Self(TempDir::new().unwrap());
        for (name, options) in [
            ("RS256", &["RSA"][..]),
            ("ES256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            ("EdDSA", &["ED25519"]),
        ] {
            let (private, public) = (keys.file(name), keys.file(&format!("{name}.pub")));
            let start = ["genpkey", "-out", &private, "-algorithm"];
            output_of("openssl", &[&start, options].concat());
            let public = ["pkey", "-in", &private, "-pubout", "-out", &public];
            output_of("openssl", &public);
        }
        std::fs::write(keys.file("HS256"), SECRET).unwrap();
        keys
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Returns a document with the keys: each is named as its algorithm.
    fn document(&self, origin: &Origin) -> String {
        let key = |name: &str| {
            let public = std::fs::read_to_string(self.file(&format!("{name}.pub"))).unwrap();
            let public = public.replace('\n', "\\n");
            format!("      - {{kid: {name}, alg: {name}, key: \"{public}\"}}\n")
        };
        format!(
            "a.test:\n  authorization:\n    type: jwt\n    claims: {{sub: X-User}}\n    keys:\n{}      \
             - {{kid: HS256, alg: HS256, key: {SECRET}}}\n  paths:\n    /: {{servers: [\"{}\"]}}\n",
            ["RS256", "ES256", "EdDSA"].map(key).concat(),
            origin.address()
        )
    }

    /// Returns a token for `ann`, signed with the key in a file.
    fn token(&self, kid: &str, algorithm: &str, key: &str) -> String {
        let expiry = SystemTime::now() + LIFETIME;
        let expiry = expiry.duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = self.file("claims");
        std::fs::write(&claims, format!(r#"{{"sub":"ann","exp":{expiry}}}"#)).unwrap();
        let (key, kid) = (self.file(key), format!("kid={kid}"));
        let arguments = ["-sign", &claims, "-alg", algorithm, "-key", &key];
        let arguments = [&arguments[..], &["-header", &kid]].concat();
        output_of(program("jwt"), &arguments)
    }
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
        let bearer = format!("Bearer {token}");
        let request = Request::get("a.test", "/").header("Authorization", &bearer);
        let response = raw::send(self.fleet.http(0), &request).await;
        response.unwrap().status
    }

    /// Verifies a token of control with its key, and that another key does not verify it. Returns the claims.
    fn read(&self, token: &str) -> Value {
        let (file, key) = (self.issuer.file("token"), self.issuer.file("master"));
        std::fs::write(&file, token).unwrap();
        std::fs::write(&key, MASTER_KEY).unwrap();
        let verify = ["-verify", &file, "-alg", "HS256", "-key"];
        let other = Command::new(program("jwt"))
            .args(verify)
            .arg(self.issuer.file("HS256"))
            .output();
        assert!(!other.unwrap().status.success(), "{token}");
        let claims = output_of(program("jwt"), &[&verify[..], &[&key]].concat());
        serde_json::from_str(&claims).unwrap()
    }
}

// Row S67: jwt.
#[tokio::test]
#[ignore = "needs the command of golang-jwt, which `make programs` builds"]
async fn tokens_of_another_library_open_a_route_in_every_algorithm() {
    let scene = Scene::start().await;
    for (turn, name) in ["RS256", "ES256", "EdDSA", "HS256"].iter().enumerate() {
        let token = scene.issuer.token(name, name, name);
        assert_eq!(scene.status(&token).await, 200, "{token}");
        assert_eq!(scene.origin.count(), turn + 1);
        assert_eq!(scene.origin.last().headers("x-user"), ["ann"]);
    }
}

// Row A-01: algorithms and keys.
#[tokio::test]
#[ignore = "needs the command of golang-jwt, which `make programs` builds"]
async fn tokens_that_another_library_signs_with_another_key_or_algorithm_open_nothing() {
    let (scene, other) = (Scene::start().await, Issuer::new());
    let mut refused: Vec<String> = ["RS256", "ES256", "EdDSA"]
        .map(|name| other.token(name, name, name))
        .into();
    refused.extend([
        // The public key, which anyone has, as the secret of HS256.
        scene.issuer.token("RS256", "HS256", "RS256.pub"),
        scene.issuer.token("ES256", "RS256", "RS256"),
        scene.issuer.token("HS256", "HS256", "EdDSA.pub"),
        scene.issuer.token("HS256", "none", "HS256"),
    ]);
    for token in refused {
        assert_eq!(scene.status(&token).await, 401, "{token}");
    }
    assert_eq!(scene.origin.count(), 0);
}

// Row S85: tokens by the API.
#[tokio::test]
#[ignore = "needs the command of golang-jwt, which `make programs` builds"]
async fn another_library_reads_the_tokens_that_control_issues() {
    let scene = Scene::start().await;
    let payload = format!(r#"{{"master_key":"{MASTER_KEY}","owner":"valod","valid":10}}"#);
    let request = Request::new("POST", "127.0.0.1", "/jwt")
        .header("Content-Type", "application/json")
        .body(payload);
    let response = raw::send(scene.fleet.api(), &request).await.unwrap();
    let token = response.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(scene.read(&token)["user"], "valod");
    let issued = ["issue-token", "--owner", "ann", "--valid", "10m"];
    let output = scene.fleet.ctl(&issued).await;
    assert_eq!(scene.read(text(&output).trim())["user"], "ann");
}
