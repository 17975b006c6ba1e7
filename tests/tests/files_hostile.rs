//! Static files under attack: no request reads anything else, waits for anything else, or leaves anything open.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aralez_tests::eventually::eventually;
use aralez_tests::fleet::LIVE;
use aralez_tests::raw::{Connection, Request};
use aralez_tests::web_folder::{HOST, WebFolder};
use rustix::fs::{CWD, FileType, Mode, mknodat};

const SECRET: &str = "outside-of-the-root";

/// A folder with a page, next to a secret.
fn folder() -> WebFolder {
    let folder = WebFolder::with(&[("index.html", "page"), ("a/b.txt", "inside")]);
    fs::write(folder.outside().join("secret"), SECRET).unwrap();
    fs::create_dir(folder.outside().join("www2")).unwrap();
    fs::write(folder.outside().join("www2/secret"), SECRET).unwrap();
    folder
}

// Row C-07: only files of the folder.
#[tokio::test]
async fn no_path_leaves_the_folder() {
    let folder = folder();
    let fleet = folder
        .serve("    /: {files: ROOT}\n    /s: {files: {folder: ROOT, spa: true}}\n")
        .await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for path in [
        "../secret",
        "a/../../secret",
        "%2e%2e/secret",
        ".%2e/secret",
        "a/%2e%2e/%2e%2e/secret",
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "a%2f..%2f..%2fsecret",
        "..%5csecret",
        "%2e%2e%5csecret",
        "%252e%252e/secret",
        "..%252fsecret",
        "..;/secret",
        "..%3b/secret",
        "%c0%ae%c0%ae/secret",
        "../www2/secret",
        "%2fetc/passwd",
        "/etc/passwd",
        "index.html%00.txt",
        "index.html%0a",
        "....//secret",
        "a/b.txt/../../../secret",
        "...",
    ] {
        for prefix in ["/", "/s/"] {
            let target = format!("{prefix}{path}");
            let request = Request::get(HOST, &target);
            let response = match connection.send(&request).await {
                Ok(response) => response,
                Err(_) => {
                    connection = Connection::open(fleet.http(0)).await.unwrap();
                    connection.send(&request).await.unwrap()
                }
            };
            let text = response.text();
            assert!(
                !text.contains(SECRET) && !text.contains("root:"),
                "{target}: {text}"
            );
            let expected = matches!(response.status, 400 | 404) || text == "page";
            assert!(expected, "{target}: {} {text}", response.status);
        }
    }
    let mut raw = Connection::open(fleet.http(0)).await.unwrap();
    let request = Request::get(HOST, "/..\\secret");
    assert_eq!(raw.send(&request).await.unwrap().status, 400);
}

// Row C-07: only files of the folder.
#[tokio::test]
async fn no_symlink_leaves_the_folder() {
    let folder = folder();
    folder.link("../secret", "relative");
    folder.link(folder.outside().join("secret"), "absolute");
    folder.link("..", "parent");
    folder.link("/", "top");
    folder.link("/proc/self/environ", "environ");
    folder.link("/proc/self/root", "magic");
    folder.link("/proc/self/fd/0", "stdin");
    folder.link("loop", "loop");
    folder.link("../www2", "sibling");
    folder.link("/dev/zero", "device");
    folder.link("a/b.txt", "inside");
    folder.link(folder.root().join("a/b.txt"), "inside-absolute");
    folder.link("../www/a/b.txt", "out-and-in");
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for target in [
        "/relative",
        "/absolute",
        "/parent/secret",
        "/parent/",
        "/top/etc/passwd",
        "/environ",
        "/magic/etc/passwd",
        "/stdin",
        "/loop",
        "/sibling/secret",
        "/device",
    ] {
        let response = fleet.get(0, HOST, target).await.unwrap();
        assert_eq!(response.status, 404, "{target}");
    }
    for target in ["/inside", "/inside-absolute"] {
        let response = fleet.get(0, HOST, target).await.unwrap();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "inside"),
            "{target}"
        );
    }
}

// Row C-07: only files of the folder.
#[tokio::test]
async fn what_is_no_file_is_not_found_and_holds_nobody_up() {
    let folder = folder();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, folder.root().join("pipe"), FileType::Fifo, mode, 0).unwrap();
    mknodat(
        CWD,
        folder.root().join("a/index.html"),
        FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.root().join("socket")).unwrap();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for target in ["/pipe", "/a/", "/a", "/socket"] {
        let response = fleet.get(0, HOST, target).await.unwrap();
        assert_eq!(response.status, 404, "{target}");
    }
    assert_eq!(fleet.get(0, HOST, "/").await.unwrap().text(), "page");
}

#[tokio::test]
async fn a_folder_that_the_proxy_must_not_serve_below_dev_or_proc_gives_nothing() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let push = fleet
        .try_push(&format!(
            "{HOST}:\n  paths:\n    /: {{files: /proc/self}}\n"
        ))
        .await
        .unwrap();
    assert!(push.status < 500, "{}", push.text());
    eventually(LIVE, "the node refuses", || async {
        let node = fleet.node(0).await?;
        match format!("{node:?}").contains("file_roots") {
            true => Ok(()),
            false => Err(format!("{node:?}")),
        }
    })
    .await;
    assert_eq!(fleet.get(0, HOST, "/environ").await.unwrap().status, 404);
}

// Row C-07: only files of the folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_swapped_all_the_time_never_shows_what_is_outside() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let stop = Arc::new(AtomicBool::new(false));
    let swapping = {
        let (stop, root, outside) = (
            Arc::clone(&stop),
            folder.root(),
            folder.outside().to_owned(),
        );
        std::thread::spawn(move || {
            let (name, spare) = (root.join("swapped"), outside.join("spare"));
            let mut out = false;
            while !stop.load(Ordering::Relaxed) {
                out = !out;
                symlink(if out { ".." } else { "a" }, &spare).unwrap();
                fs::rename(&spare, &name).unwrap();
            }
        })
    };
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    let mut found = 0;
    for round in 0..900 {
        let target = match round % 2 {
            0 => "/swapped/secret",
            _ => "/swapped/b.txt",
        };
        let response = connection.send(&Request::get(HOST, target)).await.unwrap();
        assert!(!response.text().contains(SECRET));
        found += usize::from(response.status == 200);
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    println!("{found} of 450 requests for the file inside found it");
}
