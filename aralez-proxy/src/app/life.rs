//! How the process ends: by a signal, with its supervisor, or by a successor that takes over.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::supervised;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use crate::core::live::{Live, Origin};
use crate::core::traffic::Traffic;
use crate::drain::{self, Ask, Phases, Signals};
use crate::engine::server::Server;
use crate::handover::{Gives, Offer};
use crate::sync::{Paused, Writer};

/// What passes to a successor, as long as it is open.
#[derive(Debug)]
pub(super) struct Passable {
    pub(super) lock: InstanceLock,
    pub(super) admin: TcpListener,
    /// None after the close: a successor binds these addresses itself.
    pub(super) http: Mutex<Vec<TcpListener>>,
}

impl Passable {
    fn offer(&self, live: bool) -> std::io::Result<Offer> {
        let http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        http.clear();
    }
}

/// Hands over to a successor.
pub(super) struct Successors {
    pub(super) passable: Arc<Passable>,
    pub(super) writer: Writer,
    pub(super) live: Arc<Live>,
    pub(super) paused: Option<Paused>,
    pub(super) taken_over: watch::Sender<bool>,
}

impl Gives for Successors {
    fn offer(&mut self) -> Option<Offer> {
        self.paused = Some(self.writer.pause()?);
        let live = self.live.load().origin != Origin::None;
        match self.passable.offer(live) {
            Ok(offer) => Some(offer),
            Err(error) => {
                warn!(%error, "cannot pass the listeners");
                self.paused = None;
                None
            }
        }
    }

    fn given(&mut self) {
        if let Some(paused) = self.paused.take() {
            paused.give();
        }
        self.taken_over.send_replace(true);
    }

    fn kept(&mut self) {
        self.paused = None;
    }
}

/// What the end of the process needs.
pub(super) struct Life<'a> {
    pub(super) phases: Phases,
    pub(super) supervised: bool,
    pub(super) traffic: &'a Arc<Traffic>,
    pub(super) server: &'a mut Server,
    pub(super) passable: &'a Passable,
    pub(super) taken_over: watch::Receiver<bool>,
}

impl Life<'_> {
    /// Serves until it is time to leave, and drains.
    pub(super) fn live(mut self) -> anyhow::Result<()> {
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
            let mut signals = Signals::listen().context("cannot listen for signals")?;
            self.until_told(&mut signals, &supervisor_gone).await;
            self.drain(&mut signals).await;
            Ok(())
        })
    }

    async fn until_told(&mut self, signals: &mut Signals, supervisor_gone: &Notify) {
        let ask = tokio::select! {
            ask = signals.next() => ask,
            () = supervisor_gone.notified() => {
                info!("the supervisor is gone");
                Ask::Leave
            }
            () = taken_over(self.taken_over.clone()) => Ask::Leave,
        };
        if ask == Ask::HandOver && !*self.taken_over.borrow() {
            let wait = self.phases.lame_duck;
            info!(?wait, "SIGQUIT: waiting for a successor");
            tokio::select! {
                () = tokio::time::sleep(wait) => info!("no successor came"),
                () = taken_over(self.taken_over.clone()) => {}
                () = signals.leave() => {}
            }
        }
    }

    async fn drain(self, signals: &mut Signals) {
        let Self {
            mut phases,
            traffic,
            server,
            passable,
            taken_over: successor,
            ..
        } = self;
        if *successor.borrow() {
            info!("a successor serves, finishing what runs");
            // New connections are the successor's: there is nobody to be warned.
            phases.lame_duck = Duration::ZERO;
        } else {
            server.stop_deferring();
        }
        let close = || {
            passable.close();
            server.close()
        };
        drain::drain(
            traffic,
            phases,
            taken_over(successor),
            close,
            signals.leave(),
        )
        .await;
    }
}

/// Resolves when a successor has taken over.
async fn taken_over(mut successor: watch::Receiver<bool>) {
    if successor.wait_for(|taken| *taken).await.is_err() {
        std::future::pending().await
    }
}
