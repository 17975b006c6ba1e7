//! The fenced blocks of the documentation.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::workspace;

/// The pages besides those below `docs`.
const PAGES: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "LEXICON.md",
];

/// The tag of a document inside a block of commands.
const HERE: &str = "<<'YAML'";

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The page and the line of its fence.
    pub place: String,
    /// What it is marked as.
    pub mark: String,
    /// Its lines.
    pub text: String,
}

/// Returns all blocks.
///
/// # Panics
/// If a page cannot be read.
pub fn blocks() -> Vec<Block> {
    let mut pages: Vec<PathBuf> = PAGES.iter().map(PathBuf::from).collect();
    pages_below(Path::new("docs"), &mut pages);
    pages.iter().flat_map(|page| blocks_of(page)).collect()
}

/// Returns the documents of the tested blocks of the pages whose path begins with `pages`: those marked `yaml`, and those that a block
/// marked `sh tested` writes after `<<'YAML'`.
///
/// # Panics
/// If one is not YAML.
pub fn examples(pages: &str) -> Vec<Value> {
    let read = |place: &str, text: &str| -> Value {
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
    };
    let mut found = Vec::new();
    for block in blocks() {
        if !block.place.starts_with(pages) {
            continue;
        }
        match block.mark.as_str() {
            "yaml" => found.push(read(&block.place, &block.text)),
            "sh tested" => {
                let inner = documents_in(&block.text);
                found.extend(inner.iter().map(|text| read(&block.place, text)));
            }
            _ => {}
        }
    }
    found
}

/// Returns the documents that commands write.
fn documents_in(commands: &str) -> Vec<String> {
    let mut documents = Vec::new();
    let mut open: Option<String> = None;
    for line in commands.lines() {
        match open.take() {
            None if line.contains(HERE) => open = Some(String::new()),
            None => {}
            Some(document) if line == "YAML" => documents.push(document),
            Some(document) => open = Some(format!("{document}{line}\n")),
        }
    }
    documents
}

fn pages_below(folder: &Path, pages: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(workspace().join(folder)).expect("the folder can be read");
    for entry in entries {
        let path = folder.join(entry.expect("the folder can be read").file_name());
        if workspace().join(&path).is_dir() {
            pages_below(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn blocks_of(page: &Path) -> Vec<Block> {
    let page_text = std::fs::read_to_string(workspace().join(page)).expect("a page can be read");
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
