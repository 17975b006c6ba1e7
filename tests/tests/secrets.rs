//! Secrets stay confined: no log, state file, metric or answer contains one in plain text.

use std::path::PathBuf;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::files::files_below;
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A header value in a document, where users put tokens.
const PLANTED: &str = "Pl4nted-0d8a2c1b9e-s3cret";
/// The same in a document that is refused.
const REFUSED: &str = "R3fused-77f1c0aa41-s3cret";

/// Credentials in a document, and those that clients send.
const PASSWORD: &str = "Pl4nted-4f0be9d1c7-passw0rd";
const API_KEY: &str = "Pl4nted-9e33d1a0b2-api-key";
const JWT_SECRET: &str = "Pl4nted-61c7e0f9a4-jwt-secret";
/// A secret in a file that a document names.
const KEY_FILE: &str = "Pl4nted-2ab90f6d33-key-file";
/// What a file of users contains: a hash, and a comment.
const HASH: &str = "$2y$05$db.vRze0t5HZoyRHxFWyj.IczgjcJmSsG3aAXjX9qAQVlKgxfKh.O";
const COMMENT: &str = "Pl4nted-e08f1c5a7d-comment";
const TOKEN: &str = "Pl4nted-c05512de8b-t0ken";
const GUESSED: &str = "Gu3ssed-5b1e77ac90-s3cret";

fn document(origin: &Origin, secret: &str) -> String {
    let edits = format!("server_headers:\n  - \"X-Token:{secret}\"\n");
    edits + &site("a.test", &[origin.address()])
}

/// Hosts that ask for credentials, one of each kind.
fn guarded(origin: &Origin) -> String {
    let host = |name: &str, rule: &str| {
        let route = format!("servers: [\"{}\"]", origin.address());
        format!("{name}.test: {{authorization: {{{rule}}}, paths: {{/: {{{route}}}}}}}\n")
    };
    host("basic", &format!("type: basic, creds: \"user:{PASSWORD}\""))
        + &host("key", &format!("type: apikey, creds: {API_KEY}"))
        + &host("jwt", &format!("type: jwt, creds: {JWT_SECRET}"))
        + &host("users", "type: basic, users_file: users")
        + &host("file", "type: jwt, keys: [{alg: HS256, key_file: key}]")
        + &host("issued", "type: jwt, keys: aralez")
}

/// Writes the files that the documents name.
fn write_files(fleet: &Fleet) {
    let users = format!("# {COMMENT}\nuser:{HASH}\n");
    for (name, content) in [
        ("users", users.as_str()),
        ("key", KEY_FILE),
        ("faulty", REFUSED),
    ] {
        std::fs::write(fleet.documents().join(name), content).unwrap();
    }
}

/// Sends right and wrong credentials of each kind.
async fn present_credentials(fleet: &Fleet) {
    let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("user:{password}")));
    let token = format!("/?araleztoken={TOKEN}.{TOKEN}.{TOKEN}");
    for (host, target, name, value, status) in [
        ("basic.test", "/", "Authorization", basic(PASSWORD), 200),
        ("basic.test", "/", "Authorization", basic(GUESSED), 401),
        ("users.test", "/", "Authorization", basic(GUESSED), 401),
        ("key.test", "/", "X-Api-Key", API_KEY.to_owned(), 200),
        ("key.test", "/", "X-Api-Key", GUESSED.to_owned(), 401),
        (
            "jwt.test",
            "/",
            "Authorization",
            format!("Bearer {TOKEN}"),
            401,
        ),
        ("jwt.test", token.as_str(), "Accept", "*/*".to_owned(), 401),
        ("file.test", token.as_str(), "Accept", "*/*".to_owned(), 401),
        (
            "issued.test",
            token.as_str(),
            "Accept",
            "*/*".to_owned(),
            401,
        ),
        ("a.test", token.as_str(), "Accept", "*/*".to_owned(), 200),
    ] {
        let request = Request::get(host, target).header(name, &value);
        let response = raw::send(fleet.http(0), &request).await.unwrap();
        assert_eq!(response.status, status, "{host}{target}");
        assert!(!response.text().contains(TOKEN));
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|window| window == secret.as_bytes())
}

/// Returns the line that contains a secret, as a hint to its source.
fn context(bytes: &[u8], secret: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.contains(secret));
    line.unwrap_or_default().chars().take(400).collect()
}

/// Returns all files that a daemon wrote: logs and state. The documents and `main.yaml`, where users put the secrets, are not among them.
fn written(fleet: &Fleet) -> Vec<PathBuf> {
    let mut files = files_below(&fleet.state());
    let logs = std::fs::read_dir(fleet.folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files.extend(logs.filter(|path| path.extension().is_some_and(|extension| extension == "log")));
    files
}

async fn answers(fleet: &Fleet) -> Vec<(String, Vec<u8>)> {
    let mut answers = Vec::new();
    let key = format!("Bearer {MASTER_KEY}");
    for target in [
        "/v1/nodes",
        "/v1/status",
        "/v1/history",
        "/metrics",
        "/status",
        "/nothing",
    ] {
        let request = Request::get("control", target).header("Authorization", &key);
        let response = raw::send(fleet.api(), &request).await.unwrap();
        answers.push((format!("control {target}"), whole(&response)));
    }
    for target in ["/livez", "/readyz", "/metrics", "/version", "/nothing"] {
        let response = raw::get(fleet.admin(0), "admin", target).await.unwrap();
        answers.push((format!("proxy {target}"), whole(&response)));
    }
    for verb in ["status", "nodes"] {
        let output = fleet.ctl(&[verb]).await;
        answers.push((
            format!("aralez-ctl {verb}"),
            [output.stdout, output.stderr].concat(),
        ));
    }
    answers
}

fn whole(response: &Response) -> Vec<u8> {
    let head: String = response
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    [head.into_bytes(), response.body.clone()].concat()
}

/// Pushes and saves a faulty document with secrets, and pushes with a wrong key.
async fn refuse_documents(fleet: &Fleet, a: &Origin) {
    let faulty = document(a, REFUSED)
        + "bogus: 1\n"
        + &format!("b.test: {REFUSED}\nauthorization: {{type: basic, users: ['{REFUSED}']}}\n")
        + "c.test: {authorization: {type: basic, users_file: faulty}, paths: {/: {respond: {status: 204}}}}\n"
        + "d.test: {authorization: {type: jwt, keys: [{alg: RS256, key_file: faulty}]}, paths: {/: {respond: {status: 204}}}}\n";
    let response = fleet.push(&faulty).await;
    assert_eq!(response.status, 502);
    assert!(!response.text().contains(REFUSED), "{}", response.text());
    fleet.save(&faulty);
    eventually(LIVE, "the fault is shown", || async {
        same(
            &fleet.ask("/v1/status").await?.to_string().contains("bogus"),
            &true,
        )
    })
    .await;
    let wrong = Request::new("POST", "control", "/conf?key=wr0ng-key-s3cret").body("x");
    raw::send(fleet.api(), &wrong).await.unwrap();
}

/// F-15: secrets in the cache, the ledger, logs and answers.
// Row A-06: tokens in the query.
// Row X1: the key of the config API.
#[tokio::test]
async fn planted_secrets_are_in_no_log_state_metric_or_answer() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .control("log_level: trace")
        .proxy(0, "log_level: trace")
        .document(&(document(&a, PLANTED) + &guarded(&a)))
        .lay_out();
    write_files(&fleet);
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    let head = fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    assert_eq!(a.last().header("x-token"), Some(PLANTED), "it is in use");
    present_credentials(&fleet).await;
    assert!(!a.last().target().contains(TOKEN), "no endpoint sees it");
    refuse_documents(&fleet, &a).await;
    eventually(LIVE * 2, "the version is safe on disk", || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(head),
        )
    })
    .await;

    let mut found = Vec::new();
    let mut look = |place: String, bytes: &[u8]| {
        let wrong_key = "wr0ng-key-s3cret";
        let credentials = [PASSWORD, API_KEY, JWT_SECRET, TOKEN, GUESSED];
        let files = [KEY_FILE, HASH, COMMENT];
        for secret in [PLANTED, REFUSED, MASTER_KEY, wrong_key]
            .into_iter()
            .chain(credentials)
            .chain(files)
        {
            if holds(bytes, secret) {
                found.push(format!(
                    "{secret} is in {place}: {}",
                    context(bytes, secret)
                ));
            }
        }
    };
    for (place, bytes) in answers(&fleet).await {
        look(place, &bytes);
    }
    fleet.kill_control();
    fleet.kill_proxy(0);
    let files = written(&fleet);
    assert!(
        files.len() >= 6,
        "the test finds what was written: {files:?}"
    );
    for file in &files {
        if file.metadata().unwrap().is_file() {
            look(file.display().to_string(), &std::fs::read(file).unwrap());
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// F-15: modes of all files that the daemons write.
#[tokio::test]
async fn what_the_daemons_write_is_for_their_user_alone() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let a = Origin::start("a").await;
    let fleet = Plan::new(1).document(&document(&a, PLANTED)).start().await;
    let head = fleet.until_current(LIVE).await;
    eventually(LIVE * 2, "the version is safe on disk", || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(head),
        )
    })
    .await;
    let mut files = files_below(&fleet.state());
    files.push(fleet.folder().join("control.sock"));
    let mut wrong = Vec::new();
    for file in &files {
        let metadata = file.metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        let key = file.extension().is_some_and(|extension| extension == "key");
        let socket = metadata.file_type().is_socket();
        if mode & 0o077 != 0 || (key && mode != 0o400) || (socket && mode != 0o600) {
            wrong.push(format!("{mode:o} {}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let keys = files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "key"));
    assert_eq!(
        keys.count(),
        3,
        "one key for the ledger, one for the cache, and the cluster's identity: {files:?}"
    );
}
