//! Speaks with control: does what the subscription says, and tells it what happened.
//!
//! A proxy runs one on a thread of its own ([`super::spawn`]). It needs no more than a runtime, so that whoever wants thousands of nodes in
//! one process runs this one for each.

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
use super::translate::{self, ControlEvent, Identity};
use super::{Counters, SyncStatus};
use crate::core::live::Live;
use crate::core::sync::snapshot_cache::CachedState;
use crate::core::sync::subscription::{Action, Event, Moment, Subscription};

/// What was sent last has this long to arrive when the process ends.
const PARTING: Duration = Duration::from_millis(300);

type Dial = Pin<Box<dyn Future<Output = Result<Channel, ConnectError>> + Send>>;

/// What a driver is given.
pub struct Setup {
    /// The control servers, in order of preference; at least one.
    pub servers: Vec<ControlAddress>,
    /// Who this is.
    pub identity: Identity,
    /// What this node takes.
    pub limits: Limits,
    /// What is told of the traffic.
    pub counters: Arc<dyn Counters>,
    /// What serves.
    pub live: Arc<Live>,
    /// Who applies updates, and publishes them in `live`.
    pub jobs: Box<dyn Applies>,
    /// Where it is shown how it stands.
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

/// One node's side of the stream, at work.
pub struct Driver {
    setup: Setup,
    machine: Subscription,
    dial: Option<Dial>,
    probes: Probes,
    channel: Option<Channel>,
    stream: Option<ControlStream>,
    first_contact: bool,
    persisted: Option<Version>,
    memory_troubles: Vec<String>,
    /// Why the last stream was let go; forgotten when one is welcomed again.
    stream_trouble: Option<String>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

/// What came first.
enum Step {
    Dialled(Result<Channel, ConnectError>),
    Probed(usize),
    Heard(Option<ControlMessage>),
    News(Option<ApplierEvent>),
    Tick,
    Stop,
}

impl Driver {
    /// A driver over what the memory gave. It does nothing before it runs.
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
            memory_troubles: booted.troubles,
            stream_trouble: None,
        };
        driver.show();
        driver
    }

    /// With another time for the one more try of a suspect content without control.
    #[must_use]
    pub fn retrying_alone(mut self, window: (Duration, Duration)) -> Self {
        self.machine = self.machine.retrying_alone(window);
        self
    }

    /// Runs until told to stop, or until nobody is left to apply anything.
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
                    self.part("control ended the stream".to_owned());
                    self.feed(Event::StreamLost);
                }
                Step::News(Some(news)) => self.told(news),
                Step::Tick => self.feed(Event::Tick),
                Step::Stop => break,
                Step::News(None) => {
                    error!(
                        "the thread that applies is gone; what runs goes on serving, without control"
                    );
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
                self.memory_troubles = troubles;
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
            info!("control welcomed this proxy");
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
                self.send(translate::told_digest(question, live.snapshot.records()));
            }
            Action::TellDetail { question, buckets } => {
                let live = self.setup.live.load();
                self.send(translate::told_detail(
                    question,
                    live.snapshot.records(),
                    &buckets,
                ));
            }
            Action::Send(report) => {
                self.send(translate::report(&report, || self.told_status()));
            }
            Action::Close(reason) => {
                self.stream = None;
                self.part(reason);
            }
        }
    }

    fn send(&mut self, message: NodeMessage) {
        let sent = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.send(message));
        if !sent {
            // A stream that takes nothing ends as silence does; dropping it makes the loop see its end at once.
            warn!("control does not read what it is sent");
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

    /// The same trouble again is not news.
    fn part(&mut self, reason: String) {
        if self.stream_trouble.as_ref() != Some(&reason) {
            warn!("the stream to control ended: {reason}");
            self.stream_trouble = Some(reason);
        }
    }

    fn troubles(&self) -> Vec<String> {
        let stream = self.stream_trouble.iter();
        self.memory_troubles.iter().chain(stream).cloned().collect()
    }

    fn told_status(&self) -> ControlEvent {
        ControlEvent {
            running: self.machine.held(),
            origin: self.setup.live.load().origin.name(),
            persisted: self.persisted,
            requests: self.setup.counters.requests(),
            responses_5xx: self.setup.counters.responses_5xx(),
            troubles: self.troubles(),
        }
    }

    /// Shows how it stands to the rest of the process, where that changed.
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
        // Nobody is connected from here on, also where the process goes on serving without this thread.
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
