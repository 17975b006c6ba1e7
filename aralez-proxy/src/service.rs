//! The engine's adapter: each hook of Pingora is translated into one question to the core, and its answer back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, Result};

use crate::core::gate;
use crate::core::live::Live;
use crate::core::traffic::{Event, Traffic};

mod answer;
mod exchange;
mod failure;
mod headers;
mod peer;
mod request;
mod response;
pub mod server;

use answer::Answer;
pub use exchange::Exchange;

/// How long a client's connection may idle between two requests, in seconds.
const KEEP_ALIVE: u64 = 60;
/// How long a client may be silent within a request, or not take what it is sent.
const CLIENT_STALL: Duration = Duration::from_secs(60);
/// How long an upgraded connection may be silent.
const UPGRADED_IDLE: Duration = Duration::from_secs(3600);
/// How long the rest of an unread body is read away.
const DRAIN_BODY: Duration = Duration::from_secs(5);
/// Tries to connect for one request, the first one included.
const CONNECT_TRIES: usize = 2;

/// The service of all listeners.
#[derive(Debug)]
pub struct Engine {
    live: Arc<Live>,
    traffic: Arc<Traffic>,
    tls_port: Option<u16>,
}

impl Engine {
    /// An engine that serves what is live. `tls_port` is where HTTPS is served, for redirects to it.
    pub const fn new(live: Arc<Live>, traffic: Arc<Traffic>, tls_port: Option<u16>) -> Self {
        Self {
            live,
            traffic,
            tls_port,
        }
    }
}

#[async_trait]
impl ProxyHttp for Engine {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::begin(&self.traffic)
    }

    /// None: the engine's default module allocates for every request.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Exchange) -> Result<()> {
        request::count(session, &self.traffic);
        request::limit_time(session, self.traffic.is_draining());
        if session.is_http2() {
            return Ok(());
        }
        gate::check(&session.to_h1_raw()).map_err(|unfit| {
            ctx.count_refusal();
            Error::explain(ErrorType::HTTPStatus(unfit.status), unfit.reason)
        })
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Exchange) -> Result<bool> {
        // Loaded once: one table decides all of a request, and the exchange keeps of it what it needs.
        let answer = request::decide(&self.live.load(), session, ctx, self.tls_port);
        match answer {
            None => Ok(false),
            Some(answer) => answer.send(session).await.map(|()| true),
        }
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Exchange) -> Result<Box<HttpPeer>> {
        ctx.choose()
            .map(peer::of)
            .ok_or_else(|| Error::explain(ErrorType::HTTPStatus(503), "no endpoint is left"))
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut Exchange,
        mut error: Box<Error>,
    ) -> Box<Error> {
        self.traffic.event(Event::ConnectFailed);
        // Nothing was sent yet, so that any method may be tried again.
        let again = ctx.give_up_endpoint(CONNECT_TRIES);
        if again {
            self.traffic.event(Event::Retry);
        }
        error.set_retry(again);
        error
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        reused: bool,
        _peer: &HttpPeer,
        _fd: std::os::fd::RawFd,
        _digest: Option<&Digest>,
        _ctx: &mut Exchange,
    ) -> Result<()> {
        self.traffic.event(if reused {
            Event::Reused
        } else {
            Event::Connected
        });
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut Exchange,
    ) -> Result<()> {
        request::edit(session, request, ctx)
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut Exchange,
    ) -> Result<()> {
        // The engine's issue #935: an empty last piece is written as a chunk of its own, which ends the body, and then the end is
        // written once more. The five bytes too many stay in the endpoint's connection and corrupt the next request on it, whoever
        // sent that.
        if end_of_stream && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        ctx.check_time()
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Exchange,
    ) -> Result<()> {
        if self.traffic.is_draining() {
            session.set_keepalive(None);
        }
        if head.status.is_informational() {
            return response::check_informational(session, head, ctx);
        }
        // The endpoint answered instead of upgrading: the limits of a plain exchange hold.
        ctx.upgrade = false;
        self.traffic.response_latency.observe(ctx.started.elapsed());
        response::edit(session, head, ctx)
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        _body: &mut Option<Bytes>,
        _end_of_stream: bool,
        ctx: &mut Exchange,
    ) -> Result<Option<Duration>> {
        ctx.check_time().map(|()| None)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut Exchange,
    ) -> FailToProxy {
        let status = failure::status_of(error).filter(|_| !response::is_written(session));
        // What the gate refused is the client's fault, counted by its status; all else is an exchange that broke.
        if !ctx.is_refusal() {
            self.traffic.event(Event::Error);
        }
        if let Some(status) = status {
            let answer = Answer::of(status).closing();
            // Where that fails too, the client is gone.
            let _ = answer.send(session).await;
        }
        FailToProxy {
            error_code: status.unwrap_or(0),
            can_reuse_downstream: false,
        }
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, ctx: &mut Exchange) {
        let status = session.response_written().map(|head| head.status.as_u16());
        self.traffic.response(status.unwrap_or(0));
        let took = Instant::now().saturating_duration_since(ctx.started);
        self.traffic.request_latency.observe(took);
    }

    /// Failures are counted. A line for each would let anyone fill the disk, and would show query strings, which hold tokens.
    fn suppress_error_log(&self, _: &Session, _: &Exchange, _: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _: &Session,
        _: &Exchange,
        _: &Error,
        _: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}
