//! `aralez-ctl` in a pipeline: pipes as documents, data on standard output in every case, and exit codes that scripts can rely on.

use std::process::Stdio;
use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::fleet::{Fleet, LIVE, MASTER_KEY, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::{self, binary, run, text};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(30);

/// Runs a line of bash in which `aralez-ctl` is the built binary and connects to this control.
async fn bash(server: &str, line: &str) -> std::process::Output {
    let ctl = binary("aralez-ctl");
    let script = format!("aralez-ctl() {{ '{}' \"$@\"; }}\n{line}", ctl.display());
    let output = tokio::process::Command::new("bash")
        .args(["-c", &script])
        .env("ARALEZ_SERVER", server)
        .env("ARALEZ_KEY", MASTER_KEY)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(SOON, output).await.unwrap().unwrap()
}

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn documents_come_from_pipes_as_from_files() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let server = format!("http://{}", fleet.api());
    for (host, line) in [
        ("b.test", "cat FILE | aralez-ctl push - --wait"),
        ("c.test", "cat FILE | aralez-ctl push /dev/stdin --wait"),
        (
            "d.test",
            "aralez-ctl push <(cat FILE) --wait --timeout 1.5min",
        ),
        (
            "e.test",
            "aralez-ctl validate - < FILE && aralez-ctl push - --wait < FILE",
        ),
    ] {
        let file = fleet.folder().join(format!("{host}.yaml"));
        std::fs::write(&file, site(host, &[a.address()])).unwrap();
        let line = line.replace("FILE", file.to_str().unwrap());
        let output = bash(&server, &line).await;
        assert_eq!(output.status.code(), Some(0), "{line}: {}", text(&output));
        fleet.until_serving(LIVE, host, "a").await;
    }
    let faulty = bash(&server, "echo 'a.test: 7' | aralez-ctl push -").await;
    assert_eq!(faulty.status.code(), Some(1), "{}", text(&faulty));
    assert!(
        text(&faulty).contains("standard input:1:"),
        "{}",
        text(&faulty)
    );
    let faulty = bash(&server, "echo 'a.test: 7' | aralez-ctl validate -").await;
    assert_eq!(faulty.status.code(), Some(1), "{}", text(&faulty));
    assert!(
        text(&faulty).contains("standard input:1:"),
        "{}",
        text(&faulty)
    );
    let folder = bash(&server, "aralez-ctl validate / /dev").await;
    assert_eq!(folder.status.code(), Some(1), "{}", text(&folder));
}

/// Starts a control whose only proxy never answers; also returns a document to push to it.
async fn silent(origin: &Origin) -> (Fleet, String) {
    let fleet = Plan::new(1)
        .relayed(0)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.relays[0].as_ref().unwrap().stall();
    let file = fleet.folder().join("b.yaml");
    std::fs::write(&file, site("b.test", &[origin.address()])).unwrap();
    (fleet, file.display().to_string())
}

/// A listener in place of control accepts the push and sends nothing.
#[tokio::test]
async fn a_push_that_is_interrupted_before_control_answers_says_that_its_end_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upstreams.yaml");
    std::fs::write(&file, site("a.test", &["127.0.0.1:9"])).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let child = tokio::process::Command::new(binary("aralez-ctl"))
        .args(["--server", &server, "-o", "json", "push"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = [0; 4];
    connection.read_exact(&mut request).await.unwrap();
    assert_eq!(&request, b"POST");
    process::kill(child.id().unwrap(), Signal::INT);
    let output = tokio::time::timeout(SOON, child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    let data: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(data["error"], "unproven", "{data}");
    let message = data["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("SIGINT") && message.contains("not known"),
        "{data}"
    );
}

#[tokio::test]
async fn a_push_that_waits_prints_its_revision_first_and_whole_data_when_it_is_interrupted() {
    let a = Origin::start("a").await;
    let (fleet, file) = silent(&a).await;
    let head = fleet.head().await.unwrap();
    for (round, signal) in [Signal::INT, Signal::TERM].into_iter().enumerate() {
        std::fs::write(&file, site(&format!("b{round}.test"), &[a.address()])).unwrap();
        let server = format!("http://{}", fleet.api());
        let mut child = tokio::process::Command::new(binary("aralez-ctl"))
            .args(["-o", "json", "push", &file, "--wait", "--timeout", "2min"])
            .envs([
                ("ARALEZ_SERVER", server.as_str()),
                ("ARALEZ_KEY", MASTER_KEY),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut printed = String::new();
        let revision = head + 1 + round as u64;
        let wanted = format!("\"revision\": {revision}");
        while !printed.contains(&wanted) {
            let read = lines.read_line(&mut printed);
            let read = tokio::time::timeout(SOON, read).await.unwrap().unwrap();
            assert!(read > 0, "it ended: {printed}");
        }
        assert_eq!(child.try_wait().unwrap(), None, "it still waits");
        process::kill(child.id().unwrap(), signal);
        let rest = tokio::time::timeout(SOON, lines.read_to_string(&mut printed)).await;
        rest.unwrap().unwrap();
        let status = tokio::time::timeout(SOON, child.wait())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(status.code(), Some(4), "{printed}");
        let data: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(data["outcome"], "unproven", "{printed}");
    }
}

#[tokio::test]
async fn a_control_that_is_not_reached_is_told_as_data_where_data_is_asked_for() {
    let closed = Port::free();
    let server = format!("http://{}", closed.address());
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    for verb in [
        &["status"][..],
        &["nodes"],
        &["push", file],
        &["sources", "take"],
    ] {
        let arguments = [&["--server", &server, "-o", "json"], verb].concat();
        let output = run(SOON, "aralez-ctl", &arguments).await;
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        let data = json(&output);
        assert_eq!(
            (&data["version"], &data["exit"]),
            (&1.into(), &5.into()),
            "{data}"
        );
        assert!(
            data["message"]
                .to_string()
                .contains(&closed.address().to_string()),
            "{data}"
        );
    }
}

#[tokio::test]
async fn output_that_goes_nowhere_is_a_failure_and_dev_null_is_not() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let server = format!("http://{}", fleet.api());
    for (line, code) in [
        ("aralez-ctl status >/dev/full", 1),
        ("aralez-ctl status >/dev/null", 0),
        ("aralez-ctl status 2>/dev/full", 0),
        ("aralez-ctl status <&- >/dev/null 2>&-", 0),
    ] {
        let output = bash(&server, line).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line}: {}",
            text(&output)
        );
    }
}

#[tokio::test]
async fn a_duplicate_names_the_file_that_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let host = |name: &str| site(name, &["127.0.0.1:1"]);
    let twice = write("dup2.yaml", &[host("A.TEST"), host("a.test")].concat());
    let output = run(SOON, "aralez-ctl", &["validate", &twice]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("already defined at 1:1"),
        "{}",
        text(&output)
    );
    write("conf.d/b.yaml", &host("a.test"));
    let main = write("main-document.yaml", &host("a.test"));
    let output = run(SOON, "aralez-ctl", &["validate", "--with-conf-d", &main]).await;
    let there = format!("already defined at {main}:1:1");
    assert!(text(&output).contains(&there), "{}", text(&output));
    for words in [
        text(&output),
        text(&run(SOON, "aralez-ctl", &["validate", &twice]).await),
    ] {
        assert!(!words.contains("upstreams.yaml"), "{words}");
    }
}
