//! Static files in a fleet: which folders a node serves, and the file server of a node.

use std::fs;
use std::path::Path;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::{run, text};
use aralez_tests::raw::{self, Request};
use aralez_tests::web_folder::{HOST, WebFolder};

fn files(folder: &std::path::Path) -> String {
    format!(
        "{HOST}:\n  paths:\n    /shop: {{files: \"{}\"}}\n",
        folder.display()
    )
}

#[tokio::test]
async fn a_push_of_a_folder_that_a_node_does_not_serve_names_node_host_path_field_and_the_way_out()
{
    let (folder, origin) = (WebFolder::with(&[("a.txt", "a")]), Origin::start("a").await);
    let root = folder.root();
    let plan = Plan::new(2).proxy(0, &format!("file_roots: [\"{}\"]", root.display()));
    let fleet = plan
        .document(&site(HOST, &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let file = fleet.folder().join("files.yaml");
    fs::write(&file, files(&root)).unwrap();
    let output = fleet
        .ctl(&["push", file.to_str().unwrap(), "--wait", "--timeout", "20s"])
        .await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let folder_named = format!("{} is not below", root.display());
    for part in [
        "proxy-1",
        HOST,
        "/shop",
        ".files",
        "file_roots",
        "(none)",
        &folder_named,
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // The node that serves the folder runs the push; the other one goes on with what it had.
    assert_eq!(fleet.get(0, HOST, "/shop/a.txt").await.unwrap().text(), "a");
    assert_eq!(fleet.get(1, HOST, "/shop/a.txt").await.unwrap().text(), "a");
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn a_folder_that_is_missing_or_leaves_its_root_is_refused_when_it_is_pushed() {
    let folder = WebFolder::with(&[("a.txt", "a")]);
    folder.link("..", "out");
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for (name, reason) in [
        ("none", "does not exist on this node"),
        ("out", "through a symlink"),
        ("a.txt", "does not exist"),
    ] {
        fleet.save(&files(&folder.root().join(name)));
        eventually(LIVE, "the node refuses", || async {
            let faults = format!("{:?}", fleet.node(0).await?.faults);
            match faults.contains(reason) && faults.contains(name) {
                true => Ok(()),
                false => Err(faults),
            }
        })
        .await;
        assert_eq!(fleet.get(0, HOST, "/a.txt").await.unwrap().text(), "a");
    }
}

#[tokio::test]
async fn a_node_starts_from_its_cache_although_a_folder_is_gone_or_is_served_no_more() {
    let folder = WebFolder::with(&[("a.txt", "a"), ("gone/b.txt", "b")]);
    let origin = Origin::start("o").await;
    let paths = format!(
        "    /: {{files: ROOT}}\n    /gone: {{files: ROOT/gone}}\n    /o: {{servers: [\"{}\"]}}\n",
        origin.address()
    );
    let mut fleet = folder.serve(&paths).await;
    eventually(LIVE, "the cache is written", || async {
        let node = fleet.node(0).await?;
        match node.all["persisted"].is_null() {
            false => Ok(()),
            true => Err(format!("{node:?}")),
        }
    })
    .await;
    fleet.kill_control();
    fleet.kill_proxy(0);
    fs::remove_dir_all(folder.root().join("gone")).unwrap();
    fleet.start_proxy(0).await;
    for (target, status) in [("/a.txt", 200), ("/gone/b.txt", 404), ("/o", 200)] {
        let response = fleet.get(0, HOST, target).await.unwrap();
        assert_eq!(response.status, status, "{target}");
    }
    assert!(
        fleet
            .log("proxy-0")
            .contains("routes of the cached snapshot answer 404")
    );
    fleet.kill_proxy(0);
    let config = fleet.folder().join("proxy-0.yaml");
    let lines = fs::read_to_string(&config).unwrap();
    let lines: Vec<&str> = lines
        .lines()
        .filter(|line| !line.starts_with("file_roots"))
        .collect();
    fs::write(&config, lines.join("\n")).unwrap();
    fleet.start_proxy(0).await;
    for (target, status) in [("/a.txt", 404), ("/o", 200)] {
        let response = fleet.get(0, HOST, target).await.unwrap();
        assert_eq!(response.status, status, "{target}");
    }
}

// Row S29: the file server.
#[tokio::test]
async fn a_node_has_a_file_server_that_pools_may_name_as_an_endpoint() {
    let folder = WebFolder::with(&[
        ("index.html", "page"),
        ("docs/index.html", "docs"),
        ("img/a.png", "png"),
    ]);
    let port = Port::free();
    let address = port.address();
    let document = format!(
        "{HOST}:\n  paths:\n    /: {{servers: [\"{address}\"]}}\n    /own: {{files: \"{}\"}}\n",
        folder.root().display()
    );
    let main = format!(
        "file_server_folder: \"{}\"\nfile_server_address: {address}",
        folder.root().display()
    );
    let fleet = Plan::new(1)
        .proxy(0, &main)
        .document(&document)
        .start()
        .await;
    fleet.until_current(LIVE).await;
    for (target, status, content) in [
        ("/", 200, "page"),
        ("/docs/", 200, "docs"),
        ("/docs", 301, ""),
        ("/img/", 404, "404 Not Found\n"),
        ("/../secret", 404, "404 Not Found\n"),
    ] {
        let host = address.to_string();
        let direct = raw::get(address, &host, target).await.unwrap();
        let proxied = fleet.get(0, HOST, target).await.unwrap();
        for response in [&direct, &proxied] {
            assert_eq!(
                (response.status, response.text().as_str()),
                (status, content),
                "{target}"
            );
        }
        assert_eq!(direct.header("etag"), proxied.header("etag"), "{target}");
    }
    let request = Request::get("any.test", "/").header("Range", "bytes=1-2");
    let part = raw::send(address, &request).await.unwrap();
    assert_eq!((part.status, part.text().as_str()), (206, "ag"));
    // Its folder is a root for routes, unless others are named.
    assert_eq!(
        fleet.get(0, HOST, "/own/img/a.png").await.unwrap().text(),
        "png"
    );
}

/// Starts a proxy without control that serves a folder at an address of its own.
fn lone_file_server(folder: &Path) -> (Fleet, Port) {
    let port = Port::free();
    let main = format!(
        "file_server_folder: \"{}\"\nfile_server_address: {}",
        folder.display(),
        port.address()
    );
    let mut fleet = Plan::new(1).proxy(0, &main).lay_out();
    fleet.launch_proxy(0);
    (fleet, port)
}

// Row S29: the file server.
#[tokio::test]
async fn the_file_server_serves_without_any_configuration_from_control() {
    let folder = WebFolder::with(&[("a.txt", "a")]);
    let (fleet, port) = lone_file_server(&folder.root());
    let served = eventually(LIVE, "a file is served", || {
        raw::get(port.address(), "a.test", "/a.txt")
    })
    .await;
    assert_eq!(served.text(), "a");
    assert_eq!(fleet.get(0, HOST, "/a.txt").await.unwrap().status, 503);
}

// Row S29: the file server.
#[tokio::test]
async fn a_start_with_half_a_file_server_or_a_file_as_its_folder_is_refused_with_its_place() {
    let folder = WebFolder::with(&[("a.txt", "a")]);
    let file = folder.outside().join("main.yaml");
    let path = file.to_str().unwrap();
    let root = folder.root().display().to_string();
    for (main, said) in [
        (
            format!("file_server_folder: {root}\n"),
            "main.yaml:1:21: file_server_folder: requires `file_server_address`".to_owned(),
        ),
        (
            "file_server_address: 127.0.0.1:3002\n".to_owned(),
            "main.yaml:1:22: file_server_address: requires `file_server_folder`".to_owned(),
        ),
        (
            format!("file_server_address: 127.0.0.1:3002\nfile_server_folder: {root}/a.txt\n"),
            format!("main.yaml:2:21: file_server_folder: {root}/a.txt is not a folder"),
        ),
        (
            "file_roots: [../www]\n".to_owned(),
            "main.yaml:1:13: file_roots: `../www` has a segment `..`".to_owned(),
        ),
    ] {
        fs::write(&file, &main).unwrap();
        let output = run(LIVE, "aralez-proxy", &["-t", "-c", path]).await;
        assert_ne!(output.status.code(), Some(0), "{main}");
        let text = text(&output);
        assert!(text.contains(&said), "{said} is not in {text}");
    }
}

/// The documented `main.yaml` names a folder that no machine has.
#[tokio::test]
async fn a_file_server_without_its_folder_starts_says_so_and_serves_once_it_exists() {
    let folder = WebFolder::with(&[]);
    let later = folder.root().join("later");
    let (fleet, port) = lone_file_server(&later);
    let missed = eventually(LIVE, "the file server answers", || {
        raw::get(port.address(), "a.test", "/a.txt")
    })
    .await;
    assert_eq!(missed.status, 404);
    let said = format!("the folder {} does not exist", later.display());
    assert!(fleet.log("proxy-0").contains(&said));
    fs::create_dir(&later).unwrap();
    fs::write(later.join("a.txt"), "a").unwrap();
    eventually(LIVE, "the file is served", async || {
        let response = raw::get(port.address(), "a.test", "/a.txt").await?;
        same(&response.status, &200)
    })
    .await;
}
