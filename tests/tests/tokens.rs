//! Tokens: the documented command lines give tokens that other programs verify, and no key or token is written anywhere.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use aralez_proto::model::HmacStates;
use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::files::{files_below, workspace};
use aralez_tests::fleet::{Fleet, MASTER_KEY, Plan, START};
use aralez_tests::process::{Daemon, binary, run_with, text};
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(30);
const JWT_KEY: &str = "51gn1ng-0d8a2c1b9e-s3cret";

/// Another implementation: prints the claims of the token, or fails if the key did not sign it.
const VERIFY: &str = r#"
base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
decoded() { text=$(tr -- '-_' '+/'); while [ $((${#text} % 4)) -ne 0 ]; do text="$text="; done; printf %s "$text" | base64 -d; }
signed=${TOKEN%.*}
expected=$(printf %s "$signed" | openssl dgst -sha256 -hmac "$KEY" -binary | base64url)
[ "$expected" = "${TOKEN##*.}" ]
[ "$(printf %s "${signed%.*}" | decoded)" = '{"typ":"JWT","alg":"HS256"}' ]
printf %s "${signed#*.}" | decoded
"#;

async fn sh(script: &str, environment: &[(&str, &str)]) -> Output {
    let child = tokio::process::Command::new("sh")
        .args(["-eu", "-c", script])
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(SOON, child).await;
    output.expect("the lines end").expect("sh starts")
}

/// Returns the claims of a token, verified by `openssl`.
async fn claims(token: &str, key: &str) -> String {
    let output = sh(VERIFY, &[("TOKEN", token), ("KEY", key)]).await;
    assert!(output.status.success(), "{token}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that the claims name this user and expire `minutes` from now.
fn assert_user(claims: &str, user: &str, minutes: u64) {
    let parsed: Value = serde_json::from_str(claims).unwrap();
    let expiry = parsed["exp"].as_u64().unwrap();
    assert_eq!(claims, format!(r#"{{"user":"{user}","exp":{expiry}}}"#));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let (now, limit) = (now.unwrap().as_secs(), SOON.as_secs());
    let until = now + minutes * 60;
    assert!((until - limit..=until).contains(&expiry), "{expiry}, {now}");
}

/// Returns the lines of the README that get a token with curl, for the API at this address.
fn documented_lines(fleet: &Fleet) -> String {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let lines: Vec<_> = readme
        .lines()
        .filter(|line| line.starts_with("PAYLOAD=") || line.starts_with("TOK="))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let lines = lines.join("\n") + "\nprintf %s \"$TOK\"\n";
    assert!(lines.contains("127.0.0.1:3000"), "{lines}");
    lines.replace("127.0.0.1:3000", &fleet.api().to_string())
}

/// The line of the documentation of earlier versions, with the key inside.
fn earlier_lines(fleet: &Fleet, key: &str) -> String {
    let api = fleet.api();
    format!(
        "PAYLOAD='{{\"master_key\": \"{key}\", \"owner\": \"valod\", \"valid\": 10}}'\n\
         TOK=$(curl -s -XPOST -H \"Content-Type: application/json\" -d \"$PAYLOAD\" http://{api}/jwt | cut -d '\"' -f4)\n\
         printf %s \"$TOK\"\n"
    )
}

async fn stdout(script: &str) -> String {
    let output = sh(script, &[("ARALEZ_KEY", MASTER_KEY)]).await;
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

async fn jwt(fleet: &Fleet, key: &str) -> Response {
    jwt_of(fleet.api(), key).await
}

async fn jwt_of(api: SocketAddr, key: &str) -> Response {
    let body = format!(r#"{{"master_key": "{key}", "owner": "valod", "valid": 10}}"#);
    let request = Request::new("POST", "control", "/jwt")
        .header("Content-Type", "application/json")
        .body(body);
    raw::send(api, &request).await.unwrap()
}

/// Starts control with `JWT_KEY` in its environment.
async fn signing_fleet(plan: Plan) -> Fleet {
    let mut fleet = plan.lay_out();
    let variable = format!("JWT_KEY={JWT_KEY}");
    let (program, main) = (
        binary("aralez-control"),
        fleet.folder().join("control.yaml"),
    );
    let arguments = [
        variable.as_str(),
        program.to_str().unwrap(),
        "-c",
        main.to_str().unwrap(),
    ];
    let log = fleet.folder().join("control.log");
    // `env` becomes the program that it starts.
    fleet.control = Some(Daemon::start_program(Path::new("env"), &arguments, &log));
    eventually(START, "control answers", || fleet.ask("/v1/status")).await;
    fleet
}

// Row S28: the master key.
// Row S86: the wrong master key.
// Row S89: the documented line.
// Row D6: documented command lines.
#[tokio::test]
async fn the_documented_lines_give_a_token_that_another_program_verifies() {
    let fleet = Fleet::start(0).await;
    let lines = [documented_lines(&fleet), earlier_lines(&fleet, MASTER_KEY)];
    for lines in lines {
        let token = stdout(&lines).await;
        assert_user(&claims(&token, MASTER_KEY).await, "valod", 10);
    }
    let wrong = stdout(&earlier_lines(&fleet, "another")).await;
    assert_eq!(wrong, "Unauthorised");

    let refused = jwt(&fleet, "another").await;
    assert_eq!(
        (refused.status, refused.text().as_str()),
        (403, r#"{"token":"Unauthorised"}"#)
    );
    let issued = jwt(&fleet, MASTER_KEY).await;
    assert_eq!(issued.status, 201);
    assert_eq!(issued.header("content-type"), Some("application/json"));
}

// Row C4: JWT_KEY.
#[tokio::test]
async fn jwt_key_signs_in_place_of_the_master_key_while_configuration_may_not_be_written() {
    let fleet = signing_fleet(Plan::new(0).control("config_api_enabled: false")).await;
    assert_eq!(
        fleet.push(&site("a.test", &["127.0.0.1:9"])).await.status,
        403
    );
    let token = stdout(&earlier_lines(&fleet, MASTER_KEY)).await;
    assert_user(&claims(&token, JWT_KEY).await, "valod", 10);
    let output = sh(VERIFY, &[("TOKEN", &token), ("KEY", MASTER_KEY)]).await;
    assert!(!output.status.success(), "the master key did not sign it");
    assert_eq!(jwt(&fleet, JWT_KEY).await.status, 403);
}

#[tokio::test]
async fn guesses_are_throttled_and_counted_and_the_right_key_passes() {
    let fleet = Fleet::start(0).await;
    for guess in 0..10 {
        assert_eq!(jwt(&fleet, &format!("guess-{guess}")).await.status, 403);
    }
    let throttled = jwt(&fleet, "guess").await;
    assert_eq!(
        (throttled.status, throttled.header("retry-after")),
        (429, Some("60"))
    );
    assert_eq!(throttled.text(), r#"{"token":"Unauthorised"}"#);
    assert_eq!(jwt(&fleet, MASTER_KEY).await.status, 201);
    let metrics = raw::get(fleet.api(), "127.0.0.1", "/metrics")
        .await
        .unwrap();
    let counted = "aralez_control_wrong_keys_total 10";
    assert!(metrics.text().contains(counted), "{}", metrics.text());
}

/// Asks for tokens one after the other.
async fn ask(api: SocketAddr, times: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..times {
        let answer = jwt_of(api, MASTER_KEY).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let token: Value = serde_json::from_slice(&answer.body).unwrap();
        tokens.push(token["token"].as_str().unwrap().to_owned());
    }
    tokens
}

// Row A-11: issuing tokens.
#[tokio::test]
async fn a_thousand_requests_for_a_token_all_get_one_that_is_valid() {
    let fleet = Fleet::start(0).await;
    let (clients, each) = (20, 50);
    let api = fleet.api();
    let asked: JoinSet<Vec<String>> = (0..clients).map(|_| ask(api, each)).collect();
    let tokens = asked.join_all().await.concat();
    assert_eq!(tokens.len(), clients * each);
    let key = HmacStates::of(MASTER_KEY.as_bytes());
    for token in &tokens {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let expected = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        assert_eq!(signature, expected);
    }
    assert_user(&claims(&tokens[0], MASTER_KEY).await, "valod", 10);
}

#[tokio::test]
async fn ctl_issues_the_same_token_through_control_and_offline() {
    let fleet = signing_fleet(Plan::new(0)).await;
    let arguments = ["issue-token", "--owner", "valod", "--valid", "10m"];
    let of_control = fleet.ctl(&arguments).await;
    let unreached = [
        ("ARALEZ_SERVER", "http://127.0.0.1:9"),
        ("ARALEZ_KEY", MASTER_KEY),
        ("JWT_KEY", JWT_KEY),
    ];
    let offline = [&arguments[..], &["--offline"]].concat();
    let here = run_with(SOON, "aralez-ctl", &offline, &unreached).await;
    for output in [of_control, here] {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        let token = printed.strip_suffix('\n').unwrap();
        assert_user(&claims(token, JWT_KEY).await, "valod", 10);
    }
    let master = run_with(SOON, "aralez-ctl", &offline, &unreached[..2]).await;
    let token = text(&master);
    assert_user(&claims(token.trim(), MASTER_KEY).await, "valod", 10);

    let link = [&arguments[..], &["--link", "http://a.test/p?a=1#part"]].concat();
    let link = [&link[..], &["-o", "json"]].concat();
    let output = fleet.ctl(&link).await;
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let token = value["token"].as_str().unwrap();
    let claims: Value = serde_json::from_str(&claims(token, JWT_KEY).await).unwrap();
    let expected = serde_json::json!({
        "version": 1, "token": token, "owner": "valod", "expires": claims["exp"],
        "link": format!("http://a.test/p?a=1&araleztoken={token}#part"),
    });
    assert_eq!(value, expected);
}

#[tokio::test]
async fn ctl_says_why_it_issues_no_token() {
    let fleet = Fleet::start(0).await;
    let server = format!("http://{}", fleet.api());
    let arguments = ["issue-token", "--owner", "valod", "--valid", "10m"];
    let offline = [&arguments[..], &["--offline"]].concat();
    let seconds = ["issue-token", "--owner", "valod", "--valid", "90s"];
    let nobody = ["issue-token", "--owner", "", "--valid", "10m"];
    let wrong = [
        ("ARALEZ_SERVER", server.as_str()),
        ("ARALEZ_KEY", "wr0ng-s3cret"),
    ];
    let gone = [
        ("ARALEZ_SERVER", "http://127.0.0.1:9"),
        ("ARALEZ_KEY", MASTER_KEY),
    ];
    let cases = [
        (&arguments[..], &wrong[..], 1, "ARALEZ_KEY"),
        (&arguments, &wrong[..1], 1, "ARALEZ_KEY"),
        (&offline, &wrong[..1], 2, "JWT_KEY"),
        (&seconds, &wrong, 2, "whole minutes"),
        (&nobody, &wrong, 2, "owner"),
        (&arguments, &gone, 5, "cannot reach control"),
    ];
    for (arguments, environment, code, reason) in cases {
        let output = run_with(SOON, "aralez-ctl", arguments, environment).await;
        let words = text(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
        assert!(words.contains(reason), "{arguments:?}: {words}");
        assert!(!words.contains("wr0ng-s3cret"), "{arguments:?}: {words}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {words}");
    }
}

/// Issued tokens and the keys behind them.
// Row A-11: issuing tokens.
// Row X4: no token in a log.
#[tokio::test]
async fn no_key_and_no_token_is_in_a_log_a_metric_or_a_file() {
    let mut fleet = signing_fleet(Plan::new(0).control("log_level: trace")).await;
    let token = stdout(&earlier_lines(&fleet, MASTER_KEY)).await;
    assert_user(&claims(&token, JWT_KEY).await, "valod", 10);
    jwt(&fleet, "wr0ng-key-s3cret").await;
    let malformed = format!(r#"{{"master_key": ["{MASTER_KEY}"], "owner": "valod"}}"#);
    let request = Request::new("POST", "control", "/jwt")
        .header("Content-Type", "application/json")
        .body(malformed);
    let refused = raw::send(fleet.api(), &request).await.unwrap();
    let metrics = raw::get(fleet.api(), "127.0.0.1", "/metrics")
        .await
        .unwrap();
    let status = fleet.ask("/v1/status").await.unwrap().to_string();
    fleet.kill_control();

    let log = fleet.log("control");
    assert!(
        log.contains("issued a token") && log.contains("valod"),
        "{log}"
    );
    let mut written = vec![
        ("the log".to_owned(), log.into_bytes()),
        ("the refusal".to_owned(), refused.body),
        ("the metrics".to_owned(), metrics.body),
        ("the status".to_owned(), status.into_bytes()),
    ];
    for file in files_below(&fleet.state()) {
        written.push((file.display().to_string(), std::fs::read(&file).unwrap()));
    }
    let signature = token.rsplit('.').next().unwrap();
    for (place, bytes) in written {
        for secret in [JWT_KEY, MASTER_KEY, "wr0ng-key-s3cret", signature] {
            let mut windows = bytes.windows(secret.len());
            assert!(
                !windows.any(|window| window == secret.as_bytes()),
                "{place} has {secret}"
            );
        }
    }
}
