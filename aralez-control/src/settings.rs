//! The settings of control: `main.yaml` with the defaults of control filled in, and unsafe ones narrowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use aralez_proto::document::Surroundings;
use aralez_proto::main_config::{ControlAddress, FailureRate, LogLevel, MainConfig, Secret};
use aralez_proto::model::{Forbidden, HmacStates, TokenIssuer};

/// The master key of the documented sample, which is public.
const SAMPLE_KEY: &str = "5aeff7f9-7b94-447c-af60-e8c488544a3e";

/// The effective settings of control.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// `log_level`
    pub log_level: LogLevel,
    /// `error_log`; standard error if `None`.
    pub error_log: Option<PathBuf>,
    /// `pid_file`
    pub pid_file: Option<PathBuf>,
    /// `state_dir`; control's own folder is `control` in it.
    pub state_dir: PathBuf,
    /// `config_address`
    pub config_address: SocketAddr,
    /// `config_tls_address`
    pub config_tls_address: Option<SocketAddr>,
    /// `config_api_enabled`: whether the API may write configuration.
    pub config_api_enabled: bool,
    /// `auth_failures`: the number of wrong keys that an address may send.
    pub auth_failures: FailureRate,
    /// `master_key`; `None` if there is none: then no client is authorized.
    pub master_key: Option<Secret>,
    /// The key that signs tokens: `JWT_KEY` of the environment, else `master_key`.
    pub token_key: Option<Secret>,
    /// `max_api_connections`
    pub max_api_connections: usize,
    /// `upstreams_conf`; if `None`, documents come from the API only.
    pub upstreams_conf: Option<PathBuf>,
    /// `control_address`
    pub control_address: ControlAddress,
    /// `upgrade_sock` of a proxy on this machine: no route may lead there.
    pub upgrade_sock: Option<PathBuf>,
    /// Settings that are accepted but deserve an operator's attention.
    pub warnings: Vec<String>,
}

impl ControlSettings {
    /// Derives the settings from a `main.yaml`. `default_state_dir` is used if it sets no `state_dir`, and `master_key` signs tokens if there
    /// is no `jwt_key`. Without a key of the operator's own, the config API is bound to loopback addresses only, whatever `main.yaml` says.
    pub fn of(main: &MainConfig, default_state_dir: &Path, jwt_key: Option<Secret>) -> Self {
        let state_dir = main.state_dir.as_deref().unwrap_or(default_state_dir);
        let socket = || ControlAddress::Unix(state_dir.join("control.sock"));
        let key = main.master_key.as_ref();
        let master_key = key.filter(|key| !key.reveal().is_empty()).cloned();
        let mut settings = Self {
            log_level: main.log_level,
            error_log: main.error_log.clone(),
            pid_file: main.pid_file.clone(),
            config_address: main.config_address,
            config_tls_address: main.config_tls_address,
            config_api_enabled: main.config_api_enabled,
            auth_failures: main.auth_failures,
            token_key: jwt_key.or_else(|| master_key.clone()),
            master_key,
            max_api_connections: main.max_api_connections,
            upstreams_conf: main.upstreams_conf.clone(),
            control_address: main.control_address.clone().unwrap_or_else(socket),
            upgrade_sock: main.upgrade_sock.clone(),
            state_dir: state_dir.to_owned(),
            warnings: Vec::new(),
        };
        settings.limit_exposure();
        settings.check_token_key();
        settings
    }

    /// Returns the folder that belongs to control alone.
    pub fn control_dir(&self) -> PathBuf {
        self.state_dir.join("control")
    }

    /// Returns the context for parsing documents: no route may point at the config API, at the socket of the stream, or at one in
    /// `state_dir`, where proxies hand over. Paths are refused both as configured and as the system resolves them now; a path in a document
    /// that leads there through another symlink is not detected. Passwords are not hashed: the store, which has the key for that, is opened later. The key that
    /// signs tokens is known in a form that does not show it.
    pub fn surroundings(&self) -> Surroundings {
        let bound = [Some(self.config_address), self.config_tls_address];
        let ControlAddress::Unix(stream) = &self.control_address;
        let ours = [
            Some(stream),
            Some(&self.state_dir),
            self.upgrade_sock.as_ref(),
        ];
        let ours = ours.into_iter().flatten();
        let forbidden = Forbidden {
            addresses: bound.into_iter().flatten().collect(),
            paths: ours
                .flat_map(|path| [path.clone(), resolved(path)])
                .collect(),
        };
        let issuer = match &self.token_key {
            Some(key) => TokenIssuer::Hs256(HmacStates::of(key.reveal().as_bytes())),
            None => TokenIssuer::Keyless,
        };
        Surroundings {
            forbidden,
            issuer,
            ..Surroundings::default()
        }
    }

    fn check_token_key(&mut self) {
        if self.token_key.as_ref().map(Secret::reveal) == Some(SAMPLE_KEY) {
            self.warnings.push(
                "tokens are signed with the public sample key, so anyone can make valid ones: set your own master_key or JWT_KEY".to_owned(),
            );
        }
    }

    /// Binds the config API to loopback addresses if everyone knows its key, and warns if other machines can reach it. The documented
    /// `main.yaml` has the sample key and listens on every address: it has to start, and must not let everyone write the configuration.
    fn limit_exposure(&mut self) {
        let problem = match self.master_key.as_ref().map(Secret::reveal) {
            None => Some("there is no master_key"),
            Some(SAMPLE_KEY) => Some("master_key is the public sample key"),
            Some(_) => None,
        };
        let bound = [
            ("config_address", Some(&mut self.config_address)),
            ("config_tls_address", self.config_tls_address.as_mut()),
        ];
        for (key, address) in bound {
            let Some(address) =
                address.filter(|address| !address.ip().to_canonical().is_loopback())
            else {
                continue;
            };
            let warning = match problem {
                Some(problem) => {
                    let written = *address;
                    address.set_ip(loopback(written.ip().to_canonical()));
                    format!(
                        "{key}: the config API listens on {address} instead of {written}, because {problem}: set a key of your own to reach it from other machines"
                    )
                }
                None => format!(
                    "{key}: {address} exposes the config API to other machines; only master_key protects it"
                ),
            };
            self.warnings.push(warning);
        }
    }
}

/// Returns the loopback address of the same family.
const fn loopback(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

/// Resolves the existing part of a path, and appends the rest unchanged.
fn resolved(path: &Path) -> PathBuf {
    let known = |ancestor: &Path| {
        let rest = path.strip_prefix(ancestor).ok()?;
        Some(std::fs::canonicalize(ancestor).ok()?.join(rest))
    };
    let resolved = path.ancestors().find_map(known);
    resolved.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests;
