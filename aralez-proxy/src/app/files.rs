//! The folders of `main.yaml` whose files are served.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use aralez_proto::main_config::MainConfig;
use aralez_proto::model::FolderPath;
use aralez_runtime::main_file::MainFile;
use tracing::warn;

use super::pseudonym;
use crate::core::request::files::roots::FileRoots;
use crate::core::request::listener_role::FileServer;
use crate::settings::{FileServerSettings, Settings};

/// Takes `file_server_folder`, `file_server_address` and `file_roots` into the settings. Relative paths are relative to the working
/// directory.
///
/// # Errors
/// The place of a folder that is none, or of a path that has no clear meaning.
pub(super) fn settle(
    settings: &mut Settings,
    config: &MainConfig,
    file: &MainFile,
) -> anyhow::Result<()> {
    let folder = |key, path: &Path| {
        absolute(path).map_err(|reason| anyhow::Error::msg(file.fault(key, reason)))
    };
    let served = match &config.file_server_folder {
        Some(path) => Some(folder("file_server_folder", path)?),
        None => None,
    };
    if let Some(served) = &served
        && std::fs::metadata(served.as_path()).is_ok_and(|found| !found.is_dir())
    {
        bail!(file.fault("file_server_folder", no_folder(served)));
    }
    let roots = match &config.file_roots {
        Some(paths) => paths
            .iter()
            .map(|path| folder("file_roots", path))
            .collect(),
        None => Ok(served.iter().cloned().collect()),
    };
    settings.file_roots = FileRoots::new(roots?);
    // Either both keys are set or none, which was checked when the file was read.
    let server = served.zip(config.file_server_address);
    settings.file_server = server.map(|(folder, address)| FileServerSettings { address, folder });
    Ok(())
}

/// Logs the folders that are none now. The file server answers 404 until its folder exists: the documented `main.yaml` names one that no
/// machine has, and has to start. Routes below a missing root are refused until it exists.
pub(super) fn tell_missing_folders(settings: &Settings) {
    let served = settings.file_server.iter();
    for FileServerSettings { address, folder } in served {
        if let Err(reason) = exists(folder) {
            warn!("file_server_folder: {reason}; {address} answers 404 until it does");
        }
    }
    for root in settings.file_roots.iter() {
        if let Err(reason) = exists(root) {
            warn!("file_roots: {reason}; routes that serve files below it are refused");
        }
    }
}

/// Creates the file server of the settings.
pub(super) fn server(settings: &Settings) -> anyhow::Result<Option<FileServer>> {
    let Some(server) = &settings.file_server else {
        return Ok(None);
    };
    let server = FileServer::new(server.folder.clone(), pseudonym::drawn(), Instant::now());
    server.map(Some).context("cannot set up the file server")
}

fn absolute(path: &Path) -> Result<FolderPath, String> {
    let whole = std::path::absolute(path).map_err(|error| error.to_string())?;
    let whole = whole.to_str().ok_or("is not UTF-8")?;
    let folder = whole.parse::<FolderPath>();
    folder.map_err(|reason| format!("`{}` {reason}", path.display()))
}

fn no_folder(path: &FolderPath) -> String {
    format!("{path} is not a folder")
}

fn exists(folder: &FolderPath) -> Result<(), String> {
    match std::fs::metadata(folder.as_path()) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(no_folder(folder)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("the folder {folder} does not exist"))
        }
        Err(error) => Err(format!("the folder {folder} cannot be used: {error}")),
    }
}
