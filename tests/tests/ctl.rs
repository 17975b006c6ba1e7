//! `aralez-ctl`: its exit codes and its output are a contract.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::{self, run, run_with, text};

const SOON: Duration = Duration::from_secs(20);

async fn stage() -> (Fleet, Origin) {
    let a = Origin::start("a").await;
    let fleet = Plan::new(2)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    (fleet, a)
}

fn write(fleet: &Fleet, name: &str, document: &str) -> String {
    let path = fleet.folder().join(name);
    std::fs::write(&path, document).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_push_answers_0_1_3_or_5_as_it_went() {
    let (fleet, a) = stage().await;
    let good = write(&fleet, "good.yaml", &site("b.test", &[a.address()]));
    let output = fleet
        .ctl(&["push", &good, "--wait", "--message", "a reason"])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fleet.get(0, "b.test", "/").await.unwrap().text(), "a");

    let bad = write(&fleet, "bad.yaml", "to_htps: 1\nb.test: 7\n");
    let output = fleet.ctl(&["push", &bad]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for part in [":1:1", "to_htps", "to_https", ":2:"] {
        assert!(text(&output).contains(part), "{part}: {}", text(&output));
    }

    let head = fleet.head().await.unwrap();
    let stale = (head - 1).to_string();
    let other = write(&fleet, "other.yaml", &site("c.test", &[a.address()]));
    let output = fleet.ctl(&["push", &other, "--expect", &stale]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains(&head.to_string()),
        "it says what is there: {}",
        text(&output)
    );
    let output = fleet
        .ctl(&["push", &other, "--expect", &head.to_string(), "--wait"])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    let missing = fleet.folder().join("missing.yaml").display().to_string();
    let output = fleet.ctl(&["push", &missing]).await;
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{}",
        text(&output)
    );
    assert!(text(&output).contains("missing.yaml"), "{}", text(&output));
}

#[tokio::test]
async fn a_wrong_key_is_1_and_a_control_that_is_not_there_is_5() {
    let (fleet, a) = stage().await;
    let file = write(&fleet, "good.yaml", &site("b.test", &[a.address()]));
    let server = format!("http://{}", fleet.api());
    let output = run(
        SOON,
        "aralez-ctl",
        &["--server", &server, "--key", "wrong", "push", &file],
    )
    .await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let closed = Port::free();
    let server = format!("http://{}", closed.address());
    for verb in [vec!["status"], vec!["nodes"], vec!["push", &file]] {
        let arguments: Vec<_> = ["--server", &server, "--key", MASTER_KEY]
            .into_iter()
            .chain(verb)
            .collect();
        let output = run(SOON, "aralez-ctl", &arguments).await;
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(
            text(&output).contains(&closed.address().to_string()),
            "it says where: {}",
            text(&output)
        );
    }
    assert_eq!(
        run(SOON, "aralez-ctl", &["push"]).await.status.code(),
        Some(2)
    );
    assert_eq!(
        run(SOON, "aralez-ctl", &["no-such-verb"])
            .await
            .status
            .code(),
        Some(2)
    );
}

#[tokio::test]
async fn a_push_that_nobody_proves_is_4() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .relayed(0)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.relays[0].as_ref().unwrap().stall();
    let file = write(&fleet, "b.yaml", &site("b.test", &[a.address()]));
    let output = fleet
        .ctl(&["push", &file, "--wait", "--timeout", "1s"])
        .await;
    assert_eq!(
        output.status.code(),
        Some(4),
        "a silent node: {}",
        text(&output)
    );
    assert!(text(&output).contains("proxy-0"), "{}", text(&output));
    fleet.kill_proxy(0);
    fleet.relays[0].as_ref().unwrap().cut();
    eventually(LIVE, "it is gone", || async {
        same(&fleet.node(0).await?.connected, &false)
    })
    .await;
    let file = write(&fleet, "c.yaml", &site("c.test", &[a.address()]));
    let output = fleet
        .ctl(&["push", &file, "--wait", "--timeout", "2s"])
        .await;
    assert_eq!(
        output.status.code(),
        Some(4),
        "no node at all: {}",
        text(&output)
    );
}

#[tokio::test]
async fn nodes_and_status_tell_people_and_scripts() {
    let (fleet, _a) = stage().await;
    let output = fleet.ctl(&["nodes"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    for part in ["proxy-0", "proxy-1"] {
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(part),
            "{}",
            text(&output)
        );
    }
    for verb in ["nodes", "status"] {
        let output = fleet.ctl(&["-o", "json", verb]).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(json.is_object(), "stdout is data: {json}");
    }
    let output = fleet.ctl(&["schema"]).await;
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        schema.to_string().contains("to_https"),
        "the schema knows the keys"
    );
}

#[tokio::test]
async fn validate_needs_no_control_and_names_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("upstreams.yaml", &site("a.test", &["127.0.0.1:8000"]));
    let validate = |files: Vec<String>| async move {
        let arguments: Vec<_> = ["validate"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .collect();
        run_with(
            SOON,
            "aralez-ctl",
            &arguments,
            &[("ARALEZ_SERVER", "http://127.0.0.1:9")],
        )
        .await
    };
    let output = validate(vec![path("upstreams.yaml")]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    write(
        "bad.yaml",
        "to_htps: 1\nb.test:\n  paths:\n    \"/\":\n      servers: [\"127.0.0.1\"]\n",
    );
    let output = validate(vec![path("bad.yaml")]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for part in ["bad.yaml:1:1", "to_https", "bad.yaml:5:", "port"] {
        assert!(text(&output).contains(part), "{part}: {}", text(&output));
    }
}

#[tokio::test]
async fn up_serves_what_it_is_told_to() {
    let a = Origin::start("a").await;
    let (listen, folder) = (Port::free(), tempfile::tempdir().unwrap());
    let (to, at) = (a.address().to_string(), listen.address().to_string());
    let state = folder.path().join("state").display().to_string();
    let log = folder.path().join("up.log");
    let (api, admin) = (Port::free(), Port::free());
    let (api, admin) = (api.address().to_string(), admin.address().to_string());
    let arguments = [
        ["up", "--to", &to],
        ["--listen", &at, "--state-dir"],
        [&state, "--config-address", &api],
    ]
    .concat();
    let arguments = [arguments, vec!["--admin-address", &admin]].concat();
    let mut up = process::Daemon::start("aralez-ctl", &arguments, &log);
    eventually(LIVE * 2, "it serves", || async {
        let response = aralez_tests::raw::get(listen.address(), "any.test", "/").await?;
        same(&response.text().as_str(), &"a")
    })
    .await;
    assert!(up.log().contains(&at), "it says where: {}", up.log());
    up.signal(rustix::process::Signal::TERM);
    let (status, took) = up.end(SOON).await.unwrap();
    println!("up left after {took:?}");
    assert_eq!(status.code(), Some(0));
}
