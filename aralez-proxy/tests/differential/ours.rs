//! What our core makes of a stream of bytes, and what goes on of it.

use aralez_proto::matcher::Target;
use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::additions::FieldList;
use aralez_proxy::core::request::edits::{CompiledEdits, Forwarded};
use aralez_proxy::core::request::http1::body::Sender;
use aralez_proxy::core::request::http1::date::DateText;
use aralez_proxy::core::request::http1::forward::{self, RequestEdits, ResponseEdits};
use aralez_proxy::core::request::http1::request::RequestHead;
use aralez_proxy::core::request::http1::response::{Asked, ResponseHead};
use aralez_proxy::core::request::http1::{Framing, HttpVersion};
use aralez_proxy::core::request::pseudonym::Pseudonym;
use aralez_proxy::engine::io::body_relay::BodyFraming;

use super::message::Message;
use super::passing::{Passing, Steps};

/// Informational responses that are passed on here.
const MOST_INFORMATIONAL: usize = 16;

/// What became of a message.
#[derive(Clone, Debug)]
pub(crate) enum Ours {
    /// It was refused, answered by us, or is not whole, before a byte of it went on. The text says which.
    Nothing(&'static str),
    /// Its head went on, and its body did not come to its end: the connection that it went to is closed behind these bytes.
    Cut(Vec<u8>),
    /// It went on as a whole.
    Whole(Box<Passed>),
}

/// A message that went on.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// The message as it came. Its trailers are those that may go on.
    pub(crate) came: Message,
    /// What others must see in what went on.
    pub(crate) goes: Message,
    /// What went on.
    pub(crate) bytes: Vec<u8>,
    /// The end of the connection ends what went on.
    pub(crate) goes_until_close: bool,
    /// A length stood beside chunks, which only a response may have: readers differ about what came.
    pub(crate) doubted: bool,
}

/// Who asked for a response, and what its endpoint does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exchange {
    /// By HEAD.
    pub(crate) head: bool,
    /// In HTTP/1.0.
    pub(crate) old: bool,
    /// The endpoint closes its connection behind what it sent.
    pub(crate) closed: bool,
}

/// Reads the request at the front of the bytes, and passes it on.
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
        node: &Pseudonym::new([0; 8]),
        wishes: head.wishes(bytes),
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

/// Reads the response at the front of the bytes with what informs before it, and passes it on.
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
