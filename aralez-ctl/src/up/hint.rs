//! The message of `up` once everything runs: addresses, files, and commands to try next.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use aralez_proto::main_config::MainConfig;

use crate::supervisor::Addresses;

/// The content of the message.
#[derive(Debug)]
pub(super) struct Hint {
    pub(super) addresses: Addresses,
    pub(super) state: PathBuf,
    pub(super) main: PathBuf,
    pub(super) upstreams: Option<PathBuf>,
    /// The file of a generated master key.
    pub(super) key: Option<PathBuf>,
    pub(super) host: Option<String>,
    pub(super) sample: bool,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (admin, api) = (self.addresses.admin(), self.addresses.api());
        let http = self.addresses.http();
        let what = if self.sample {
            " with a sample site"
        } else {
            ""
        };
        writeln!(f, "\nAralez is running{what}. Press Ctrl-C to stop it.\n")?;
        writeln!(f, "  traffic     http://{http}/")?;
        writeln!(
            f,
            "  proxy       http://{admin}/version   (/readyz, /metrics)"
        )?;
        writeln!(f, "  config API  http://{api}/")?;
        match &self.upstreams {
            Some(path) => writeln!(
                f,
                "  documents   {}   (a change is live once it is saved)",
                path.display()
            )?,
            None => writeln!(
                f,
                "  documents   none: main.yaml does not set upstreams_conf; use `push`"
            )?,
        }
        writeln!(f, "  main.yaml   {}", self.main.display())?;
        if let Some(key) = &self.key {
            writeln!(f, "  master key  {}", key.display())?;
        }
        writeln!(f, "  state       {}\n", self.state.display())?;
        writeln!(f, "Try next:")?;
        self.tries(http)
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Hint {
    fn tries(&self, http: SocketAddr) -> [String; 3] {
        let ctl = self.ctl();
        let curl = match &self.host {
            Some(host) => format!(
                "curl -i -H {} http://{http}/",
                quoted(&format!("Host: {host}"))
            ),
            None => format!("curl -i http://{http}/"),
        };
        let push = match (&self.upstreams, &self.key) {
            (Some(upstreams), Some(key)) => format!(
                "ARALEZ_KEY=$(cat {}) {ctl} push --wait {}",
                shell(key),
                shell(upstreams)
            ),
            _ => format!("curl http://{}/version", self.addresses.admin()),
        };
        [curl, format!("{ctl} nodes"), push]
    }

    /// Returns the command line of this program, usable from any folder.
    fn ctl(&self) -> String {
        let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("aralez-ctl"));
        let own = shell(&own);
        let api = self.addresses.api();
        if api == MainConfig::default().config_address {
            return own;
        }
        format!("{own} --server http://{api}")
    }
}

fn shell(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// Quotes a word for the shell, if it needs quotes.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use aralez_proto::main_config::MainConfig;

    use super::*;

    fn hint() -> Hint {
        Hint {
            addresses: Addresses::of(&MainConfig::default()),
            state: "/s".into(),
            main: "/s/main.yaml".into(),
            upstreams: Some("/s/my files/upstreams.yaml".into()),
            key: Some("/s/master.key".into()),
            host: Some("a.example".to_owned()),
            sample: true,
        }
    }

    #[test]
    fn the_lines_to_try_can_be_pasted_into_a_shell() {
        let hint = hint();
        let [curl, nodes, push] = hint.tries(hint.addresses.http());
        assert_eq!(curl, "curl -i -H 'Host: a.example' http://127.0.0.1:6193/");
        assert!(nodes.ends_with(" nodes"), "{nodes}");
        assert!(
            push.starts_with("ARALEZ_KEY=$(cat /s/master.key) "),
            "{push}"
        );
        assert!(
            push.ends_with(" push --wait '/s/my files/upstreams.yaml'"),
            "{push}"
        );
    }

    #[test]
    fn what_runs_and_where_is_told_without_the_key_itself() {
        let text = hint().to_string();
        for part in [
            "http://127.0.0.1:6193/",
            "127.0.0.1:3004",
            "127.0.0.1:3000",
            "/s/master.key",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
