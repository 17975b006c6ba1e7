//! The documentation is correct: its YAML loads, and its marked commands run.
//!
//! A fenced block marked `yaml` is checked as an `upstreams.yaml`, one marked `yaml main` as a `main.yaml`. A block marked `sh tested` runs
//! in a fresh folder, with this build's programs in the path, and must exit with 0. `sh` without `tested` shows commands for a running fleet, and
//! `text` is a figure.

use std::path::PathBuf;
use std::time::Duration;

use aralez_tests::documentation::blocks;
use aralez_tests::process::{binary, run, text};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn every_block_says_what_it_is() {
    let known = ["yaml", "yaml main", "sh", "sh tested", "text"];
    for block in blocks() {
        let mark = block.mark.as_str();
        assert!(known.contains(&mark), "{}: {mark:?}", block.place);
    }
}

#[tokio::test]
async fn every_yaml_block_loads() {
    let folder = tempfile::tempdir().unwrap();
    for block in blocks()
        .iter()
        .filter(|block| block.mark.starts_with("yaml"))
    {
        let name = if block.mark == "yaml main" {
            "main.yaml"
        } else {
            "upstreams.yaml"
        };
        let file = folder.path().join(name);
        std::fs::write(&file, &block.text).unwrap();
        let output = run(SOON, "aralez-ctl", &["validate", file.to_str().unwrap()]).await;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}: {}",
            block.place,
            text(&output)
        );
    }
}

// Row D6: documented command lines.
#[tokio::test]
async fn every_command_marked_as_tested_runs() {
    let programs: PathBuf = binary("aralez-ctl").parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    for block in blocks().iter().filter(|block| block.mark == "sh tested") {
        let folder = tempfile::tempdir().unwrap();
        let child = tokio::process::Command::new("sh")
            .args(["-eu", "-c", &block.text])
            .env("PATH", &path)
            .current_dir(folder.path())
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(SOON, child)
            .await
            .expect("it ends")
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}: {}",
            block.place,
            text(&output)
        );
    }
}
