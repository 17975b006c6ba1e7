//! A request of a browser to one of 1,000 hosts, the response to it, and all that serves them.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use aralez_decision::additions::Additions;
use aralez_decision::client::ClientFacts;
use aralez_decision::decide::{Decision, ForwardedTarget, decide};
use aralez_decision::edits::Forwarded;
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::state::Unused;
use aralez_decision::table::CompiledRoute;
use aralez_decision::trace::NewIds;
use aralez_decision::{Context, Request};
use aralez_proto::matcher::Scheme;
use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::balance::Walk;
use aralez_proxy::core::request::http1::date::DateText;
use aralez_proxy::core::request::http1::forward::{self, RequestEdits, ResponseEdits};
use aralez_proxy::core::request::http1::request::{HeadFields, RequestHead};
use aralez_proxy::core::request::http1::response::{Asked, ResponseHead};
use aralez_proxy::core::request::http1::{Framing, HttpVersion};
use aralez_proxy::core::request::rest::Uptime;
use aralez_proxy::core::request::table::Table;

use crate::sites;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

const REQUEST: &[u8] = b"GET /api/v2/items?page=3&sort=name HTTP/1.1\r\n\
    Host: host500.example.com\r\n\
    Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Accept: application/json, text/plain, */*\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Referer: https://host500.example.com/items\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Date: Mon, 30 Nov 2026 12:00:00 GMT\r\n\
    Server: app/1.0\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 2048\r\n\
    Cache-Control: private, max-age=0\r\n\
    ETag: W/\"800-abcdef\"\r\n\
    Vary: Accept-Encoding\r\n\
    X-Powered-By: app\r\n\r\n";

/// The state of a node and of one connection.
pub(crate) struct Scene {
    limits: HeadLimits,
    table: Table,
    node: Pseudonym,
    ids: NewIds,
    forwarded: Forwarded,
    date: DateText,
    head: RequestHead,
    response: ResponseHead,
    additions: Additions,
    decided: Option<(Arc<CompiledRoute>, ForwardedTarget)>,
    out: Vec<u8>,
}

impl Scene {
    /// Builds the table and serves one request, so that every buffer has the size that it keeps.
    pub(crate) fn new() -> Self {
        let mut scene = Self {
            limits: HeadLimits::default(),
            table: sites::table(),
            node: Pseudonym::new(Default::default()),
            ids: NewIds::new([1; 3]),
            forwarded: Forwarded::new(CLIENT, false),
            date: DateText::at(1_800_000_000),
            head: RequestHead::default(),
            response: ResponseHead::default(),
            additions: Additions::default(),
            decided: None,
            out: Vec::new(),
        };
        scene.serve();
        scene
    }

    /// Parses the head of the request.
    pub(crate) fn parse(&mut self) {
        self.head.clear();
        let read = self.head.read(black_box(REQUEST), &self.limits);
        assert_eq!(read, Ok(Some(REQUEST.len())));
    }

    /// Decides about the parsed request and chooses an endpoint.
    pub(crate) fn decide(&mut self) {
        let head = &self.head;
        let request = Request {
            method: head.method(REQUEST),
            scheme: Scheme::Http,
            host: head.host(REQUEST),
            target: head.target(REQUEST),
            client: CLIENT,
            fields: HeadFields::new(head, REQUEST),
        };
        let context = Context {
            node: &self.node,
            ids: &self.ids,
            tls_port: None,
        };
        self.additions.clear();
        let routes = self.table.routes();
        let client = ClientFacts::of(routes.trusted_proxies(), &request);
        let request = request.of(client.client);
        let decision = decide(
            routes,
            &context,
            &request,
            &Unused::TIMELESS,
            &mut self.additions,
        );
        let Decision::Forward(forward) = decision else {
            unreachable!("the route has a pool: {decision:?}");
        };
        let pool = self.table.serving_pool(forward.pool);
        let pool = pool.expect("the pool has an endpoint");
        let mut walk = Walk::default();
        assert!(pool.choose(&mut walk, Uptime::default()).is_some());
        self.decided = Some((Arc::clone(forward.route), forward.path_and_query));
    }

    /// Writes the head of the request for the endpoint.
    pub(crate) fn edit(&mut self) {
        let (route, target) = self.decided.as_ref().expect("decided before");
        let edits = RequestEdits {
            target: target.text(self.head.target(REQUEST)),
            missing_host: None,
            route: &route.rules.request_edits,
            additions: &self.additions.request,
            forwarded: &self.forwarded,
            client: ClientFacts::direct(CLIENT, Scheme::Http),
            node: &self.node,
            ids: &self.ids,
            options: self.head.options(REQUEST),
        };
        self.out.clear();
        forward::request(&self.head, REQUEST, &edits, &mut self.out);
        assert!(black_box(&self.out).ends_with(b"\r\n\r\n"));
    }

    /// Parses the head of the response and writes it for the client.
    pub(crate) fn forward(&mut self) {
        let (route, _) = self.decided.as_ref().expect("decided before");
        self.response.clear();
        let read = self.response.read(black_box(RESPONSE));
        assert_eq!(read, Ok(Some(RESPONSE.len())));
        let framing = self.response.framing(Asked::default());
        assert_eq!(framing, Ok(Framing::Length(2_048)));
        let edits = ResponseEdits {
            route: &route.rules.response_edits,
            additions: &self.additions.response,
            date: &self.date,
            chunked: false,
            version: HttpVersion::Http11,
            keep_alive: true,
        };
        self.out.clear();
        forward::response(&self.response, RESPONSE, &edits, &mut self.out);
        assert!(black_box(&self.out).ends_with(b"\r\n\r\n"));
    }

    /// Serves one request: all of the above.
    pub(crate) fn serve(&mut self) {
        self.parse();
        self.decide();
        self.edit();
        self.forward();
    }
}
