//! One request of a connection, from its head to the end of its exchange.

use std::time::Instant;

use crate::core::request::http1::RequestRefusal;
use crate::core::request::outcome::Outcome;
use crate::core::traffic::{ConnectionLimit, ConnectionState};
use crate::engine::exchange::facts::Facts;
use crate::engine::exchange::{Exchange, ExchangeParts};
use crate::engine::http1::client::{AfterExchange, Http1};
use crate::engine::http1::connection::{Connection, Disposition};
use crate::engine::io::Io;
use crate::engine::threads::context::ExchangeBuffers;

impl<C: Io> Connection<C> {
    /// Serves the request whose head is in the buffer.
    pub(super) async fn serve_request(
        &mut self,
        buffers: &mut ExchangeBuffers,
        length: usize,
    ) -> Disposition {
        self.state.move_to(ConnectionState::Exchange);
        let _in_flight = self.worker.tally.enter();
        self.now = Instant::now();
        buffers.client.incoming.set_aside(length);
        let facts = buffers.client.facts(self.now);
        let version = buffers.client.head.version();
        self.worker
            .tally
            .request(buffers.client.method(), version.name());
        self.served += 1;
        let has_descriptors = self.has_descriptors();
        let mut outcome = Outcome::begun(facts.started);
        let (mut client, parts) = self.lend(buffers, facts);
        let exchange = Exchange::begin(&mut client, parts, &mut outcome);
        if has_descriptors {
            exchange.run().await;
        } else {
            exchange.turn_away().await;
        }
        let next = client.next(outcome.conclusion);
        self.now = outcome.ended;
        self.since = outcome.ended;
        next
    }

    /// Answers a request that was refused before any decision about it. The start of the next request is unknown.
    pub(super) async fn refuse(
        &mut self,
        buffers: &mut ExchangeBuffers,
        refusal: RequestRefusal,
    ) -> Disposition {
        self.worker.tally.refused_request();
        // The partly parsed head is not to be trusted.
        buffers.client.head.clear();
        // RFC 9112 section 2.2: a request that does not match the grammar is refused, and its connection closes.
        let facts = Facts::unknown(self.now);
        let mut outcome = Outcome::begun(facts.started);
        let (mut client, parts) = self.lend(buffers, facts);
        Exchange::begin(&mut client, parts, &mut outcome)
            .refuse(refusal)
            .await;
        client.next(outcome.conclusion)
    }

    /// Lends an exchange the parts of this connection.
    fn lend<'a>(
        &'a mut self,
        buffers: &'a mut ExchangeBuffers,
        facts: Facts,
    ) -> (Http1<'a, C>, ExchangeParts<'a>) {
        // RFC 9112 section 9.6: a server closes the connection after its response to a request with the option close.
        let may_keep = facts.options.keep_alive
            && self.served < self.worker.engine.limits.requests
            && !self.yields;
        let client = Http1 {
            io: &mut self.io,
            buffers: &mut buffers.client,
            worker: &self.worker,
            state: &mut self.state,
            closing: &mut self.closing,
            forwarded: &self.forwarded,
            address: self.address,
            facts,
            may_keep,
            after: AfterExchange::default(),
        };
        let parts = ExchangeParts {
            worker: &self.worker,
            timer: &mut self.timer,
            side: &mut buffers.endpoint,
            additions: &mut buffers.additions,
            role: self.role,
            now: self.now,
        };
        (client, parts)
    }

    /// Reports whether a file descriptor is available for an endpoint connection. If not, the request is answered immediately and its
    /// connection closes.
    fn has_descriptors(&mut self) -> bool {
        let engine = &self.worker.engine;
        let in_flight = || engine.traffic.in_flight();
        let has = engine.admission.has_descriptors(in_flight, self.now);
        if !has {
            self.yields = true;
            let connections = &self.worker.tally.connections;
            connections.turn_away(ConnectionLimit::Descriptors);
        }
        has
    }
}
