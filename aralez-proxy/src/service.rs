//! The engine's adapter: each hook of Pingora is translated into one question to the core, and its answer back.

use std::sync::Arc;

use async_trait::async_trait;
use pingora::modules::http::HttpModules;
use pingora::proxy::{ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType};

use crate::core::traffic::{InFlight, Traffic};

pub mod server;

/// The service of all listeners.
#[derive(Debug)]
pub struct Engine {
    traffic: Arc<Traffic>,
}

/// What one request carries through the hooks.
#[derive(Debug)]
pub struct Exchange {
    _in_flight: InFlight,
}

impl Engine {
    /// An engine that serves what is live.
    pub const fn new(traffic: Arc<Traffic>) -> Self {
        Self { traffic }
    }
}

#[async_trait]
impl ProxyHttp for Engine {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange {
            _in_flight: self.traffic.enter(),
        }
    }

    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn request_filter(
        &self,
        session: &mut Session,
        _ctx: &mut Exchange,
    ) -> pingora::Result<bool> {
        session.respond_error(503).await?;
        Ok(true)
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut Exchange,
    ) -> pingora::Result<Box<HttpPeer>> {
        Error::e_explain(ErrorType::HTTPStatus(503), "no endpoint")
    }
}
