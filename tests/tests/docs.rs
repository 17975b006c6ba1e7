//! The documentation is correct: its YAML loads, and its marked commands run.
//!
//! A fenced block marked `yaml` is checked as an `upstreams.yaml`, one marked `yaml main` as a `main.yaml`. A block marked `sh tested` runs
//! in a fresh folder, with this build's programs in the path, and must exit with 0. `sh` without `tested` shows commands for a running fleet, and
//! `text` is a figure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aralez_tests::files::workspace;
use aralez_tests::process::{binary, run, text};

const SOON: Duration = Duration::from_secs(60);

/// The pages besides those below `docs`.
const PAGES: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "LEXICON.md",
];

struct Block {
    place: String,
    mark: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut pages: Vec<PathBuf> = PAGES.iter().map(PathBuf::from).collect();
    pages_below(Path::new("docs"), &mut pages);
    pages.iter().flat_map(|page| blocks_of(page)).collect()
}

fn pages_below(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(workspace().join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if workspace().join(&path).is_dir() {
            pages_below(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn blocks_of(page: &Path) -> Vec<Block> {
    let page_text = std::fs::read_to_string(workspace().join(page)).unwrap();
    let page = page.display();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page_text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(mark), None) => {
                open = Some(Block {
                    place: format!("{page}:{}", index + 1),
                    mark: mark.trim().to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(&format!("{line}\n"));
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

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
