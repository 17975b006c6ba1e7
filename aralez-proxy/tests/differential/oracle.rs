//! The property that holds for every stream of bytes: no reader understands the forwarded bytes differently from the proxy.

use std::fmt::Display;

use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::http1::request::RequestHead;

use super::fit;
use super::hyper_reader;
use super::message::{Message, Reading};
use super::naive::{self, Ends, Naive};
use super::ours::{self, Exchange, Ours, Passed};
use super::passing::Steps;

/// Maximum number of messages that are checked in one stream.
const MOST_MESSAGES: usize = 8;
/// The bytes after a message, so that a reader that reads too far finds something.
const NEXT: &[u8] = b"GET /behind HTTP/1.1\r\nHost: behind\r\n\r\n";

/// Results of the messages of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Tally {
    /// Number of messages that were forwarded whole.
    pub(crate) whole: usize,
    /// Number of messages that were forwarded in part.
    pub(crate) cut: usize,
    /// Reason why the rest was not forwarded.
    pub(crate) ended: &'static str,
}

/// Checks a stream of requests.
///
/// # Errors
/// The reader that disagrees, and the difference.
pub(crate) fn requests(bytes: &[u8], steps: Steps) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let mut rest = bytes;
    for _ in 0..MOST_MESSAGES {
        match ours::request(rest, steps) {
            Ours::Nothing(reason) => {
                tally.ended = reason;
                break;
            }
            Ours::Cut(goes) => {
                tally.cut += 1;
                request_is_open(&goes)?;
                break;
            }
            Ours::Whole(passed) => {
                tally.whole += 1;
                request_goes(&passed)?;
                request_came(&passed, rest)?;
                rest = &rest[passed.came.end..];
            }
        }
    }
    Ok(tally)
}

/// Checks a response.
///
/// # Errors
/// The reader that disagrees, and the difference.
pub(crate) fn response(bytes: &[u8], exchange: Exchange, steps: Steps) -> Result<Tally, String> {
    let mut tally = Tally::default();
    match ours::response(bytes, exchange, steps) {
        Ours::Nothing(reason) => tally.ended = reason,
        Ours::Cut(goes) => {
            tally.cut = 1;
            if !exchange.old {
                response_is_open(&goes, exchange)?;
            }
        }
        Ours::Whole(passed) => {
            tally.whole = 1;
            response_goes(&passed, exchange)?;
            response_came(&passed, bytes, exchange)?;
        }
    }
    Ok(tally)
}

/// Checks the forwarded bytes with every reader, the proxy included.
fn request_goes(passed: &Passed) -> Result<(), String> {
    let goes = &passed.bytes;
    fit_trailers(passed)?;
    let behind = [goes.as_slice(), NEXT].concat();
    for naive in naive::all() {
        same(&naive.request(&behind), &passed.goes, goes, naive)?;
    }
    httparse_sees(passed)?;
    let read = hyper_reader::request(goes, false);
    if matches!(read, Reading::Refused(_)) && hyper_may_refuse(passed) {
        return Ok(());
    }
    same(&read, &passed.goes, goes, "hyper")?;
    let again = ours::request(&behind, Steps::WHOLE);
    let Ours::Whole(again) = again else {
        return Err(format!(
            "the proxy would not forward its own output ({again:?}): {}",
            goes.escape_ascii()
        ));
    };
    same(
        &Reading::Whole(again.came),
        &passed.goes,
        goes,
        "the proxy itself",
    )
}

/// Reports whether hyper may refuse the request because its type for targets cannot represent this one.
fn hyper_may_refuse(passed: &Passed) -> bool {
    let target = passed.goes.first.split(' ').nth(1).unwrap_or_default();
    target.parse::<http::Uri>().is_err()
}

fn fit_trailers(passed: &Passed) -> Result<(), String> {
    match passed
        .goes
        .trailers
        .iter()
        .find(|(name, _)| !fit::trailer(name))
    {
        Some((name, _)) => Err(format!(
            "trailer {name} must not be forwarded: {}",
            passed.bytes.escape_ascii()
        )),
        None => Ok(()),
    }
}

/// Checks that httparse finds the same head, only fields that may be forwarded, and none of the routing and framing fields twice.
fn httparse_sees(passed: &Passed) -> Result<(), String> {
    let goes = &passed.bytes;
    let wrong = |what: &str| Err(format!("httparse: {what} in {}", goes.escape_ascii()));
    let mut fields = [httparse::EMPTY_HEADER; 400];
    let mut request = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(length)) = request.parse(goes) else {
        return wrong("cannot read the head");
    };
    let mut head = RequestHead::default();
    let limits = HeadLimits {
        fields: 400,
        ..HeadLimits::default()
    };
    if head.read(goes, &limits) != Ok(Some(length)) || request.version != Some(1) {
        return wrong("another head or version");
    }
    let theirs = request
        .headers
        .iter()
        .map(|field| (field.name.as_bytes(), field.value));
    let ours = head
        .fields()
        .iter()
        .map(|field| (field.key(goes), field.value(goes)));
    if !theirs.eq(ours) {
        return wrong("other fields");
    }
    let odd = request
        .headers
        .iter()
        .find(|field| !fit::head(field.name, field.value));
    if let Some(field) = odd {
        return wrong(&format!("{} must not be forwarded", field.name));
    }
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "x-forwarded-for",
    ] {
        let named = request
            .headers
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name));
        if named.count() > 1 {
            return wrong(&format!("{name} more than once"));
        }
    }
    Ok(())
}

/// Checks the received bytes: every reader that accepts them finds the same message, and the next one at the same offset.
fn request_came(passed: &Passed, bytes: &[u8]) -> Result<(), String> {
    let came = &bytes[..passed.came.end];
    let expected = without_trailers(&passed.came);
    let behind = [came, NEXT].concat();
    for naive in naive::all() {
        let read = untrailed(naive.request(&behind));
        same(
            &read,
            &expected,
            came,
            format_args!("received bytes, read by {naive}"),
        )?;
    }
    if let Reading::Whole(read) = untrailed(hyper_reader::request(came, true)) {
        // hyper writes an absolute target in another form.
        let read = Message {
            first: expected.first.clone(),
            ..read
        };
        same(
            &Reading::Whole(read),
            &expected,
            came,
            "received bytes, read by hyper",
        )?;
    }
    Ok(())
}

fn request_is_open(goes: &[u8]) -> Result<(), String> {
    for naive in naive::all() {
        is_open(&naive.request(goes), goes, naive)?;
    }
    is_open(&hyper_reader::cut_request(goes), goes, "hyper")
}

fn response_goes(passed: &Passed, exchange: Exchange) -> Result<(), String> {
    let goes = &passed.bytes;
    fit_trailers(passed)?;
    let closed = passed.goes_until_close;
    let next: &[u8] = if closed {
        b""
    } else {
        b"HTTP/1.1 299 Behind\r\n\r\n"
    };
    let behind = [goes.as_slice(), next].concat();
    for naive in naive::all() {
        let read = naive.response(&behind, exchange.head, closed);
        same(&read, &passed.goes, goes, naive)?;
    }
    let read = hyper_reader::response(goes, exchange.head, closed);
    same(&read, &passed.goes, goes, "hyper")
}

fn response_came(passed: &Passed, bytes: &[u8], exchange: Exchange) -> Result<(), String> {
    let came = &bytes[..passed.came.end];
    let expected = without_trailers(&passed.came);
    // The proxy accepts and repairs LF alone, and a length next to chunks, in a response. Readers that treat these differently are skipped.
    let agrees =
        |naive: &Naive| naive.ends != Ends::Pair && !(naive.length_first && passed.doubted);
    for naive in naive::all().filter(agrees) {
        let read = untrailed(naive.response(came, exchange.head, exchange.closed));
        same(
            &read,
            &expected,
            came,
            format_args!("received bytes, read by {naive}"),
        )?;
    }
    if let Reading::Whole(read) = untrailed(hyper_reader::response(came, exchange.head, true)) {
        same(
            &Reading::Whole(read),
            &expected,
            came,
            "received bytes, read by hyper",
        )?;
    }
    Ok(())
}

fn response_is_open(goes: &[u8], exchange: Exchange) -> Result<(), String> {
    for naive in naive::all() {
        let read = naive.response(goes, exchange.head, false);
        is_open(&read, goes, naive)?;
    }
    is_open(
        &hyper_reader::response(goes, exchange.head, true),
        goes,
        "hyper",
    )
}

fn same(
    read: &Reading,
    expected: &Message,
    bytes: &[u8],
    reader: impl Display,
) -> Result<(), String> {
    let difference = match read {
        Reading::Whole(read) => read.differs(expected),
        Reading::Open => Some("waits for more bytes".to_owned()),
        Reading::Refused(why) => Some(format!("refuses the message: {why}")),
    };
    match difference {
        Some(difference) => Err(format!(
            "{reader}: {difference}\nin {}",
            bytes.escape_ascii()
        )),
        None => Ok(()),
    }
}

fn is_open(read: &Reading, bytes: &[u8], reader: impl Display) -> Result<(), String> {
    match read {
        Reading::Whole(read) => Err(format!(
            "{reader}: takes a cut message for a whole one: {read:?}\nin {}",
            bytes.escape_ascii()
        )),
        _ => Ok(()),
    }
}

fn without_trailers(message: &Message) -> Message {
    Message {
        trailers: Vec::new(),
        ..message.clone()
    }
}

fn untrailed(read: Reading) -> Reading {
    match read {
        Reading::Whole(message) => Reading::Whole(without_trailers(&message)),
        other => other,
    }
}
