//! `store`: backs up control's state to one file, restores it and checks it.
//!
//! Only control knows the ledger's format, so work on the folder of a stopped control is done by the `aralez-control` next to this program.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aralez_runtime::state;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::args::Format;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::supervisor::beside_own;

/// Runs `store backup`.
pub(crate) async fn backup(client: &Client, file: &Path, format: Format) -> Result<(), Failure> {
    let mut response = client.download("/v1/store/backup").await?;
    let number = |name: &str| -> Option<u64> {
        let value = response.headers().get(name)?;
        value.to_str().ok()?.parse().ok()
    };
    let (generation, revision) = (number("x-aralez-generation"), number("x-aralez-revision"));
    if generation.is_none() {
        let words = "the server is not control: the response has no x-aralez-generation";
        return Err(Failure::new(Exit::Unreached, words));
    }
    let failed = |error: io::Error| Failure::refused(format!("{}: {error}", file.display()));
    let mut partial = Partial::create(file).map_err(failed)?;
    let mut bytes = 0;
    // A truncated body is an error: control sends a Content-Length.
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| client.unreached(&error))?
    {
        bytes += chunk.len();
        partial.file.write_all(&chunk).map_err(failed)?;
    }
    partial.finish(file).map_err(failed)?;
    output::say("the file contains the documents and the key that decrypts them: keep it secret");
    let value = json!({
        "version": 1, "file": file, "bytes": bytes, "generation": generation, "revision": revision,
    });
    let line = format!(
        "{}: generation {}, revision {}, {bytes} bytes",
        file.display(),
        generation.unwrap_or_default(),
        revision.unwrap_or_default()
    );
    output::print(format, &value, &line)
}

/// A file that appears under its name only once it is complete; removed on drop otherwise.
struct Partial {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    fn create(target: &Path) -> io::Result<Self> {
        let mut name = target
            .file_name()
            .ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name")
            })?
            .to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let path = target.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            finished: false,
        })
    }

    fn finish(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, target)?;
        self.finished = true;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // The cause is already reported.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Runs `store restore`.
pub(crate) async fn restore(
    file: &Path,
    state_dir: &Path,
    force: bool,
    format: Format,
) -> Result<(), Failure> {
    let mut command = control()?;
    command.arg("restore").arg(file);
    command.arg("--state-dir").arg(state_dir);
    if force {
        command.arg("--force");
    }
    let restored = run_json(command).await?;
    let number = |name: &str| restored[name].as_u64().unwrap_or_default();
    let kept = restored["kept"].as_array().into_iter().flatten();
    let kept = kept
        .filter_map(Value::as_str)
        .map(|kept| format!("kept: {kept}"));
    let first = format!(
        "restored generation {}, revision {} as generation {}, revision {}; start control, and the fleet follows",
        number("backup_generation"),
        number("backup_revision"),
        number("generation"),
        number("revision")
    );
    let lines: Vec<String> = std::iter::once(first).chain(kept).collect();
    output::print(format, &versioned(restored), &lines.join("\n"))
}

/// Runs `store check`.
pub(crate) async fn check(state_dir: Option<PathBuf>, format: Format) -> Result<(), Failure> {
    let state_dir = state_dir.unwrap_or_else(state::default_dir);
    let mut command = control()?;
    command.arg("check").arg("--state-dir").arg(&state_dir);
    let checked = run_json(command).await?;
    let lines = |name: &str| {
        let lines = checked[name].as_array().into_iter().flatten();
        let lines = lines.filter_map(Value::as_str).map(str::to_owned);
        lines.collect::<Vec<String>>()
    };
    let (damaged, notes) = (lines("damaged"), lines("notes"));
    let head = format!(
        "cluster {}, generation {}, revision {}: {} revisions are intact, {} faults",
        checked["cluster"].as_str().unwrap_or_default(),
        checked["generation"],
        checked["revision"],
        checked["whole"],
        damaged.len()
    );
    output::print(format, &versioned(checked), &head)?;
    output::say(&notes.join("\n"));
    match damaged.as_slice() {
        [] => Ok(()),
        damaged => Err(Failure::refused(damaged.join("\n"))),
    }
}

/// Returns the command `aralez-control store`.
fn control() -> Result<Command, Failure> {
    let mut command = Command::new(beside_own("aralez-control")?);
    command.arg("store").stdin(Stdio::null());
    Ok(command)
}

/// Runs the command and returns its JSON output, or its standard error as a failure.
async fn run_json(mut command: Command) -> Result<Value, Failure> {
    let output = command
        .output()
        .await
        .map_err(|error| Failure::refused(format!("cannot run aralez-control: {error}")))?;
    if output.status.success() {
        return serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::refused(format!("aralez-control printed no JSON: {error}")));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.trim();
    let words = words.strip_prefix("aralez-control: ").unwrap_or(words);
    Err(Failure::refused(match words {
        "" => format!("aralez-control failed ({})", output.status),
        words => words.to_owned(),
    }))
}

fn versioned(mut value: Value) -> Value {
    value["version"] = json!(1);
    value
}
