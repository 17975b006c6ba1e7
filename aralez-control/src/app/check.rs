//! `-t`: checks everything that can make a start fail, changes nothing, and exits.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use aralez_proto::document::{self, Authored, DocumentFaults, Surroundings};
use aralez_proto::main_config::{ControlAddress, MainConfig};

use crate::core::source::{Finding, Reports, Source, Wanted};
use crate::core::status::{FilesReading, KnownFiles};
use crate::settings::ControlSettings;
use crate::source::file::{FileSource, MainConfigFile, WRITER_PATIENCE, WriteEvents};
use crate::stream::{ControlSocket, SocketError};

/// Time limit for the set of files to become stable.
const LOOKING: Duration = Duration::from_secs(10);

/// Checks everything that `main.yaml` refers to: addresses, the control socket and the documents.
///
/// # Errors
/// All faults, one per line.
pub(super) fn check(
    main: &MainConfig,
    settings: &ControlSettings,
    main_config: MainConfigFile,
) -> Result<()> {
    let mut faults = Vec::new();
    let mut notes: Vec<String> = main.idle.iter().map(ToString::to_string).collect();
    notes.extend(settings.warnings.iter().cloned());
    faults.extend(check_address(settings.config_address));
    let ControlAddress::Unix(socket) = &settings.control_address;
    match ControlSocket::check(socket) {
        // `InUse`: a control is running, which is no fault for `-t`.
        Ok(()) | Err(SocketError::InUse { .. }) => {}
        Err(error) => faults.push(error.to_string()),
    }
    if let Some(path) = &settings.upstreams_conf {
        let (reading, authored) = look(path, main_config, &settings.surroundings())?;
        notes.extend(reading.warnings.iter().map(ToString::to_string));
        faults.extend(reading.faults.iter().map(ToString::to_string));
        match authored {
            Ok(authored) => notes.extend(authored.warnings.iter().map(ToString::to_string)),
            Err(found) => faults.extend(found.0.iter().map(ToString::to_string)),
        }
    }
    let mut stderr = std::io::stderr();
    for note in notes {
        writeln!(stderr, "warning: {note}")?;
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    writeln!(stderr, "the configuration is valid")?;
    Ok(())
}

/// Returns the fault of an address that cannot be bound. An address in use is none: `-t` is usually run while control is running.
fn check_address(address: SocketAddr) -> Option<String> {
    match TcpListener::bind(address) {
        Err(error) if error.kind() != ErrorKind::AddrInUse => Some(format!(
            "config_address: cannot listen on {address}: {error}"
        )),
        _ => None,
    }
}

/// Forwards readings of the files to a channel.
struct Readings(Sender<Arc<FilesReading>>);

impl Reports for Readings {
    fn report(&self, finding: Finding) {
        if let Finding::Files(reading) = finding {
            // The receiver is gone after the last reading.
            let _ = self.0.send(reading);
        }
    }
}

/// Reads the set of files as a start would, with the files that the documents name.
fn look(
    path: &Path,
    main_config: MainConfigFile,
    surroundings: &Surroundings,
) -> Result<(Arc<FilesReading>, Result<Authored, DocumentFaults>)> {
    let (known, writers) = (KnownFiles::default(), WriteEvents::default());
    let source = FileSource::new(path, known, writers, WRITER_PATIENCE).withholding(main_config);
    let (reports, readings) = mpsc::channel();
    let running = Box::new(source).start(Arc::new(Readings(reports)));
    let mut running = running.map_err(Error::msg)?;
    loop {
        let reading = readings.recv_timeout(LOOKING);
        let reading = reading
            .with_context(|| format!("{}: no stable set of files to read", path.display()))?;
        let documents = reading.documents.clone().unwrap_or_default();
        let read = document::read_as(&documents, surroundings, &str::to_owned);
        if read.is_complete(documents.files()) {
            return Ok((reading, read.authored));
        }
        running.wants(&Wanted::by(Arc::default(), Arc::new(read.named)));
    }
}
