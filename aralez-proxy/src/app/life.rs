//! The end of the process: by a signal, with its supervisor, or because a successor took over.

use parking_lot::Mutex;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::supervised;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::ending;
use crate::cache::{Ending, ExitNotes};
use crate::core::leaving::Phases;
use crate::core::live::{Live, Origin};
use crate::core::sync::snapshot_cache::NotCached;
use crate::core::traffic::Traffic;
use crate::drain::{self, Ask, Asks};
use crate::engine::server::Server;
use crate::handover::{self, Gives, Offer};
use crate::settings::Settings;
use crate::sync::{Paused, Writer};

/// The resources that can be passed to a successor while they are open.
#[derive(Debug)]
struct Passable {
    lock: InstanceLock,
    admin: TcpListener,
    /// Empty after the listeners were closed: a successor then binds these addresses itself.
    http: Mutex<Vec<TcpListener>>,
}

impl Passable {
    fn offer(&self, live: bool) -> std::io::Result<Offer> {
        let http = self.http.lock();
        let listeners = http.iter().chain([&self.admin]);
        Ok(Offer {
            lock: self.lock.handle()?,
            listeners: listeners
                .map(TcpListener::try_clone)
                .collect::<Result<_, _>>()?,
            live,
        })
    }

    fn close(&self) {
        let mut http = self.http.lock();
        http.clear();
    }
}

/// The state needed to hand over to a successor.
struct Successors {
    exits: Arc<ExitNotes>,
    passable: Arc<Passable>,
    writer: Writer,
    live: Arc<Live>,
    paused: Option<Paused>,
    taken_over: watch::Sender<bool>,
}

impl Gives for Successors {
    fn offer(&mut self) -> Option<Offer> {
        // Recorded before the successor reads the state: from here on this process exits voluntarily.
        tell(self.exits.hands_over());
        let Some(paused) = self.writer.pause() else {
            self.kept();
            return None;
        };
        self.paused = Some(paused);
        let live = self.live.load().origin != Origin::None;
        match self.passable.offer(live) {
            Ok(offer) => Some(offer),
            Err(error) => {
                warn!(%error, "handover failed: cannot pass the listeners");
                self.kept();
                None
            }
        }
    }

    fn given(&mut self) {
        ending::note(&self.exits, Ending::Left);
        if let Some(paused) = self.paused.take() {
            paused.give();
        }
        self.taken_over.send_replace(true);
    }

    fn kept(&mut self) {
        // Revoked before this process writes its state again.
        tell(self.exits.stays());
        self.paused = None;
    }
}

fn tell(noted: Result<(), NotCached>) {
    if let Err(error) = noted {
        warn!(%error, "exit note cannot be updated: it may be wrong");
    }
}

/// A proxy that serves.
pub(super) struct ServingProcess<'a> {
    pub(super) lock: InstanceLock,
    pub(super) admin: TcpListener,
    pub(super) writer: Writer,
    pub(super) live: Arc<Live>,
    pub(super) traffic: &'a Arc<Traffic>,
    pub(super) server: &'a mut Server,
    /// Set to true when a successor has taken over.
    pub(super) taken_over: watch::Sender<bool>,
    pub(super) exits: &'a Arc<ExitNotes>,
}

impl ServingProcess<'_> {
    /// Serves until the process is asked to exit or a successor has taken over, then drains.
    pub(super) fn until_end(
        self,
        settings: &Settings,
        signals: (Asks, watch::Receiver<Phases>),
        supervised: bool,
    ) -> anyhow::Result<()> {
        let http = self.server.listeners().iter().map(TcpListener::try_clone);
        let passable = Arc::new(Passable {
            lock: self.lock,
            admin: self.admin,
            http: Mutex::new(http.collect::<Result<_, _>>()?),
        });
        let successor = self.taken_over.subscribe();
        let successors = Successors {
            exits: Arc::clone(self.exits),
            passable: Arc::clone(&passable),
            writer: self.writer,
            live: self.live,
            paused: None,
            taken_over: self.taken_over,
        };
        let life = Life {
            supervised,
            traffic: self.traffic,
            server: self.server,
            passable: &passable,
            taken_over: successor.clone(),
            exits: self.exits,
        };
        handing_over(&settings.upgrade_sock, successors, &successor, || {
            life.live(signals)
        })
    }
}

/// Runs `run` while the handover socket is open.
fn handing_over<T>(
    socket: &Path,
    successors: Successors,
    successor: &watch::Receiver<bool>,
    run: impl FnOnce() -> T,
) -> T {
    // Not fatal: a full disk or an overlong path must not keep a proxy from serving.
    let offering = handover::listen(socket, successors)
        .inspect_err(|error| warn!("handover disabled: {error}"))
        .ok();
    let end = run();
    if let Some(offering) = offering
        && !*successor.borrow()
    {
        offering.remove();
    }
    end
}

/// The state that the end of the process needs.
struct Life<'a> {
    supervised: bool,
    traffic: &'a Arc<Traffic>,
    server: &'a mut Server,
    passable: &'a Passable,
    taken_over: watch::Receiver<bool>,
    exits: &'a ExitNotes,
}

impl Life<'_> {
    fn live(mut self, (mut asks, phases): (Asks, watch::Receiver<Phases>)) -> anyhow::Result<()> {
        let supervisor_gone = Arc::new(Notify::new());
        if self.supervised {
            let gone = Arc::clone(&supervisor_gone);
            supervised::on_parent_exit(move || gone.notify_one())
                .context("cannot watch the supervisor")?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            self.until_told(&mut asks, &supervisor_gone, &phases).await;
            let phases = *phases.borrow();
            self.drain(&mut asks, phases).await;
        });
        Ok(())
    }

    async fn until_told(
        &mut self,
        asks: &mut Asks,
        supervisor_gone: &Notify,
        phases: &watch::Receiver<Phases>,
    ) {
        let ask = tokio::select! {
            ask = asks.next() => ask,
            () = supervisor_gone.notified() => {
                info!("supervisor exited: draining");
                Ask::Leave
            }
            () = taken_over(self.taken_over.clone()) => Ask::Leave,
        };
        // Recorded before any wait: an exit from here on must not be held against the configuration.
        ending::note(self.exits, Ending::Left);
        if ask == Ask::HandOver && !*self.taken_over.borrow() {
            let wait = phases.borrow().lame_duck;
            info!(?wait, "SIGQUIT: waiting for a successor");
            tokio::select! {
                () = tokio::time::sleep(wait) => info!("no successor took over"),
                () = taken_over(self.taken_over.clone()) => {}
                () = asks.leave() => {}
            }
        }
    }

    async fn drain(self, asks: &mut Asks, mut phases: Phases) {
        let Self {
            traffic,
            server,
            passable,
            taken_over: successor,
            ..
        } = self;
        if *successor.borrow() {
            info!("successor serves: finishing requests in flight");
            // The successor accepts new connections, so no load balancer needs the lame duck phase.
            phases.lame_duck = Duration::ZERO;
        } else {
            // With TCP_DEFER_ACCEPT the kernel may hold connections of clients that have sent nothing yet. Closing the listeners before it
            // delivers them would reset them.
            let held = server.stop_deferring();
            phases.lame_duck = phases.lame_duck.max(held);
        }
        let close = || {
            passable.close();
            server.close()
        };
        drain::drain(traffic, phases, taken_over(successor), close, asks.leave()).await;
    }
}

/// Completes when a successor has taken over. Never completes if the sender is dropped.
async fn taken_over(mut successor: watch::Receiver<bool>) {
    if successor.wait_for(|taken| *taken).await.is_err() {
        std::future::pending::<()>().await;
    }
}
