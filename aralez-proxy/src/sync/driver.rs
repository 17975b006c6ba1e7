//! The driver of the stream to control: executes the actions of the subscription and feeds events back to it.
//!
//! A proxy runs one on a dedicated thread ([`super::spawn`]). It needs only a runtime, so a simulation can run thousands of nodes in one
//! process.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::main_config::ControlAddress;
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use aralez_proto::wire::control::{ControlMessage, NodeMessage};
use aralez_runtime::random;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};
use tonic::transport::Channel;
use tracing::{error, info, warn};

use super::command::{ApplierEvent, Applies, Command};
use super::probe::Probes;
use super::stream::{self, ConnectError, ControlStream};
use super::translate::{self, Identity, NodeStatus};
use super::{Counters, SyncStatus};
use crate::core::live::Live;
use crate::core::sync::snapshot_cache::CachedState;
use crate::core::sync::subscription::{Action, Event, Moment, Subscription};

/// Time for the last messages to arrive when the process exits.
const PARTING: Duration = Duration::from_millis(300);

type Dial = Pin<Box<dyn Future<Output = Result<Channel, ConnectError>> + Send>>;

/// Dependencies of a driver.
pub struct Setup {
    /// The control servers, in order of preference; at least one.
    pub servers: Vec<ControlAddress>,
    /// The identity of this node.
    pub identity: Identity,
    /// Limits of the snapshots that this node accepts.
    pub limits: Limits,
    /// Traffic counters that are reported to control.
    pub counters: Arc<dyn Counters>,
    /// The live table.
    pub live: Arc<Live>,
    /// The applier, which publishes updates in `live`.
    pub jobs: Box<dyn Applies>,
    /// The sender of the status.
    pub status: watch::Sender<SyncStatus>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("servers", &self.servers)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// A node's side of the stream.
pub struct Driver {
    setup: Setup,
    machine: Subscription,
    dial: Option<Dial>,
    probes: Probes,
    channel: Option<Channel>,
    stream: Option<ControlStream>,
    first_contact: bool,
    persisted: Option<Version>,
    cache_troubles: Vec<String>,
    /// Why the last stream closed; cleared when control welcomes this proxy again.
    stream_trouble: Option<String>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

/// The first event of a turn.
enum Step {
    Dialled(Result<Channel, ConnectError>),
    Probed(usize),
    Heard(Option<ControlMessage>),
    News(Option<ApplierEvent>),
    Tick,
    Stop,
}

impl Driver {
    /// Creates a driver from the cached state. It does nothing before it runs.
    pub fn new(setup: Setup, booted: CachedState) -> Self {
        let held = booted.snapshot.map(|snapshot| snapshot.version());
        let machine = Subscription::new(
            setup.servers.len(),
            setup.limits,
            held,
            booted.cluster,
            booted.refused,
        );
        let driver = Self {
            setup,
            machine,
            dial: None,
            probes: Probes::default(),
            channel: None,
            stream: None,
            first_contact: false,
            persisted: None,
            cache_troubles: booted.troubles,
            stream_trouble: None,
        };
        driver.show();
        driver
    }

    /// Sets the minimum and maximum time without control after which a suspect content is retried.
    #[must_use]
    pub fn retrying_alone(mut self, window: (Duration, Duration)) -> Self {
        self.machine = self.machine.retrying_alone(window);
        self
    }

    /// Runs until `stop` turns true, or until the applier is gone.
    pub async fn run(
        mut self,
        mut news: mpsc::UnboundedReceiver<ApplierEvent>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.feed(Event::Start);
        loop {
            match self.next(&mut news, &mut stop).await {
                Step::Dialled(result) => self.dialled(result),
                Step::Probed(server) => self.feed(Event::Probed(server)),
                Step::Heard(Some(message)) => {
                    if let Some(message) = translate::message(message) {
                        self.feed(Event::Received(message));
                    }
                }
                Step::Heard(None) => {
                    self.stream = None;
                    self.part("control closed the stream".to_owned());
                    self.feed(Event::StreamLost);
                }
                Step::News(Some(news)) => self.told(news),
                Step::Tick => self.feed(Event::Tick),
                Step::Stop => break,
                Step::News(None) => {
                    error!("the apply thread is gone; serving continues without control");
                    break;
                }
            }
            self.show();
        }
        self.leave().await;
    }

    async fn next(
        &mut self,
        news: &mut mpsc::UnboundedReceiver<ApplierEvent>,
        stop: &mut watch::Receiver<bool>,
    ) -> Step {
        let wake = self.machine.next_wake();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Step::Stop,
            news = news.recv() => Step::News(news),
            result = or_never(self.dial.as_mut()) => Step::Dialled(result),
            server = self.probes.reached() => Step::Probed(server),
            message = heard(self.stream.as_mut()) => Step::Heard(message),
            () = at(wake) => Step::Tick,
        }
    }

    fn dialled(&mut self, result: Result<Channel, ConnectError>) {
        self.dial = None;
        match result {
            Ok(channel) => {
                self.channel = Some(channel);
                self.feed(Event::Connected);
            }
            Err(error) => {
                self.part(error.to_string());
                self.feed(match error {
                    ConnectError::Unreached(_) => Event::ConnectFailed,
                    ConnectError::Broken(_) => Event::StreamLost,
                });
            }
        }
    }

    fn told(&mut self, news: ApplierEvent) {
        match news {
            ApplierEvent::Applied { version, took } => self.feed(Event::Applied { version, took }),
            ApplierEvent::Refused { version, faults } => {
                self.feed(Event::Refused { version, faults });
            }
            ApplierEvent::Untried => self.feed(Event::Untried),
            ApplierEvent::Memory {
                persisted,
                troubles,
            } => {
                self.persisted = persisted;
                self.cache_troubles = troubles;
                self.feed(Event::StatusChanged);
            }
        }
    }

    fn feed(&mut self, event: Event) {
        let draw = u32::from_le_bytes(random::bytes());
        let moment = Moment {
            now: Instant::now(),
            random: f64::from(draw) / f64::from(u32::MAX),
        };
        let before = self.machine.connected();
        for action in self.machine.on(moment, event) {
            self.act(action);
        }
        if before.is_none() && self.machine.connected().is_some() {
            self.first_contact = true;
            self.stream_trouble = None;
            info!("connected to control");
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Dial { server, after } => self.start_dial(server, after),
            Action::Probe { server } => self.probe(server),
            Action::Greet(hello) => {
                let hello = translate::hello(&self.setup.identity, &hello);
                self.stream = self
                    .channel
                    .take()
                    .map(|channel| ControlStream::open(channel, hello));
            }
            Action::Pin(cluster) => self.order(Command::Pin(cluster)),
            Action::Rename(version) => self.order(Command::Rename(version)),
            Action::Apply(update) => self.order(Command::Apply(update)),
            Action::Try(root) => self.order(Command::Try(root)),
            Action::TellDigest { question } => {
                let live = self.setup.live.load();
                self.send(translate::digest_answer(question, live.snapshot.records()));
            }
            Action::TellDetail { question, buckets } => {
                let live = self.setup.live.load();
                self.send(translate::detail_answer(
                    question,
                    live.snapshot.records(),
                    &buckets,
                ));
            }
            Action::Send(report) => {
                self.send(translate::report(&report, || self.status()));
            }
            Action::Close(reason) => {
                self.stream = None;
                self.part(reason);
            }
            Action::Leave => {
                self.stream = None;
                info!("stream to control closed: the proxy is shutting down");
            }
        }
    }

    fn send(&mut self, message: NodeMessage) {
        let sent = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.send(message));
        if !sent {
            // A full queue means a dead stream: close its receiving side, so that the loop sees the end immediately.
            warn!("control does not read its stream; closing it");
            self.stream = self.stream.take().map(ControlStream::ended);
        }
    }

    fn order(&mut self, job: Command) {
        self.setup.jobs.order(job);
    }

    fn start_dial(&mut self, server: usize, after: Duration) {
        let Some(address) = self.setup.servers.get(server).cloned() else {
            return;
        };
        self.channel = None;
        self.probes = Probes::default();
        self.dial = Some(Box::pin(async move {
            sleep(after).await;
            stream::connect(address).await
        }));
    }

    fn probe(&mut self, server: usize) {
        if let Some(address) = self.setup.servers.get(server).cloned() {
            self.probes.start(server, address);
        }
    }

    /// Records and logs why there is no stream: it closed, or could not be opened. A repeated reason is not logged again.
    fn part(&mut self, reason: String) {
        if self.stream_trouble.as_ref() != Some(&reason) {
            warn!("not connected to control: {reason}");
            self.stream_trouble = Some(reason);
        }
    }

    fn troubles(&self) -> Vec<String> {
        let stream = self.stream_trouble.iter();
        self.cache_troubles.iter().chain(stream).cloned().collect()
    }

    fn status(&self) -> NodeStatus {
        NodeStatus {
            running: self.machine.held(),
            origin: self.setup.live.load().origin.name(),
            persisted: self.persisted,
            requests: self.setup.counters.requests(),
            responses_5xx: self.setup.counters.responses_5xx(),
            troubles: self.troubles(),
        }
    }

    /// Publishes the status to the rest of the process, if it changed.
    fn show(&self) {
        let server = self.machine.connected();
        let status = SyncStatus {
            connected: server
                .and_then(|server| self.setup.servers.get(server))
                .cloned(),
            first_contact: self.first_contact,
            running: self.machine.held(),
            persisted: self.persisted,
            refused: self.machine.refused().to_vec(),
            troubles: self.troubles(),
        };
        self.setup.status.send_if_modified(|shown| {
            let changed = *shown != status;
            *shown = status;
            changed
        });
    }

    async fn leave(mut self) {
        let open = self.stream.is_some();
        self.feed(Event::Shutdown);
        // Shows the disconnect, also if the process continues to serve without this thread.
        self.show();
        self.order(Command::Leave);
        if open {
            sleep(PARTING).await;
        }
    }
}

async fn or_never(dial: Option<&mut Dial>) -> Result<Channel, ConnectError> {
    match dial {
        Some(dial) => dial.await,
        None => std::future::pending().await,
    }
}

async fn heard(stream: Option<&mut ControlStream>) -> Option<ControlMessage> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

async fn at(wake: Option<Instant>) {
    match wake {
        Some(wake) => sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
