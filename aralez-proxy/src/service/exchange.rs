//! What one request carries through the hooks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::{EndpointAddress, Timeouts};
use pingora::{Error, ErrorType, Result};

use crate::core::balance::{CompiledPool, Tried};
use crate::core::registry::Running;
use crate::core::table::CompiledRoute;
use crate::core::traffic::{InFlight, Traffic};

/// Informational responses that an endpoint may send before the final one.
const MAX_INFORMATIONAL: u8 = 16;

/// One request, from its head to the end of its response. What it was decided by stays with it when the table is swapped.
#[derive(Debug)]
pub struct Exchange {
    pub(super) started: Instant,
    pub(super) route: Option<Arc<CompiledRoute>>,
    pub(super) pool: Option<Arc<CompiledPool>>,
    /// The target to forward, where it is not the one that came.
    pub(super) target: Option<String>,
    pub(super) upgrade: bool,
    endpoint: Option<EndpointAddress>,
    tried: Tried,
    informational: u8,
    refused: bool,
    _running: Option<Running>,
    _in_flight: InFlight,
}

/// Where a request goes now, and how long each step may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) address: EndpointAddress,
    pub(super) timeouts: Timeouts,
    pub(super) upgrade: bool,
    /// What is left of the time for the whole exchange.
    pub(super) left: Option<Duration>,
}

impl Exchange {
    pub(super) fn begin(traffic: &Arc<Traffic>) -> Self {
        Self {
            started: Instant::now(),
            route: None,
            pool: None,
            target: None,
            upgrade: false,
            endpoint: None,
            tried: Tried::none(),
            informational: 0,
            refused: false,
            _running: None,
            _in_flight: traffic.enter(),
        }
    }

    /// The endpoint whose turn it is, of those that were not given up.
    pub(super) fn choose(&mut self) -> Option<Chosen> {
        let timeouts = self.timeouts();
        let found = self.pool.as_ref()?.choose(&self.tried)?;
        let address = found.endpoint.address;
        self.endpoint = Some(address);
        self._running = Some(found.load.begin());
        Some(Chosen {
            address,
            timeouts,
            upgrade: self.upgrade,
            left: limit(timeouts.total).map(|total| total.saturating_sub(self.started.elapsed())),
        })
    }

    /// The endpoint cannot be connected to. Says whether another one should be tried.
    pub(super) fn give_up_endpoint(&mut self, max_tries: usize) -> bool {
        self._running = None;
        if let Some(address) = self.endpoint.take() {
            self.tried.add(address);
        }
        let other = self.pool.as_ref().and_then(|pool| pool.choose(&self.tried));
        self.tried.len() < max_tries && other.is_some()
    }

    /// Whether the time for the whole exchange is over.
    pub(super) fn check_time(&self) -> Result<()> {
        match limit(self.timeouts().total) {
            Some(total) if !self.upgrade && self.started.elapsed() > total => {
                Error::e_explain(ErrorType::HTTPStatus(504), "the exchange takes too long")
            }
            _ => Ok(()),
        }
    }

    /// Counts an informational response; `false` where there are too many.
    pub(super) const fn take_informational(&mut self) -> bool {
        self.informational = self.informational.saturating_add(1);
        self.informational <= MAX_INFORMATIONAL
    }

    /// The gate refused the request.
    pub(super) const fn count_refusal(&mut self) {
        self.refused = true;
    }

    pub(super) const fn is_refusal(&self) -> bool {
        self.refused
    }

    fn timeouts(&self) -> Timeouts {
        self.route
            .as_ref()
            .map_or(Timeouts::DEFAULT, |route| route.timeouts)
    }
}

/// A limit as the engine takes it: zero asks for none.
pub(super) fn limit(said: Option<Duration>) -> Option<Duration> {
    said.filter(|limit| !limit.is_zero())
}
