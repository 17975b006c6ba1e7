//! One control and some proxies on one machine, as an operator runs them: real binaries, free ports, a folder per fleet.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::eventually::eventually;
use crate::fault_proxy::FaultProxy;
use crate::ports::Port;
use crate::process::{self, Daemon};
use crate::raw::{self, Request};
use crate::scripted_source::{script_beside, write_script};
use crate::wire::Response;

mod change;
mod nodes;
mod plan;
mod waits;
pub use nodes::Node;
pub use plan::Plan;

/// The master key of every test fleet.
pub const MASTER_KEY: &str = "4e1f5a7c-test-master-key";

/// Timeout for the start of a daemon on a busy machine.
pub const START: Duration = Duration::from_secs(20);

/// Timeout for a change to be live everywhere. The promise is one second; a test machine may be busy, so tests wait longer and print the
/// time that it took.
pub const LIVE: Duration = Duration::from_secs(10);

/// A running fleet. Dropping it kills every process and removes its folder.
#[derive(Debug)]
pub struct Fleet {
    /// The control process; `None` while it is down.
    pub control: Option<Daemon>,
    /// The proxy processes; `None` for one that is down.
    pub proxies: Vec<Option<Daemon>>,
    /// The relay between control and each proxy; `None` for a proxy that was planned without one.
    pub relays: Vec<Option<FaultProxy>>,
    http: Vec<Port>,
    admin: Vec<Port>,
    api: Port,
    programs: Option<PathBuf>,
    control_program: &'static str,
    control_arguments: Vec<String>,
    arguments: Vec<Vec<String>>,
    folder: TempDir,
}

impl Fleet {
    /// Starts control and `proxies` proxies, without a document.
    ///
    /// # Panics
    /// If they do not start.
    pub async fn start(proxies: usize) -> Self {
        Plan::new(proxies).start().await
    }

    /// Returns the folder of this fleet, which contains everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the documents.
    pub fn documents(&self) -> PathBuf {
        self.folder().join("documents")
    }

    /// Returns the state folder of all daemons.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    /// Returns the log of a daemon: `control`, `proxy-0`.
    pub fn log(&self, daemon: &str) -> String {
        std::fs::read_to_string(self.log_path(daemon)).unwrap_or_default()
    }

    /// Returns the address of the config API.
    pub fn api(&self) -> SocketAddr {
        self.api.address()
    }

    /// Returns the HTTP address of a proxy.
    pub fn http(&self, proxy: usize) -> SocketAddr {
        self.http[proxy].address()
    }

    /// Returns the address of a proxy's admin endpoints.
    pub fn admin(&self, proxy: usize) -> SocketAddr {
        self.admin[proxy].address()
    }

    /// Returns the control process, which must be running.
    ///
    /// # Panics
    /// If it is down.
    pub fn control(&self) -> &Daemon {
        self.control.as_ref().expect("control runs")
    }

    // === documents ===

    /// Saves `upstreams.yaml` as most programs do: truncate and write.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn save(&self, text: &str) {
        std::fs::write(self.documents().join("upstreams.yaml"), text).expect("a document is saved");
    }

    /// Replaces the script of a [`Plan::scripted`] control: the endpoints that its source reports from now on.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn script(&self, text: &str) {
        let script = script_beside(&self.folder().join("control.yaml"));
        write_script(&script, text);
    }

    /// Saves `conf.d/NAME`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn save_part(&self, name: &str, text: &str) {
        let folder = self.documents().join("conf.d");
        std::fs::create_dir_all(&folder).expect("conf.d can be made");
        std::fs::write(folder.join(name), text).expect("a document is saved");
    }

    /// Pushes a document, as the documentation does: `POST /conf?key=KEY`.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn push(&self, text: &str) -> Response {
        let answer = self.try_push(text).await;
        answer.expect("the config API answers")
    }

    /// Pushes a document while control may be down.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn try_push(&self, text: &str) -> Result<Response, String> {
        let target = format!("/conf?key={MASTER_KEY}");
        let request = Request::new("POST", "control", &target).body(text);
        raw::send(self.api(), &request).await
    }

    /// Saves a document that differs from the live one, and waits until every running proxy runs it. Returns its revision.
    ///
    /// # Panics
    /// If that does not happen within [`LIVE`].
    pub async fn apply(&self, text: &str) -> u64 {
        // Control commits a revision of the files at its start, also if there are none: do not mistake it for this one.
        let begun = || async {
            let status = self.ask("/v1/status").await?;
            let head = nodes::head_revision(&status).unwrap_or(0);
            let faults = status["documents"]["faults"].as_array();
            let refused = faults.is_some_and(|faults| !faults.is_empty());
            (head > 0 || refused)
                .then_some(head)
                .ok_or_else(|| "control has not read its files".to_owned())
        };
        let before = eventually(LIVE, "control has read the files of its start", begun).await;
        self.save(text);
        self.follows(before).await
    }

    /// Waits until every running proxy runs a revision newer than `before`. Returns that revision.
    ///
    /// # Panics
    /// If that does not happen within [`LIVE`].
    pub async fn follows(&self, before: u64) -> u64 {
        let newer = || async {
            let head = self.current().await?;
            (head > before)
                .then_some(head)
                .ok_or_else(|| format!("the head is still {head}"))
        };
        eventually(LIVE, "a new revision runs everywhere", newer).await
    }

    // === the operator's view ===

    /// Sends a `GET` to the config API.
    ///
    /// # Errors
    /// If there is no answer, or its status is not 200.
    pub async fn ask(&self, target: &str) -> Result<Value, String> {
        let request = Request::get("control", target)
            .header("Authorization", &format!("Bearer {MASTER_KEY}"));
        let response = raw::send(self.api(), &request).await?;
        if response.status == 200 {
            Ok(response.json())
        } else {
            Err(format!(
                "{target}: {}: {}",
                response.status,
                response.text()
            ))
        }
    }

    /// Returns the nodes of `/v1/nodes`.
    ///
    /// # Errors
    /// As [`Fleet::ask`].
    pub async fn nodes(&self) -> Result<Vec<Node>, String> {
        nodes::read(&self.ask("/v1/nodes").await?)
    }

    /// Returns one node of `/v1/nodes`.
    ///
    /// # Errors
    /// If it is not listed.
    pub async fn node(&self, proxy: usize) -> Result<Node, String> {
        let name = plan::node_name(proxy);
        let nodes = self.nodes().await?;
        let found = nodes.into_iter().find(|node| node.name == name);
        found.ok_or_else(|| format!("{name} is not among the nodes"))
    }

    /// Returns a proxy's `/version`.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn version(&self, proxy: usize) -> Result<Value, String> {
        let response = raw::get(self.admin(proxy), "admin", "/version").await?;
        Ok(response.json())
    }

    /// Returns the revision that a proxy reports to run; 0 for none.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn revision(&self, proxy: usize) -> Result<u64, String> {
        Ok(self.version(proxy).await?["revision"].as_u64().unwrap_or(0))
    }

    /// Returns the head of control's history.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn head(&self) -> Result<u64, String> {
        let status = self.ask("/v1/status").await?;
        nodes::head_revision(&status).ok_or_else(|| format!("no head in {status}"))
    }

    /// Returns the faults and warnings of the documents, as control reports them, each as `file:line:column: path: reason`.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn document_faults(&self) -> Result<Vec<String>, String> {
        Ok(nodes::document_faults(&self.ask("/v1/status").await?))
    }

    /// Sends a `GET` through a proxy.
    ///
    /// # Errors
    /// If there is no complete answer.
    pub async fn get(&self, proxy: usize, host: &str, target: &str) -> Result<Response, String> {
        raw::get(self.http(proxy), host, target).await
    }

    /// Runs `aralez-ctl` against this control.
    ///
    /// # Panics
    /// If it does not exit within 60 s.
    pub async fn ctl(&self, arguments: &[&str]) -> Output {
        let server = format!("http://{}", self.api());
        let environment = [
            ("ARALEZ_SERVER", server.as_str()),
            ("ARALEZ_KEY", MASTER_KEY),
        ];
        process::run_with(
            Duration::from_secs(60),
            "aralez-ctl",
            arguments,
            &environment,
        )
        .await
    }

    // === start and kill ===

    /// Starts control and waits until its API answers.
    ///
    /// # Panics
    /// If it does not answer within [`START`].
    pub async fn start_control(&mut self) {
        self.launch_control();
        self.control_is_up().await;
    }

    /// Starts control without waiting.
    pub fn launch_control(&mut self) {
        let log = self.log_path("control");
        let config = self.folder().join("control.yaml");
        let config = config.to_str().expect("test paths are UTF-8");
        let mut arguments = vec!["-c", config];
        arguments.extend(self.control_arguments.iter().map(String::as_str));
        self.control = Some(self.start_daemon(self.control_program, &arguments, &log));
    }

    /// Sends SIGKILL to control.
    pub fn kill_control(&mut self) {
        if let Some(mut control) = self.control.take() {
            control.kill();
        }
    }

    /// Starts a proxy and waits until it is live.
    ///
    /// # Panics
    /// If it is not live within [`START`].
    pub async fn start_proxy(&mut self, proxy: usize) {
        self.launch_proxy(proxy);
        self.proxy_is_up(proxy).await;
    }

    /// Starts a proxy without waiting.
    pub fn launch_proxy(&mut self, proxy: usize) {
        let name = plan::node_name(proxy);
        let log = self.log_path(&name);
        let config = self.folder().join(format!("{name}.yaml"));
        let config = config.to_str().expect("test paths are UTF-8");
        let mut arguments = vec!["-c", config];
        arguments.extend(self.arguments[proxy].iter().map(String::as_str));
        self.proxies[proxy] = Some(self.start_daemon("aralez-proxy", &arguments, &log));
    }

    /// Sends SIGKILL to a proxy.
    pub fn kill_proxy(&mut self, proxy: usize) {
        if let Some(mut daemon) = self.proxies[proxy].take() {
            daemon.kill();
        }
    }

    fn running(&self) -> impl Iterator<Item = usize> {
        let running = self.proxies.iter().enumerate();
        running
            .filter(|(_, daemon)| daemon.is_some())
            .map(|(proxy, _)| proxy)
    }

    fn start_daemon(&self, name: &str, arguments: &[&str], log: &Path) -> Daemon {
        match &self.programs {
            Some(folder) => Daemon::start_program(&folder.join(name), arguments, log),
            None => Daemon::start(name, arguments, log),
        }
    }

    fn log_path(&self, daemon: &str) -> PathBuf {
        self.folder().join(format!("{daemon}.log"))
    }
}
