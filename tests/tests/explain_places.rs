//! `aralez-ctl explain` and `routes`: where things were written, which revision they show, and what they keep to themselves.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::explained::{EVERY_POLICY, ExplainedFleet, ExplainedRequest, VALID_TOKEN};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::{run, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

fn get(host: &'static str, target: &'static str) -> ExplainedRequest {
    ExplainedRequest::get(host, target)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Returns the place of an explained value.
fn place(value: &Value) -> String {
    let place = &value["place"];
    let (file, line, column) = (&place["file"], &place["line"], &place["column"]);
    format!("{}:{line}:{column}", file.as_str().unwrap())
}

/// Returns the place of a text in a line of the document.
fn place_of(scene: &ExplainedFleet, line: usize, text: &str) -> String {
    let file = scene.fleet.documents().join("upstreams.yaml");
    let document = scene.filled(EVERY_POLICY);
    let written = document.lines().nth(line - 1).unwrap();
    let column = written
        .find(text)
        .unwrap_or_else(|| panic!("{text} in {written}"))
        + 1;
    format!("{}:{line}:{column}", file.display())
}

#[tokio::test]
async fn each_policy_says_where_it_was_written_and_what_decided() {
    let scene = ExplainedFleet::start(EVERY_POLICY).await;
    let request = get("a.test", "/office").with("X-Forwarded-For", "198.51.100.1");
    let explained = scene.explained(&request).await;
    let at = |line, text| place_of(&scene, line, text);
    assert_eq!(place(&explained["host"]), at(6, "a.test"));
    assert_eq!(place(&explained["route"]), at(18, "/office"));
    let policies = explained["policies"].as_array().unwrap();
    let [filter, limit] = &policies[..] else {
        panic!("{explained:#}")
    };
    let settings = filter["settings"].as_array().unwrap();
    assert_eq!(settings[0]["scope"], "path");
    assert_eq!(place(&settings[0]), at(18, "[192.0.2.0/24]"));
    assert_eq!(
        (&settings[1]["scope"], place(&settings[1])),
        (&"top".into(), at(4, "[192.0.2.66]"))
    );
    assert_eq!(filter["reason"], "198.51.100.1 is in no network of allow");
    assert_eq!(
        (&filter["verdict"], &filter["status"]),
        (&"refuse".into(), &403.into())
    );
    assert_eq!(
        (&limit["verdict"], &limit["settings"][0]["scope"]),
        (&"not reached".into(), &"host".into())
    );
    assert_eq!(place(&limit["settings"][0]), at(7, "10000"));
}

#[tokio::test]
async fn all_routes_are_listed_with_their_policies_and_places() {
    let scene = ExplainedFleet::start(EVERY_POLICY).await;
    let folder = scene.fleet.documents().display().to_string();
    let output = run(
        SOON,
        "aralez-ctl",
        &["routes", "--file", &folder, "-o", "json"],
    )
    .await;
    let routes: Value = serde_json::from_slice(&output.stdout).unwrap();
    let routes = routes["routes"].as_array().unwrap();
    let office = routes
        .iter()
        .find(|route| route["path"] == "/office")
        .unwrap();
    assert_eq!(place(office), place_of(&scene, 18, "/office"));
    assert_eq!(
        office["policies"],
        serde_json::json!(["address filter", "rate_limit"])
    );
    assert_eq!(routes.len(), 16);
}

#[tokio::test]
async fn a_node_that_is_behind_is_explained_by_the_revision_that_it_runs() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(2)
        .proxy(0, "max_hosts: 1")
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    fleet.save(&format!(
        "{}\"edge.test\": {{groups: [edge], paths: {{/: {{respond: {{body: x}}}}}}}}\n",
        site("a.test", &[a.address()]) + &site("new.test", &[a.address()])
    ));
    let other = || async { same(&fleet.node(1).await?.running, &Some(head + 1)) };
    eventually(LIVE, "the other moves on", other).await;
    let explained = async |arguments: &[&str]| -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        let output = fleet.ctl(&arguments).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let new = ["explain", "GET", "http://new.test/"];
    let behind = explained(&[&new[..], &["--node", "proxy-0"]].concat()).await;
    assert_eq!(behind["outcome"]["status"], 404, "{behind:#}");
    assert_eq!(
        (
            &behind["documents"]["revision"],
            &behind["documents"]["head"]
        ),
        (&head.into(), &(head + 1).into())
    );
    assert_eq!(fleet.get(0, "new.test", "/").await.unwrap().status, 404);
    for newest in [&["--node", "proxy-1"][..], &[]] {
        let served = explained(&[&new[..], newest].concat()).await;
        assert_eq!(served["outcome"]["action"], "forward", "{served:#}");
        assert_eq!(served["documents"]["revision"], head + 1);
    }
    let edge = ["explain", "GET", "http://edge.test/"];
    let here = explained(&edge).await;
    assert_eq!(here["outcome"]["status"], 404);
    assert!(here["assumed"].to_string().contains("edge"), "{here:#}");
    let there = explained(&[&edge[..], &["--group", "edge"]].concat()).await;
    assert_eq!(there["outcome"]["status"], 200, "{there:#}");
    let routes = explained(&["routes", "--node", "proxy-0"]).await;
    assert_eq!(routes["routes"].as_array().unwrap().len(), 1);
    let output = fleet
        .ctl(&["explain", "GET", "http://new.test/", "--node", "nobody"])
        .await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("nobody"), "{}", text(&output));
}

#[tokio::test]
async fn no_secret_of_documents_or_requests_is_shown() {
    let scene = ExplainedFleet::start(EVERY_POLICY).await;
    let folder = scene.fleet.documents().display().to_string();
    let bearer = format!("Authorization: Bearer {VALID_TOKEN}");
    let basic = format!("Authorization: {}", basic("ann:hunter2"));
    let secrets = [
        VALID_TOKEN,
        "hunter2",
        "910517d9",
        &STANDARD.encode("ann:hunter2"),
    ];
    let token = format!("http://a.test/safe?araleztoken={VALID_TOKEN}&a=1");
    for arguments in [
        &["http://a.test/token", "-H", &bearer][..],
        &["http://a.test/staff", "-H", &basic],
        &["http://a.test/key", "-H", "x-api-key: a-key-of-hunter2"],
        &[&token],
        &["http://a.test/token?araleztoken=hunter2"],
        &["http://hunter2@a.test/"],
        &["ftp://hunter2"],
        &["http://a.test/", "-H", "Authorization hunter2"],
        &["http://a.test/", "-H", &basic, "-H", &bearer],
    ] {
        for format in ["table", "json", "yaml"] {
            let all = [
                &["explain", "GET"],
                arguments,
                &["--file", &folder, "-o", format],
            ]
            .concat();
            let shown = text(&run(SOON, "aralez-ctl", &all).await);
            for secret in secrets {
                assert!(!shown.contains(secret), "{arguments:?}: {shown}");
            }
            assert!(!shown.is_empty());
        }
    }
    let explained = scene
        .explained(&get("a.test", "/token").with("Authorization", &format!("Bearer {VALID_TOKEN}")))
        .await;
    assert_eq!(
        explained["outcome"]["action"], "forward",
        "the token was really verified: {explained:#}"
    );
}

#[tokio::test]
async fn explain_exits_with_1_for_faulty_documents_and_with_2_for_a_request_that_nobody_sends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upstreams.yaml");
    std::fs::write(&file, "a.test: {paths: {/: {respond: {status: 403}}}}\n").unwrap();
    let path = file.display().to_string();
    let code = async |arguments: &[&str]| {
        let output = run(SOON, "aralez-ctl", &[&["explain"], arguments].concat()).await;
        (output.status.code().unwrap(), text(&output))
    };
    let (exit, shown) = code(&["GET", "http://a.test/", "--file", &path]).await;
    assert_eq!(exit, 0, "an answer of 403 is explained: {shown}");
    assert_eq!(code(&["GET", "a.test", "--file", &path]).await.0, 2);
    assert_eq!(
        code(&["GET", "http://a.test/", "--file", &path, "--node", "n"])
            .await
            .0,
        2
    );
    assert_eq!(code(&["GET"]).await.0, 2);
    std::fs::write(&file, "a.test: {pahts: {/: {respond: {status: 403}}}}\n").unwrap();
    let (exit, shown) = code(&["GET", "http://a.test/", "--file", &path]).await;
    assert_eq!(exit, 1);
    assert!(shown.contains(":1:") && shown.contains("paths"), "{shown}");
    let (exit, _) = code(&["GET", "http://a.test/", "--file", "/nowhere/upstreams.yaml"]).await;
    assert_eq!(exit, 1);
}
