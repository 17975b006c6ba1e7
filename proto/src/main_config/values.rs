//! Value types that only `main.yaml` uses.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::model::SocketPath;
use crate::reading::{
    Between, FromYaml, Reader, Support, WrittenSize, choices, choose, keys, text,
};
use crate::yaml::{Node, Value};

/// A value that is accepted but has no effect in this release.
#[derive(Clone, Debug)]
pub(crate) struct NoEffect<T>(pub(crate) T);

impl<T: FromYaml> FromYaml for NoEffect<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SUPPORT: Support = Support::Idle;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let value = T::read(node, reader)?;
        if value.asks() {
            reader.note(node.at(), "has no effect in this release");
        }
        Some(Self(value))
    }

    fn schema() -> Json {
        T::schema()
    }
}

/// `log_level`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogLevel {
    /// All events.
    Trace,
    /// Events for developers.
    Debug,
    /// Changes of state.
    #[default]
    Info,
    /// Events that may need an operator.
    Warn,
    /// Events that need an operator.
    Error,
    /// No events.
    Off,
}

/// The address on which control listens for the stream, or at which a proxy reaches it. TCP needs mTLS, which this release does not have
/// yet, so only unix sockets are supported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlAddress {
    /// `unix:PATH`
    Unix(PathBuf),
}

impl FromYaml for LogLevel {
    const EXPECTED: &'static str = "a log level";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        choose(node, reader, true, &LEVELS)
    }

    fn schema() -> Json {
        json!({ "enum": LEVELS.map(|(name, _)| name) })
    }
}

const LEVELS: [(&str, LogLevel); 6] = [
    ("trace", LogLevel::Trace),
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
    ("off", LogLevel::Off),
];

choices! {
    /// `hc_method`
    Method, "a method", true:
    /// Requests the head only.
    Head = "HEAD",
    /// Requests the whole response.
    Get = "GET",
    /// Sends no body.
    Post = "POST",
}

choices! {
    /// `proxy_tls_grade`
    Grade, "a grade", true:
    /// TLS 1.2 and 1.3, ECDHE and AEAD.
    High = "high",
    /// Also the documented CBC suites.
    Medium = "medium",
    /// Also TLS 1.0 and 1.1.
    Unsafe = "unsafe",
}

choices! {
    /// `access_log_format`
    AccessLogFormat, "a format", false:
    /// One line of text.
    Text = "text",
    /// One line of JSON.
    Json = "json",
}

/// `access_log`: `true` if any request is logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessLog(bool);

impl FromYaml for AccessLog {
    const EXPECTED: &'static str = "one of all, error, off";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let choices = [("all", true), ("error", true), ("off", false)];
        choose(node, reader, false, &choices).map(Self)
    }

    fn schema() -> Json {
        json!({ "enum": ["all", "error", "off"] })
    }

    fn asks(&self) -> bool {
        self.0
    }
}

keys! {
    /// A log file with its rotation.
    LogFileKeys "in log_file";
    /// The file.
    path => PathBuf,
    @checked {
        /// The size at which it is rotated.
        size => WrittenSize,
        /// Number of old files to keep.
        keep => Between<0, 10_000>,
        /// Compress old files.
        compress => bool,
    }
}

keys! {
    /// TLS between control and proxies.
    ControlTlsKeys "in control_tls";
    @checked {
        /// The authority that signs the certificates of nodes.
        ca => PathBuf,
        /// The certificate of control.
        certificate => PathBuf,
        /// The key of that certificate.
        key => PathBuf,
    }
}

keys! {
    /// Limits of the history.
    HistoryKeys "in history";
    @checked {
        /// Number of revisions to keep. Default: 1000.
        keep => Between<1, { u64::MAX }>,
        /// Time for which to keep them. Default: 90d.
        for => String,
    }
}

keys! {
    /// Traces.
    TraceKeys "in traces";
    @checked {
        /// Their destination.
        endpoint => String,
        /// The share of requests that is traced, such as 1%.
        sample => String,
    }
}

/// `log_file`: a path, or a map with the rotation.
pub(crate) struct LogFile;

impl FromYaml for LogFile {
    const EXPECTED: &'static str = "a path, or a map of path, size, keep, compress";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        match node.value() {
            Value::Mapping(_) => {
                let keys = LogFileKeys::read(node, reader)?;
                if keys.path.is_none() {
                    reader.fault(node.at(), "`path` is missing");
                }
                Some(Self)
            }
            Value::Scalar(_) => PathBuf::read(node, reader).map(|_| Self),
            Value::Sequence(_) => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [PathBuf::schema(), LogFileKeys::schema()] })
    }
}

/// The address on which control listens or at which it is reached.
pub(crate) struct Control(pub(crate) ControlAddress);

impl FromYaml for Control {
    const EXPECTED: &'static str = "unix:PATH";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        let Some(path) = text.strip_prefix("unix:") else {
            reader.fault(node.at(), not_a_socket(text));
            return None;
        };
        if path.is_empty() || path.len() > SocketPath::LONGEST {
            let reason = format!(
                "the socket path has {} bytes, expected 1 to {}",
                path.len(),
                SocketPath::LONGEST
            );
            reader.fault(node.at(), reason);
            return None;
        }
        Some(Self(ControlAddress::Unix(PathBuf::from(path))))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^unix:.{1,107}$" })
    }
}

fn not_a_socket(text: &str) -> String {
    let written = crate::reading::shown(text);
    if text.starts_with('/') || text.starts_with('.') {
        format!("expected unix:PATH, found `{written}` (did you mean `unix:{written}`?)")
    } else {
        format!("`{written}` requires mTLS, which this release does not support yet; use unix:PATH")
    }
}

/// `join_token_file`: refused, since enrolment needs TCP.
pub(crate) struct JoinToken;

impl FromYaml for JoinToken {
    const EXPECTED: &'static str = "a path";
    const SUPPORT: Support = Support::Refused;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        if text.is_empty() {
            return Some(Self);
        }
        reader.fault(
            node.at(),
            "enrolment requires mTLS, which this release does not support yet; remove the key",
        );
        None
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}
