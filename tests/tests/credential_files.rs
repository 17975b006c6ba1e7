//! Credentials that do not stand in a document: files that it names, and the key with which control issues tokens.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aralez_proto::model::HmacStates;
use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::{run, run_with, text};
use aralez_tests::programs::output_of;
use aralez_tests::raw::{self, Request};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A document with one guarded site.
fn guarded(origin: &Origin, rule: &str) -> String {
    let site = site("a.test", &[origin.address()]);
    format!("authorization: {{{rule}}}\n{site}")
}

/// Starts a fleet with a guarded site, next to these files.
async fn fleet(origin: &Origin, rule: &str, files: &[(&str, &[u8])]) -> Fleet {
    let mut fleet = Plan::new(1)
        .proxy(0, "auth_failures: 10000/min")
        .document(&guarded(origin, rule))
        .lay_out();
    for (name, content) in files {
        fs::write(fleet.documents().join(name), content).unwrap();
    }
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_current(LIVE).await;
    fleet
}

async fn status(fleet: &Fleet, authorization: &str) -> u16 {
    let request = Request::get("a.test", "/").header("Authorization", authorization);
    raw::send(fleet.http(0), &request).await.unwrap().status
}

async fn becomes(fleet: &Fleet, authorization: &str, expected: u16) {
    eventually(LIVE, "the change is in effect", || async {
        same(&status(fleet, authorization).await, &expected)
    })
    .await;
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Runs Debian's `htpasswd` on a file.
fn htpasswd(arguments: &[&str], file: &Path, rest: &[&str]) {
    let file = file.to_str().unwrap();
    output_of("htpasswd", &[arguments, &[file], rest].concat());
}

#[tokio::test]
async fn a_user_who_is_added_to_the_file_is_served_and_one_who_is_removed_is_refused() {
    let origin = Origin::start("a").await;
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    htpasswd(&["-cbB"], &made, &["ann", "first"]);
    let rule = "type: basic, users_file: staff.htpasswd";
    let fleet = fleet(
        &origin,
        rule,
        &[("staff.htpasswd", &fs::read(made).unwrap())],
    )
    .await;
    let file = fleet.documents().join("staff.htpasswd");
    let (ann, bob) = (basic("ann:first"), basic("bob:second"));
    assert_eq!(status(&fleet, &ann).await, 200);
    assert_eq!(status(&fleet, &bob).await, 401);
    let first = fleet.head().await.unwrap();
    htpasswd(&["-bB"], &file, &["bob", "second"]);
    becomes(&fleet, &bob, 200).await;
    assert_eq!(status(&fleet, &ann).await, 200);
    htpasswd(&["-D"], &file, &["ann"]);
    becomes(&fleet, &ann, 401).await;
    assert_eq!(status(&fleet, &bob).await, 200);
    assert_eq!(
        fleet.head().await,
        Ok(first + 2),
        "each change is a revision"
    );
    // A line that protects nothing refuses the file, and what runs stays.
    htpasswd(&["-bm"], &file, &["eve", "third"]);
    let fault = "authorization.users_file: staff.htpasswd:2: the hash is Apache's MD5 form";
    eventually(LIVE, "the fault is shown", || async {
        let faults = fleet.document_faults().await?;
        let found = faults.iter().any(|shown| shown.contains(fault));
        found.then_some(()).ok_or_else(|| format!("{faults:?}"))
    })
    .await;
    assert_eq!(status(&fleet, &bob).await, 200);
    let folder = fleet.documents();
    let output = fleet.ctl(&["validate", folder.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(fault), "{output:?}");
}

/// Signs claims that are valid for an hour.
fn token(kid: &str, secret: &[u8]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
    let claims = format!(r#"{{"user":"valod","exp":{}}}"#, now.as_secs() + 3_600);
    let coded = |text: String| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", coded(header), coded(claims));
    let signature = HmacStates::of(secret).sign(message.as_bytes());
    format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Old and new keys overlap, and a key that is replaced is refused with the next revision.
// Row A-10: rotation of keys.
#[tokio::test]
async fn a_key_that_is_replaced_in_its_file_is_refused_and_the_new_one_is_accepted() {
    let origin = Origin::start("a").await;
    let rule = "type: jwt, keys: [{kid: old, alg: HS256, key_file: old.key}, {kid: new, alg: HS256, key_file: new.key}]";
    let (old, new) = ([0xff; 32], *b"the second key, in a file of its");
    let files = [
        ("old.key", &old[..]),
        ("new.key", b"the second key, in a file of its\n"),
    ];
    let fleet = fleet(&origin, rule, &files).await;
    assert_eq!(status(&fleet, &token("old", &old)).await, 200);
    assert_eq!(status(&fleet, &token("new", &new)).await, 200);
    assert_eq!(status(&fleet, &token("new", &old)).await, 401);
    fs::write(fleet.documents().join("old.key"), [0xfe; 32]).unwrap();
    becomes(&fleet, &token("old", &old), 401).await;
    assert_eq!(status(&fleet, &token("old", &[0xfe; 32])).await, 200);
    assert_eq!(status(&fleet, &token("new", &new)).await, 200);
}

/// Returns the field of a token that `POST /jwt` issues.
async fn issued(fleet: &Fleet, key: &str) -> String {
    let body = format!(r#"{{"master_key": "{key}", "owner": "valod", "valid": 10}}"#);
    let request = Request::new("POST", "control", "/jwt")
        .header("Content-Type", "application/json")
        .body(body);
    let answer = raw::send(fleet.api(), &request).await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    format!("Bearer {}", answer["token"].as_str().unwrap())
}

async fn issued_by_ctl(fleet: &Fleet, more: &[&str]) -> String {
    let arguments = ["issue-token", "--owner", "valod", "--valid", "10m"];
    let server = format!("http://{}", fleet.api());
    let environment = [
        ("ARALEZ_SERVER", server.as_str()),
        ("ARALEZ_KEY", MASTER_KEY),
    ];
    let arguments = [&arguments[..], more].concat();
    let output = run_with(LIVE, "aralez-ctl", &arguments, &environment).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    format!(
        "Bearer {}",
        String::from_utf8(output.stdout).unwrap().trim()
    )
}

/// A token that control or ctl issued opens a route, without any secret in a document.
// Row S85: POST /jwt.
// Row C4: JWT_KEY.
#[tokio::test]
async fn tokens_that_control_issues_open_a_route_that_names_no_secret() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(
        &origin,
        "type: jwt, keys: aralez, claims: {user: X-User}",
        &[],
    )
    .await;
    let of_api = issued(&fleet, MASTER_KEY).await;
    let of_ctl = issued_by_ctl(&fleet, &[]).await;
    let offline = issued_by_ctl(&fleet, &["--offline"]).await;
    for token in [&of_api, &of_ctl, &offline] {
        assert_eq!(status(&fleet, token).await, 200, "{token}");
        assert_eq!(origin.last().headers("x-user"), ["valod"]);
    }
    let (message, _) = of_api.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 32]));
    assert_eq!(status(&fleet, &forged).await, 401);
    // A restart with the same key changes nothing; with another one, the tokens before it are refused.
    let before = fleet.version(0).await.unwrap()["root"].clone();
    restart(&mut fleet).await;
    assert_eq!(fleet.version(0).await.unwrap()["root"], before);
    assert_eq!(status(&fleet, &of_api).await, 200);
    let main = fleet.folder().join("control.yaml");
    let changed = fs::read_to_string(&main)
        .unwrap()
        .replace(MASTER_KEY, "another-master-key");
    fs::write(&main, changed).unwrap();
    fleet.kill_control();
    fleet.start_control().await;
    becomes(&fleet, &of_api, 401).await;
    let renewed = issued(&fleet, "another-master-key").await;
    becomes(&fleet, &renewed, 200).await;
    // Offline, without the key.
    let folder = fleet.documents();
    let output = run(LIVE, "aralez-ctl", &["validate", folder.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

async fn restart(fleet: &mut Fleet) {
    fleet.kill_control();
    fleet.start_control().await;
    eventually(LIVE, "the node is back", || async {
        same(&fleet.nodes().await?.len(), &1)
    })
    .await;
}

// Row C-07: files of documents.
#[tokio::test]
async fn the_main_configuration_is_no_file_for_a_document_whatever_leads_there() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin, "type: apikey, creds: a", &[]).await;
    let (main, before) = (fleet.folder().join("control.yaml"), fleet.head().await);
    fs::hard_link(&main, fleet.documents().join("page.html")).unwrap();
    for rule in [
        "errors: {404: page.html}",
        "authorization: {type: basic, users_file: page.html}",
        "authorization: {type: jwt, keys: [{alg: HS256, key_file: page.html}]}",
    ] {
        let document = format!("{rule}\n{}", site("a.test", &[origin.address()]));
        let answer = fleet.push(&document).await;
        assert_eq!(answer.status, 502, "{rule}");
        let reason =
            "the file `page.html` is the main configuration file: main.yaml holds the master key";
        assert!(answer.text().contains(reason), "{}", answer.text());
        fleet.save(&document);
        eventually(LIVE, "the saved document is refused", || async {
            let faults = fleet.document_faults().await?;
            let found = faults.iter().any(|fault| fault.contains(reason));
            found.then_some(()).ok_or_else(|| format!("{faults:?}"))
        })
        .await;
        let output = run(
            LIVE,
            "aralez-control",
            &["-t", "-c", main.to_str().unwrap()],
        )
        .await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains(reason), "{}", text(&output));
    }
    assert_eq!(fleet.head().await, before);
}
