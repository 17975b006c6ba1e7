//! The proxy as a reader: how its core understands a stream of bytes, and the bytes that it forwards.

use aralez_decision::additions::FieldList;
use aralez_decision::client::ClientFacts;
use aralez_decision::edits::{CompiledEdits, Forwarded};
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::trace::NewIds;
use aralez_proto::matcher::{Scheme, Target};
use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::http1::body::Sender;
use aralez_proxy::core::request::http1::date::DateText;
use aralez_proxy::core::request::http1::forward::{self, RequestEdits, ResponseEdits};
use aralez_proxy::core::request::http1::request::RequestHead;
use aralez_proxy::core::request::http1::response::{Asked, ResponseHead};
use aralez_proxy::core::request::http1::{Framing, HttpVersion};
use aralez_proxy::engine::io::body_relay::BodyFraming;

use super::message::Message;
use super::passing::{Passing, Steps};

/// Maximum number of informational responses before the final one.
const MOST_INFORMATIONAL: usize = 16;

/// Result of forwarding a message.
#[derive(Clone, Debug)]
pub(crate) enum Ours {
    /// No byte was forwarded: the message was refused or is incomplete, for this reason.
    Nothing(&'static str),
    /// These bytes were forwarded: the head, and a body that did not reach its end. The proxy closes the connection after them.
    Cut(Vec<u8>),
    /// The whole message was forwarded.
    Whole(Box<Passed>),
}

/// A forwarded message.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// The received message, with only those trailers that may be forwarded.
    pub(crate) came: Message,
    /// The message that other readers must find in `bytes`.
    pub(crate) goes: Message,
    /// The forwarded bytes.
    pub(crate) bytes: Vec<u8>,
    /// The forwarded body is delimited by the close of the connection.
    pub(crate) goes_until_close: bool,
    /// The message was received with both `Content-Length` and `Transfer-Encoding`, about which readers differ. Only accepted in a
    /// response.
    pub(crate) doubted: bool,
}

/// The request of a response, and the behaviour of its endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exchange {
    /// The method is HEAD.
    pub(crate) head: bool,
    /// The version is HTTP/1.0.
    pub(crate) old: bool,
    /// The endpoint closes its connection after the bytes.
    pub(crate) closed: bool,
}

/// Reads the first request of the bytes, and forwards it.
pub(crate) fn request(bytes: &[u8], steps: Steps) -> Ours {
    let mut head = RequestHead::default();
    let from = match head.read(bytes, &HeadLimits::default()) {
        Ok(Some(length)) => length,
        Ok(None) => return Ours::Nothing("open"),
        Err(refusal) => return Ours::Nothing(refusal.name()),
    };
    let raw = head.target(bytes);
    let Ok(target) = Target::parse(raw) else {
        return Ours::Nothing("target");
    };
    let host = head.host(bytes).unwrap_or("192.0.2.1:80");
    let missing_host = (!head.has_host_field()).then_some(host);
    let edits = RequestEdits {
        target: &target.path_and_query(),
        missing_host,
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        forwarded: &Forwarded::new(std::net::Ipv4Addr::LOCALHOST.into(), false),
        client: ClientFacts::direct(std::net::Ipv4Addr::LOCALHOST.into(), Scheme::Http),
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        options: head.options(bytes),
    };
    let mut out = Vec::new();
    forward::request(&head, bytes, &edits, &mut out);
    let passing = Passing {
        framing: head.framing(),
        sender: Sender::Client,
        goes: BodyFraming {
            chunked: head.framing() == Framing::Chunked,
            trailers: true,
        },
        from,
        closed: false,
    };
    let message = |target: &str, host: &str| Message {
        first: format!("{} {target}", head.method(bytes)),
        host: host.to_owned(),
        ..Message::default()
    };
    let field = missing_host.map_or(host, |_| "");
    let came = message(raw, field);
    passing.pass(bytes, steps, &out, came, message(edits.target, host))
}

/// Reads the first response of the bytes with the informational responses before it, and forwards them.
pub(crate) fn response(bytes: &[u8], exchange: Exchange, steps: Steps) -> Ours {
    let mut out = Vec::new();
    let mut start = 0;
    for _ in 0..=MOST_INFORMATIONAL {
        let rest = &bytes[start..];
        let mut head = ResponseHead::default();
        let length = match head.read(rest) {
            Ok(Some(length)) => length,
            Ok(None) => return Ours::Nothing("open"),
            Err(bad) => return Ours::Nothing(bad.name()),
        };
        if !head.is_informational() {
            return final_response(bytes, start, length, &head, exchange, steps, out);
        }
        start += length;
        if !exchange.old {
            forward::informational(&head, rest, &mut out);
        }
    }
    Ours::Nothing("informational")
}

fn final_response(
    bytes: &[u8],
    start: usize,
    length: usize,
    head: &ResponseHead,
    exchange: Exchange,
    steps: Steps,
    mut out: Vec<u8>,
) -> Ours {
    let asked = Asked {
        head: exchange.head,
        web_socket: false,
    };
    let framing = match head.framing(asked) {
        Ok(framing) => framing,
        Err(bad) => return Ours::Nothing(bad.name()),
    };
    let unknown = matches!(framing, Framing::Chunked | Framing::UntilClose);
    let goes = BodyFraming {
        chunked: unknown && !exchange.old,
        trailers: true,
    };
    let edits = ResponseEdits {
        route: &CompiledEdits::default(),
        additions: &FieldList::default(),
        date: &DateText::at(0),
        chunked: goes.chunked,
        version: if exchange.old {
            HttpVersion::Http10
        } else {
            HttpVersion::Http11
        },
        keep_alive: !(unknown && exchange.old),
    };
    forward::response(head, &bytes[start..], &edits, &mut out);
    let passing = Passing {
        framing,
        sender: Sender::Endpoint,
        goes,
        from: start + length,
        closed: exchange.closed,
    };
    let message = Message {
        first: head.status().to_string(),
        ..Message::default()
    };
    let mut ours = passing.pass(bytes, steps, &out, message.clone(), message);
    if let Ours::Whole(passed) = &mut ours {
        let rest = &bytes[start..];
        let tells = |name: &[u8]| {
            head.fields()
                .iter()
                .any(|field| field.key(rest).eq_ignore_ascii_case(name))
        };
        passed.doubted = tells(b"content-length") && tells(b"transfer-encoding");
        passed.goes_until_close = unknown && exchange.old;
    }
    ours
}
