//! The plan of a test fleet as data, and the files and processes made from it.

use std::path::{Path, PathBuf};

use crate::document::site;
use crate::fault_proxy::FaultProxy;
use crate::fleet::{Fleet, LIVE, MASTER_KEY};
use crate::origin::Origin;
use crate::ports::Port;

/// The product's control.
pub(super) const CONTROL: &str = "aralez-control";

/// A fleet to start.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    proxies: Vec<Proxy>,
    control_lines: String,
    programs: Option<PathBuf>,
    scripted: bool,
    control_arguments: Vec<String>,
    document: Option<String>,
}

#[derive(Clone, Debug)]
struct Proxy {
    threads: usize,
    lines: String,
    relayed: bool,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            threads: 2,
            lines: String::new(),
            relayed: false,
        }
    }
}

impl Plan {
    /// Plans control and `proxies` proxies with default settings.
    pub fn new(proxies: usize) -> Self {
        Self {
            proxies: vec![Proxy::default(); proxies],
            ..Self::default()
        }
    }

    /// Adds lines to control's `main.yaml`.
    #[must_use]
    pub fn control(mut self, lines: &str) -> Self {
        self.control_lines.push_str(&format!("{lines}\n"));
        self
    }

    /// Adds arguments to control's command line.
    #[must_use]
    pub fn control_arguments(mut self, arguments: &[&str]) -> Self {
        let more = arguments.iter().map(ToString::to_string);
        self.control_arguments.extend(more);
        self
    }

    /// Adds lines to one proxy's `main.yaml`.
    #[must_use]
    pub fn proxy(mut self, proxy: usize, lines: &str) -> Self {
        self.proxies[proxy].lines.push_str(&format!("{lines}\n"));
        self
    }

    /// Sets the number of threads with which one proxy serves requests; the default is 2.
    #[must_use]
    pub fn threads(mut self, proxy: usize, threads: usize) -> Self {
        self.proxies[proxy].threads = threads;
        self
    }

    /// Uses the daemons of another build.
    #[must_use]
    pub fn programs(mut self, folder: &Path) -> Self {
        self.programs = Some(folder.to_owned());
        self
    }

    /// Gives control a source of endpoints that follows [`Fleet::script`].
    #[must_use]
    pub const fn scripted(mut self) -> Self {
        self.scripted = true;
        self
    }

    /// Puts a relay between that proxy and control.
    #[must_use]
    pub fn relayed(mut self, proxy: usize) -> Self {
        self.proxies[proxy].relayed = true;
        self
    }

    /// Writes an `upstreams.yaml` before anything starts.
    #[must_use]
    pub fn document(mut self, text: &str) -> Self {
        self.document = Some(text.to_owned());
        self
    }

    /// Starts one proxy with these lines in its `main.yaml`, and waits until it serves `a.test` from an origin that answers `a`.
    ///
    /// # Panics
    /// If it does not start to serve.
    pub async fn one_site(origin: &Origin, main: &str) -> Fleet {
        let plan = Self::new(1).proxy(0, main);
        let fleet = plan.document(&site("a.test", &[origin.address()]));
        let fleet = fleet.start().await;
        fleet.until_current(LIVE).await;
        fleet.until_serving(LIVE, "a.test", "a").await;
        fleet
    }

    /// Writes the files and starts the processes: control first, then all proxies.
    ///
    /// # Panics
    /// If they do not start.
    pub async fn start(self) -> Fleet {
        let mut fleet = self.lay_out();
        fleet.launch_control();
        for proxy in 0..fleet.proxies.len() {
            fleet.launch_proxy(proxy);
        }
        fleet.control_is_up().await;
        for proxy in 0..fleet.proxies.len() {
            fleet.proxy_is_up(proxy).await;
        }
        fleet
    }

    /// Writes the files without starting anything.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn lay_out(self) -> Fleet {
        let folder = tempfile::Builder::new().prefix("aralez-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        for name in ["documents", "state"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        let fleet = Fleet {
            control: None,
            proxies: self.proxies.iter().map(|_| None).collect(),
            relays: relays(&self.proxies, folder.path()),
            http: self.proxies.iter().map(|_| Port::free()).collect(),
            admin: self.proxies.iter().map(|_| Port::free()).collect(),
            api: Port::free(),
            programs: self.programs.clone(),
            control_program: match self.scripted {
                true => "scripted-control",
                false => CONTROL,
            },
            control_arguments: self.control_arguments.clone(),
            arguments: vec![Vec::new(); self.proxies.len()],
            folder,
        };
        if let Some(document) = &self.document {
            fleet.save(document);
        }
        write(fleet.folder(), "control.yaml", &self.control_file(&fleet));
        for (index, proxy) in self.proxies.iter().enumerate() {
            let name = format!("{}.yaml", node_name(index));
            write(fleet.folder(), &name, &proxy.file(&fleet, index));
        }
        fleet
    }

    fn control_file(&self, fleet: &Fleet) -> String {
        format!(
            "config_address: {}\nupstreams_conf: {}\nstate_dir: {}\ncontrol_address: unix:{}\n\
             master_key: {MASTER_KEY}\n{}",
            fleet.api(),
            fleet.documents().join("upstreams.yaml").display(),
            fleet.state().display(),
            fleet.folder().join("control.sock").display(),
            self.control_lines,
        )
    }
}

impl Proxy {
    fn file(&self, fleet: &Fleet, index: usize) -> String {
        let socket = match self.relayed {
            true => relay_socket(fleet.folder(), index),
            false => fleet.folder().join("control.sock"),
        };
        format!(
            "node_id: {}\nthreads: {}\nproxy_address_http: {}\nproxy_admin_address: {}\nstate_dir: {}\n\
             lame_duck: 0s\ncontrol_servers:\n  - unix:{}\n{}",
            node_name(index),
            self.threads,
            fleet.http(index),
            fleet.admin(index),
            fleet.state().display(),
            socket.display(),
            self.lines,
        )
    }
}

/// Returns the name of the proxy with that number.
pub(super) fn node_name(proxy: usize) -> String {
    format!("proxy-{proxy}")
}

fn relays(proxies: &[Proxy], folder: &Path) -> Vec<Option<FaultProxy>> {
    let target = folder.join("control.sock");
    let planned = proxies.iter().enumerate();
    planned
        .map(|(index, proxy)| {
            proxy
                .relayed
                .then(|| FaultProxy::unix(&relay_socket(folder, index), &target))
        })
        .collect()
}

fn relay_socket(folder: &Path, index: usize) -> std::path::PathBuf {
    folder.join(format!("relay-{index}.sock"))
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("a file of the fleet is written");
}
