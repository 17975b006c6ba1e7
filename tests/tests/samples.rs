//! Every file in `deploy/samples` is loaded: each shipped example works, or is refused only for features that this release does not have
//! yet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aralez_tests::files::workspace;
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::process::{run, text};

const SOON: Duration = Duration::from_secs(20);

fn folder() -> PathBuf {
    workspace().join("deploy/samples")
}

fn samples() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the samples are there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    files
}

/// Returns the exit code of `aralez-ctl validate` and the faults that it reports, each without its file.
async fn faults(file: &Path) -> (Option<i32>, Vec<String>) {
    let path = file.display().to_string();
    let output = run(SOON, "aralez-ctl", &["validate", &path]).await;
    let faults = text(&output);
    let faults = faults
        .lines()
        .filter_map(|line| line.split_once(&format!("{path}:")));
    (
        output.status.code(),
        faults.map(|(_, fault)| fault.to_owned()).collect(),
    )
}

#[tokio::test]
async fn every_sample_loads() {
    for file in samples() {
        let (code, faults) = faults(&file).await;
        let name = file.file_name().unwrap().to_string_lossy();
        println!("{name}: {code:?} {faults:#?}");
        assert_eq!(code, Some(0), "{name}: {faults:#?}");
    }
}

// Row D1: both layouts.
#[tokio::test]
async fn both_layouts_of_the_documented_example_serve_the_same() {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap();
    let (flat, wrapped) = (read("upstreams.yaml"), read("upstreams-wrapped.yaml"));
    assert_ne!(flat, wrapped);
    let fleet = Plan::new(1).document(&flat).start().await;
    fleet.until_current(LIVE).await;
    let root = fleet.version(0).await.unwrap()["root"].clone();
    assert_eq!(
        fleet
            .get(0, "myhost.mydomain.com", "/foo/x?y")
            .await
            .unwrap()
            .status,
        301
    );
    let path = fleet.get(0, "myhost.mydomain.com", "/").await.unwrap();
    assert_eq!(path.status, 401, "the sample asks for a token");
    fleet.apply(&wrapped).await;
    assert_eq!(
        fleet.version(0).await.unwrap()["root"],
        root,
        "equal routes have an equal root"
    );
}
