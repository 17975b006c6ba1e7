//! Obtains a connection to an endpoint for a request: a kept one, or a new one.

use std::task::Context;
use std::time::{Duration, Instant};

use crate::core::request::balance::{Chosen, Walk};
use crate::core::request::peer::PeerKey;
use crate::core::request::rest::Uptime;
use crate::core::request::retry::{ConnectTime, Share};
use crate::core::traffic::{Deadline, TrafficEvent};
use crate::engine::exchange::Exchange;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::upstream::connect::{Connector, NotConnected};
use crate::engine::upstream::pool::Found;
use crate::engine::upstream::stream::UpstreamStream;

/// Number of connect attempts after which the task yields: a refused connect may complete without a wait.
const TURN: usize = 32;

/// A connection to an endpoint, for one try.
pub(super) struct Link {
    pub(super) stream: UpstreamStream,
    pub(super) reused: bool,
}

/// The time limits of a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct SearchLimits {
    /// For connects, over all tries. `None` if there is no limit.
    pub(super) connect: Option<Duration>,
    /// When everything ends.
    pub(super) end: Option<Instant>,
}

/// The search of one request for an endpoint that accepts a connection.
pub(super) struct Search {
    limits: SearchLimits,
    pub(super) walk: Walk,
    /// A kept connection turned out to be closed: use a new connection from now on.
    pub(super) anew: bool,
    time: Option<ConnectTime>,
    failed: Option<NotConnected>,
}

impl Search {
    /// Begins a search.
    pub(super) fn new(limits: SearchLimits) -> Self {
        Self {
            limits,
            walk: Walk::default(),
            anew: false,
            time: None,
            failed: None,
        }
    }

    /// Records a failed try. `false` if the time for connects is over.
    pub(super) async fn goes_on(&mut self, failed: NotConnected) -> bool {
        self.failed = self.failed.max(Some(failed));
        if self.walk.count().is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
        self.time
            .is_none_or(|time| time.share(Instant::now(), true).is_some())
    }

    /// Returns the status for the case that no endpoint was found. A local fault takes precedence: with it, it is unknown whether an
    /// endpoint would have served the request.
    pub(super) fn status(&self) -> u16 {
        match self.failed {
            Some(NotConnected::Refused) => 502,
            Some(NotConnected::TooSlow) => 504,
            Some(NotConnected::Local | NotConnected::ClientGone) | None => 503,
        }
    }
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Returns the time base for the rests of endpoints.
    pub(super) fn uptime(&self) -> Uptime {
        Uptime::between(self.worker.engine.started, self.now)
    }

    /// Obtains a connection to an endpoint: a kept one, or a new one.
    pub(super) async fn link(
        &mut self,
        chosen: &Chosen<'_>,
        search: &mut Search,
    ) -> Result<Link, NotConnected> {
        // Only a new connection proves that the endpoint accepts connections again.
        if search.anew || chosen.probe.is_some() {
            return self.connect(chosen, search).await;
        }
        let started = self.outcome.started;
        let (found, ended) = self.worker.pool.take(&chosen.at.peer, started);
        self.worker.note(ended);
        match found {
            Found::Kept(stream) => {
                self.worker.tally.event(TrafficEvent::Reused);
                Ok(Link {
                    stream,
                    reused: true,
                })
            }
            Found::Nothing => self.connect(chosen, search).await,
        }
    }

    async fn connect(
        &mut self,
        chosen: &Chosen<'_>,
        search: &mut Search,
    ) -> Result<Link, NotConnected> {
        let now = self.now;
        let SearchLimits { connect, end } = search.limits;
        let time = search
            .time
            .get_or_insert_with(|| ConnectTime::new(now, connect, end));
        let share = time
            .share(now, chosen.is_last)
            .ok_or(NotConnected::TooSlow)?;
        let client = &mut *self.client;
        let mut connector = Connector {
            timer: self.timer,
            until: share.until,
        };
        let is_gone = |cx: &mut Context<'_>| client.poll_gone(cx, Instant::now());
        let stream = connector.connect(&chosen.at.peer, is_gone).await;
        self.now = Instant::now();
        self.judge(chosen, share, stream.as_ref().err().copied());
        let stream = stream?;
        Ok(Link {
            stream,
            reused: false,
        })
    }

    /// Keeps a connection for later requests: for at most `most`, and as long as the endpoint announced in its last response.
    pub(super) fn keep(&self, peer: &PeerKey, stream: UpstreamStream, most: Option<Duration>) {
        let announced = self.side.head.keep_alive_for();
        let idle = [most, announced].into_iter().flatten().min();
        if idle != Some(Duration::ZERO) {
            let until = idle.map(|idle| self.now + idle);
            self.worker.pool.put(peer, stream, until);
        }
    }

    /// Counts the result of a connect, and lets an endpoint rest if it did not accept the connection.
    pub(super) fn judge(&self, chosen: &Chosen<'_>, share: Share, failed: Option<NotConnected>) {
        let tally = &self.worker.tally;
        let rest = chosen.at.load.rest();
        match failed {
            None => {
                tally.event(TrafficEvent::Connected);
                rest.connected();
            }
            Some(NotConnected::Refused) => {
                tally.event(TrafficEvent::ConnectFailed);
                rest.failed(self.uptime());
            }
            Some(NotConnected::TooSlow) => {
                tally.event(TrafficEvent::ConnectFailed);
                tally.connections.deadline(Deadline::Connect);
                if share.is_fair {
                    rest.failed(self.uptime());
                }
            }
            Some(NotConnected::Local) => tally.event(TrafficEvent::ConnectLocal),
            Some(NotConnected::ClientGone) => {}
        }
    }
}
