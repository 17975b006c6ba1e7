//! The strictness corpus: raw messages as data, the expected outcome of each, and the runner that sends them to a real proxy.
//!
//! The data is in `tests/corpus/`; its `README.md` describes the format. A case defines, byte for byte, what is sent and what the other
//! side may receive, and also the answer and whether the connection stays open.

mod entry;
mod ids;
mod lane;
mod report;
mod request;
mod requests;
mod response;
mod responses;
mod seen;
mod text;

pub use entry::{Entry, Item, read as read_entries};
pub use lane::Lane;
pub use report::{Failure, Report};
pub use request::{Expected, RequestCase, Seen, SeenRequest, Step, Then};
pub use requests::run as run_request;
pub use response::{Message, ResponseCase};
pub use responses::run as run_response;
pub use text::{PSEUDONYM, Text};

use std::path::{Path, PathBuf};

/// Returns the folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Reads all request cases.
///
/// # Errors
/// The place and reason of the first error.
pub fn requests() -> Result<Vec<RequestCase>, String> {
    let entries = entries("requests")?;
    entries.iter().map(RequestCase::of).collect()
}

/// Reads all response cases.
///
/// # Errors
/// The place and reason of the first error.
pub fn responses() -> Result<Vec<ResponseCase>, String> {
    let entries = entries("responses")?;
    entries.iter().map(ResponseCase::of).collect()
}

fn entries(name: &str) -> Result<Vec<Entry>, String> {
    let folder = folder().join(name);
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let files = std::fs::read_dir(&folder).map_err(told)?;
    let mut files: Vec<_> = files
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()
        .map_err(told)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut entries: Vec<Entry> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(told)?;
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        for entry in read_entries(&format!("{name}/{file}"), &text)? {
            if let Some(before) = entries.iter().find(|before| before.id == entry.id) {
                return Err(format!(
                    "{}: duplicate id {}, first used at {}",
                    entry.place, entry.id, before.place
                ));
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}
