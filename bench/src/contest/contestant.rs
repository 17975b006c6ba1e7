//! A running proxy: started with its configuration, pinned to its core, and serving.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::affinity::Cores;
use super::configs::{self, Job};
use super::options::Kind;
use super::peers::{Peers, Round};
use super::scenario::{RouteRules, host};
use aralez_tests::fleet::{Fleet, Plan};
use aralez_tests::meter;
use aralez_tests::ports::Port;
use aralez_tests::process::{self, Daemon};

/// Disables our connection limits, since refused connections would spoil the measurement. Written only if the build knows these keys.
const NO_LIMITS: &str = "max_connections_per_address: 0\nmax_connections_per_listener: 0\n";
/// The core of a proxy with one worker, and the core of everything else.
const PROXY_CORE: usize = 0;
const OTHER_CORE: usize = 1;

/// The environment in which proxies are started.
#[derive(Debug)]
pub struct ContestStage {
    /// The cores to pin to.
    pub cores: Cores,
    /// Runs the asynchronous parts of the harness.
    pub runtime: Runtime,
    /// The folder of another build of our proxy.
    pub before: Option<PathBuf>,
    /// Additional lines for the main.yaml of our proxy.
    pub lines: Vec<String>,
}

/// A proxy that serves.
#[derive(Debug)]
pub struct Contestant {
    /// Which proxy it is.
    pub kind: Kind,
    /// The address it serves on.
    pub address: SocketAddr,
    runs: Runs,
    _folder: TempDir,
    _port: Option<Port>,
}

#[derive(Debug)]
enum Runs {
    Fleet(Box<Fleet>),
    Daemon(Daemon),
}

impl Contestant {
    /// Returns the ids of all its processes.
    pub fn processes(&self) -> Vec<u32> {
        let leader = match &self.runs {
            Runs::Fleet(fleet) => fleet.proxies[0].as_ref().map(Daemon::pid),
            Runs::Daemon(daemon) => Some(daemon.pid()),
        };
        leader.map(meter::family).unwrap_or_default()
    }

    fn log(&self) -> String {
        match &self.runs {
            Runs::Fleet(fleet) => fleet.log("proxy-0"),
            Runs::Daemon(daemon) => daemon.log(),
        }
    }
}

impl ContestStage {
    /// Reports whether a proxy with this number of workers has its own core.
    pub fn is_pinned(&self, workers: usize) -> bool {
        workers == 1 && self.cores.count() > OTHER_CORE
    }

    /// Starts a proxy and waits until it serves its last host correctly.
    ///
    /// # Errors
    /// If it does not start or does not serve correctly.
    pub fn start(&self, kind: Kind, job: &Job, peers: &mut Peers) -> Result<Contestant> {
        let folder = tempfile::Builder::new().prefix("aralez-bench-").tempdir()?;
        let contestant = match kind {
            Kind::Ours => self.ours(job, folder, None),
            Kind::Plain => {
                let plain = Job {
                    rules: RouteRules::None,
                    ..job.clone()
                };
                let ours = self.ours(&plain, folder, None);
                ours.map(|ours| Contestant { kind, ..ours })
            }
            Kind::Before => {
                let before = self.before.as_deref();
                self.ours(
                    job,
                    folder,
                    Some(before.context("--before requires a folder")?),
                )
            }
            _ => self.other(kind, job, folder),
        }?;
        self.pin(job.workers, OTHER_CORE);
        serves(&contestant, job, peers)
            .with_context(|| format!("{}: {}", kind.title(), contestant.log()))?;
        Ok(contestant)
    }

    fn pin(&self, workers: usize, core: usize) {
        self.cores.pin(self.is_pinned(workers).then_some(core));
    }

    /// Starts our proxy, of this build or of the one in the folder `before`.
    fn ours(&self, job: &Job, folder: TempDir, before: Option<&Path>) -> Result<Contestant> {
        let mut plan = Plan::new(1)
            .threads(0, job.workers)
            .document(&configs::document(job));
        if let Some(before) = before {
            plan = plan.programs(before);
        }
        if self.knows(&folder, NO_LIMITS, before)? {
            plan = plan.proxy(0, NO_LIMITS);
        }
        if let Some(folder) = &job.files {
            plan = plan.proxy(0, &format!("file_roots: [\"{}\"]", folder.display()));
        }
        for line in &self.lines {
            plan = plan.proxy(0, line);
        }
        let mut fleet = plan.lay_out();
        self.pin(job.workers, OTHER_CORE);
        self.runtime.block_on(fleet.start_control());
        self.pin(job.workers, PROXY_CORE);
        fleet.launch_proxy(0);
        Ok(Contestant {
            kind: before.map_or(Kind::Ours, |_| Kind::Before),
            address: fleet.http(0),
            runs: Runs::Fleet(Box::new(fleet)),
            _folder: folder,
            _port: None,
        })
    }

    /// Reports whether this build of our proxy knows these lines of `main.yaml`.
    fn knows(&self, folder: &TempDir, lines: &str, before: Option<&Path>) -> Result<bool> {
        let file = folder.path().join("main.yaml");
        std::fs::write(&file, lines)?;
        let program = match before {
            Some(before) => before.join("aralez-proxy"),
            None => process::binary("aralez-proxy"),
        };
        let mut check = Command::new(program);
        let status = check.arg("-t").arg("-c").arg(file).stderr(Stdio::null());
        Ok(status.status()?.success())
    }

    fn other(&self, kind: Kind, job: &Job, folder: TempDir) -> Result<Contestant> {
        let port = Port::free();
        let job = Job {
            listen: port.address(),
            ..job.clone()
        };
        let (program, arguments) = command(kind, &job, folder.path())?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.pin(job.workers, PROXY_CORE);
        let log = folder.path().join("log");
        let daemon = Daemon::start_program(Path::new(&program), &arguments, &log);
        Ok(Contestant {
            kind,
            address: port.address(),
            runs: Runs::Daemon(daemon),
            _folder: folder,
            _port: Some(port),
        })
    }
}

/// Writes the configuration; returns the program and its arguments.
fn command(kind: Kind, job: &Job, folder: &Path) -> Result<(String, Vec<String>)> {
    let config = folder.join("config");
    let path = |path: &Path| path.display().to_string();
    match kind {
        Kind::Ours | Kind::Plain | Kind::Before => bail!("aralez is started as a fleet"),
        Kind::Nginx => {
            let root = rustix::process::getuid().is_root();
            std::fs::write(&config, configs::nginx(job, folder, root))?;
            let arguments = ["-p", &path(folder), "-e", "stderr", "-c", &path(&config)];
            Ok(("nginx".to_owned(), arguments.map(str::to_owned).to_vec()))
        }
        Kind::Haproxy => {
            let map = folder.join("hosts.map");
            std::fs::write(&map, configs::haproxy_map(job))?;
            std::fs::write(&config, configs::haproxy(job, &map))?;
            let arguments = ["-db", "-f", &path(&config)];
            Ok(("haproxy".to_owned(), arguments.map(str::to_owned).to_vec()))
        }
        Kind::Pingora => {
            let binary = process::binary("minimal-pingora-proxy");
            let arguments = [
                job.listen.to_string(),
                job.origin.to_string(),
                job.workers.to_string(),
            ];
            Ok((path(&binary), arguments.to_vec()))
        }
    }
}

/// Waits until the last host is served, and checks the forwarded fields that the origin receives.
fn serves(contestant: &Contestant, job: &Job, peers: &mut Peers) -> Result<()> {
    let host = host(job.hosts - 1);
    let request = format!("GET /ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let round = Round {
        address: contestant.address,
        requests: vec![request.into_bytes()],
        connections: 1,
    };
    // On a busy machine, loading a hundred thousand hosts takes a while.
    let end = Instant::now() + Duration::from_secs(30 + job.hosts as u64 / 1000);
    let mut last = Vec::new();
    while Instant::now() < end {
        peers.origin.seen = Some(Vec::new());
        let mut session = peers.open(&round);
        let tally = session.run_until(1, Duration::from_millis(50))?;
        drop(session);
        let seen = peers.origin.seen.take().unwrap_or_default();
        if tally.answered > 0 {
            return tells(&seen);
        }
        last = tally.reasons;
    }
    bail!("does not serve {host}: {last:?}")
}

/// Checks that the origin received the fields that every proxy here must add.
fn tells(head: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(head).to_lowercase();
    for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] {
        if !text.contains(&format!("\r\n{name}: ")) {
            bail!("the origin did not receive {name}: {text:?}");
        }
    }
    Ok(())
}
