//! A client that does not speak HTTP/1, a stand-in for HTTP/2: it supplies fields and data, and shares the rest of the exchange.

use std::io::{Read, Write};

use aralez_proto::convert::{endpoint_record, host_record, pool_record};
use aralez_proto::matcher::Scheme;
use aralez_proto::model::{
    Action, Endpoint, EndpointAddress, EndpointOwner, Pool, PoolName, Route, VirtualHost,
};
use aralez_proto::rules::Rules;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use crate::core::live::LiveTable;
use crate::core::request::http1::Framing;
use crate::core::request::http1::body::{BadBody, Body, Sender};
use crate::core::request::http1::question::QuestionHead;
use crate::core::request::http1::response::ResponseHead;
use crate::core::request::registry::Registry;
use crate::core::request::table::Table;
use crate::engine::exchange::client_side::{AnswerChanges, RequestChanges, ResponseChanges};
use crate::engine::exchange::facts::Facts;
use crate::engine::exchange::tests::*;
use crate::engine::io::buffer::Buffer;
use crate::engine::upstream::stream::UpstreamStream;
use aralez_decision::Pairs;
use aralez_decision::Request;

/// The client: its request and the response it received.
#[derive(Debug)]
struct Stream {
    facts: Facts,
    released: bool,
    data: Buffer,
    body: Body,
    whole: bool,
    status: u16,
    got: Vec<u8>,
    unsent: usize,
}

impl ClientSide for Stream {
    type Fields<'a> = Pairs<'a>;

    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn request(&self) -> Request<'_, Pairs<'_>> {
        Request {
            method: "PUT",
            scheme: Scheme::Https,
            host: Some("a.example"),
            target: "/x",
            client: [192, 0, 2, 1].into(),
            fields: Pairs(&[("x-a", "1")]),
        }
    }

    fn write_head(&self, changes: &RequestChanges<'_>, out: &mut Vec<u8>) {
        let head = format!("PUT {} HTTP/1.1\r\nhost: a.example\r\n", changes.target);
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    }

    fn write_question(
        &self,
        question: &QuestionHead<'_>,
        changes: &RequestChanges<'_>,
        out: &mut Vec<u8>,
    ) {
        let QuestionHead { method, authority } = question;
        let head = format!(
            "{method} {} HTTP/1.1\r\nhost: {authority}\r\n",
            changes.target
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(changes.additions.lines());
        out.extend_from_slice(b"\r\n");
    }

    fn release_head(&mut self) {
        self.released = true;
    }

    fn has_head(&self) -> bool {
        !self.released
    }

    fn body(&mut self) -> &mut Buffer {
        &mut self.data
    }

    fn poll_body(&mut self, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_gone(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }

    fn await_response(&mut self) {}

    fn inform(&mut self, _: &ResponseHead, _: &[u8]) {}

    fn switch(&mut self, _: &ResponseHead, _: &[u8], _: &ResponseChanges<'_>) {}

    fn respond(
        &mut self,
        head: &ResponseHead,
        _: &[u8],
        _: &ResponseChanges<'_>,
        (framing, _): (Framing, bool),
    ) {
        self.status = head.status();
        self.body = Body::new(framing, Sender::Endpoint);
        self.unsent += 1;
    }

    fn answer(&mut self, answer: &Answer, _: &AnswerChanges<'_>) {
        self.status = answer.status;
        self.whole = true;
    }

    fn stage(&mut self, from: &mut Buffer) -> Result<bool, BadBody> {
        let taken = self.body.take(from.filled_mut())?;
        self.got
            .extend_from_slice(&from.filled()[taken.data.clone()]);
        self.unsent += taken.data.len();
        from.consume(taken.consumed);
        self.whole = self.body.is_done();
        Ok(self.whole || !taken.data.is_empty())
    }

    fn is_whole(&self) -> bool {
        self.whole
    }

    fn end_body(&mut self) -> bool {
        false
    }

    fn poll_send(&mut self, _: &mut Context<'_>, _: &mut Buffer) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(std::mem::take(&mut self.unsent)))
    }

    fn sent(&self) -> u64 {
        u64::from(self.status > 0) + self.got.len() as u64
    }

    fn has_unsent(&self) -> bool {
        self.unsent > 0
    }

    fn cut(&mut self) {}

    async fn tunnel(&mut self, _: UpstreamStream, _: &mut Buffer, _: &mut Timer) {}
}

/// Publishes a table in which `a.example` has one endpoint.
fn serve(worker: &ThreadContext, endpoint: EndpointAddress) {
    let name: PoolName = "up".parse().unwrap();
    let host = VirtualHost {
        pattern: "a.example".parse().unwrap(),
        rules: Rules::default(),
        routes: vec![Route {
            path: "/".into(),
            matches: None,
            rules: Rules::default(),
            action: Action::Pool(name.clone()),
        }],
    };
    let records = [
        host_record(&host),
        pool_record(&name, &Pool::default()),
        endpoint_record(EndpointOwner::Document, &name, &Endpoint::new(endpoint)),
    ];
    let records = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    worker.engine.live.publish(LiveTable {
        table: Table::build(&snapshot, &Registry::default()),
        snapshot: Arc::new(snapshot),
        origin: Origin::Stream,
        since: Instant::now(),
    });
}

async fn exchanged(worker: &ThreadContext) -> (Outcome, Stream) {
    let mut data = Buffer::default();
    buffer::tests::read(&worker.buffers, &mut data, b"3\r\nabc\r\n0\r\n\r\n");
    let mut client = Stream {
        facts: Facts {
            framing: Framing::Chunked,
            ..Facts::unknown(Instant::now())
        },
        released: false,
        data,
        body: Body::default(),
        whole: false,
        status: 0,
        got: Vec::new(),
        unsent: 0,
    };
    let mut buffers = ExchangeBuffers::default();
    let mut outcome = Outcome::begun(client.facts.started);
    let parts = ExchangeParts {
        worker,
        timer: &mut Timer::default(),
        side: &mut buffers.endpoint,
        additions: &mut buffers.additions,
        role: ListenerRole::Routes,
        now: Instant::now(),
    };
    Exchange::begin(&mut client, parts, &mut outcome)
        .run()
        .await;
    (outcome, client)
}

#[tokio::test]
async fn a_client_of_another_protocol_shares_the_exchange() {
    let worker = worker();
    let (nothing, client) = exchanged(&worker).await;
    assert_eq!((nothing.status, client.status), (503, 503));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint: EndpointAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
    serve(&worker, endpoint.clone());
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = vec![0; 1_000];
        let mut length = 0;
        while !seen[..length].ends_with(b"\r\n0\r\n\r\n") {
            length += stream.read(&mut seen[length..]).unwrap();
        }
        let response =
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        stream.write_all(response.as_bytes()).unwrap();
        String::from_utf8(seen[..length].to_vec()).unwrap()
    });
    let (outcome, client) = exchanged(&worker).await;
    let seen = seen.join().unwrap();
    assert!(seen.starts_with("PUT /x HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{seen}");
    assert_eq!((client.status, client.got.as_slice()), (201, &b"ok"[..]));
    assert_eq!(outcome.conclusion, Conclusion::Relayed { taken: true });
    let facts = (
        outcome.status,
        outcome.endpoint,
        outcome.tries,
        outcome.received,
    );
    assert_eq!(facts, (201, Some(endpoint), 1, 3));
    assert_eq!(
        worker.tally.by_status().collect::<Vec<_>>(),
        [(201, 1), (503, 1)]
    );
}
