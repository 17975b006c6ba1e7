//! The files that `up` generates if it is given none: in the state folder, readable only by their owner.

use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::model::HostPattern;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::{private, random};
use serde_json::{Value, json};

use crate::args::Listen;

/// Limit on reading a generated file back, in bytes.
const MOST: u64 = 64 << 20;

const SAMPLE_HEAD: &str = "\
# The sample site of `aralez-ctl up`. It is yours to change: save it, and the change is live.
# Add hosts beside DEFAULT, paths beside \"/\", servers beside the one that is there.
";

/// The generated files.
#[derive(Debug)]
pub(super) struct Generated {
    pub(super) main: PathBuf,
    pub(super) upstreams: PathBuf,
    /// The file of the master key.
    pub(super) key: PathBuf,
    /// Listener for the sample site.
    pub(super) sample: Option<TcpListener>,
    /// Keeps a second `up` from rewriting the files that this one runs on.
    pub(super) lock: InstanceLock,
}

/// Writes the files of a bare `up`. An existing document is kept, except that a changed address of the sample site is replaced in it.
pub(super) fn for_sample(state: &Path, addresses: Listen) -> Result<Generated, String> {
    let folder = folder(state, "sample")?;
    let lock = lock(&folder)?;
    let address_file = folder.join("site-address");
    let before: Option<SocketAddr> = read(&address_file)?.and_then(|text| text.trim().parse().ok());
    let listener =
        listen(before).map_err(|error| format!("cannot serve the sample site: {error}"))?;
    let now = listener
        .local_addr()
        .map_err(|error| format!("cannot serve the sample site: {error}"))?;
    let upstreams = folder.join(DocumentSet::MAIN);
    let text = match (read(&upstreams)?, before) {
        (Some(text), Some(before)) => moved(&text, before, now),
        (Some(text), None) => text,
        (None, _) => SAMPLE_HEAD.to_owned() + &routing(&HostPattern::CatchAll, &now.to_string())?,
    };
    write(&upstreams, &text)?;
    write(&address_file, &format!("{now}\n"))?;
    let main = main_file(state, &folder, &upstreams, addresses)?;
    Ok(Generated {
        main,
        upstreams,
        key: key_file(state),
        sample: Some(listener),
        lock,
    })
}

/// Writes the files of `up --to`, again on each start.
pub(super) fn for_endpoint(
    state: &Path,
    to: &str,
    host: Option<&str>,
    listen: Listen,
) -> Result<Generated, String> {
    let host = host.map_or(Ok(HostPattern::CatchAll), str::parse);
    let host: HostPattern = host.map_err(|error| format!("--host: {error}"))?;
    let address = resolve(to)?;
    let text = format!("# Written by `aralez-ctl up --to {to}`, and anew by the next one.\n")
        + &routing(&host, &address.to_string())?;
    check(&text)?;
    let folder = folder(state, "to")?;
    let lock = lock(&folder)?;
    let upstreams = folder.join(DocumentSet::MAIN);
    write(&upstreams, &text)?;
    let main = main_file(state, &folder, &upstreams, listen)?;
    Ok(Generated {
        main,
        upstreams,
        key: key_file(state),
        sample: None,
        lock,
    })
}

fn lock(folder: &Path) -> Result<InstanceLock, String> {
    InstanceLock::acquire(folder).map_err(|error| error.to_string())
}

fn key_file(state: &Path) -> PathBuf {
    state.join("master.key")
}

/// Writes the `main.yaml` of both daemons.
fn main_file(
    state: &Path,
    folder: &Path,
    upstreams: &Path,
    listen: Listen,
) -> Result<PathBuf, String> {
    let secret = master_key(&key_file(state))?;
    let mut keys = json!({
        "state_dir": state,
        "upstreams_conf": upstreams,
        "master_key": secret,
    });
    let addresses = [
        ("proxy_address_http", listen.http),
        ("config_address", listen.config_address),
        ("proxy_admin_address", listen.admin_address),
    ];
    for (key, address) in addresses {
        if let Some(address) = address {
            keys[key] = json!(address);
        }
    }
    let main = folder.join("main.yaml");
    let head = "# Written by `aralez-ctl up`, and anew by the next one.\n".to_owned();
    write(&main, &(head + &yaml(&keys)?))?;
    Ok(main)
}

/// Returns the master key of this state folder, generated once in a separate file.
fn master_key(path: &Path) -> Result<String, String> {
    if let Some(text) = read(path)? {
        let text = text.trim();
        if text.is_empty() {
            return Err(format!(
                "{} is empty: remove it, and a new key is drawn",
                path.display()
            ));
        }
        return Ok(text.to_owned());
    }
    let drawn = random::bytes::<32>();
    let hex = drawn.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    private::write_secret(path, format!("{hex}\n").as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(hex)
}

/// Returns a document that routes one host to one endpoint.
fn routing(host: &HostPattern, endpoint: &str) -> Result<String, String> {
    let host = host.to_string();
    let route = json!({"servers": [endpoint]});
    yaml(&json!({"provider": "file", "upstreams": {host: {"paths": {"/": route}}}}))
}

fn yaml(value: &Value) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|error| format!("cannot write YAML: {error}"))
}

/// Checks the document made from the command line as control would.
fn check(text: &str) -> Result<(), String> {
    let set = DocumentSet::of_main(text.to_owned().into());
    let authored = document::read(&set, &Surroundings::default());
    authored.map(|_| ()).map_err(|faults| {
        let reasons = faults.0.iter().map(|fault| fault.reason.as_str());
        reasons.collect::<Vec<_>>().join("\n")
    })
}

/// Resolves an endpoint, once. IPv4 is preferred, as most servers on a developer's machine listen there.
fn resolve(to: &str) -> Result<SocketAddr, String> {
    let wrong = |reason: &str| format!("--to {to}: {reason}");
    let (_, port) = to
        .rsplit_once(':')
        .ok_or_else(|| wrong("the port is missing, as in 127.0.0.1:8000"))?;
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err(wrong("the port is not a number from 1 to 65535"));
    }
    let found: Vec<SocketAddr> = to
        .to_socket_addrs()
        .map_err(|error| wrong(&error.to_string()))?
        .collect();
    let first = found.iter().find(|address| address.is_ipv4());
    first
        .or(found.first())
        .copied()
        .ok_or_else(|| wrong("has no address"))
}

/// Binds the previous address if it is still free, so that a document that names it stays valid; otherwise a free port.
fn listen(before: Option<SocketAddr>) -> io::Result<TcpListener> {
    let again = before
        .filter(|address| address.ip().is_loopback())
        .and_then(|address| TcpListener::bind(address).ok());
    let listener = match again {
        Some(listener) => listener,
        None => TcpListener::bind("127.0.0.1:0")?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Replaces the sample site's old address in the document, wherever it is a complete address.
fn moved(text: &str, before: SocketAddr, now: SocketAddr) -> String {
    let before = before.to_string();
    let mut pieces = text.split(before.as_str()).peekable();
    let mut result = String::with_capacity(text.len());
    while let Some(piece) = pieces.next() {
        result.push_str(piece);
        let Some(next) = pieces.peek() else { break };
        // `127.0.0.1:80` is not the address in `127.0.0.1:8080`, nor in `1127.0.0.1:80`.
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let part_of_another = digit(next.chars().next()) || digit(piece.chars().next_back());
        result.push_str(&if part_of_another {
            before.clone()
        } else {
            now.to_string()
        });
    }
    result
}

fn folder(state: &Path, name: &str) -> Result<PathBuf, String> {
    let state = std::path::absolute(state)
        .map_err(|error| format!("cannot use {}: {error}", state.display()))?;
    let folder = state.join(name);
    for dir in [&state, &folder] {
        private::ensure_dir(dir)
            .map_err(|error| format!("cannot use {}: {error}", dir.display()))?;
    }
    Ok(folder)
}

fn read(path: &Path) -> Result<Option<String>, String> {
    let text = match private::read_bounded(path, MOST) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| format!("cannot use {}: {error}", path.display()))?,
    };
    String::from_utf8(text)
        .map(Some)
        .map_err(|_| format!("cannot use {}: not UTF-8", path.display()))
}

/// Writes a file unless it already has this content: control treats every write as a save.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if read(path)?.as_deref() == Some(text) {
        return Ok(());
    }
    private::write_atomic(path, text.as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
