//! What must hold for every stream of bytes: what we pass on is read by nobody in another way than by us.

use std::fmt::Display;

use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::http1::request::RequestHead;

use super::fit;
use super::hyper_reader;
use super::message::{Message, Reading};
use super::naive::{self, Ends, Naive};
use super::ours::{self, Exchange, Ours, Passed};
use super::passing::Steps;

/// Messages of one stream that are looked at.
const MOST_MESSAGES: usize = 8;
/// What stands behind a message, so that a reader that reads too far finds something.
const NEXT: &[u8] = b"GET /behind HTTP/1.1\r\nHost: behind\r\n\r\n";

/// What became of the messages of a stream: how many went on as a whole, how many in part, and why the last one did not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Tally {
    /// Went on.
    pub(crate) whole: usize,
    /// Went on in part.
    pub(crate) cut: usize,
    /// Why the rest did not.
    pub(crate) ended: &'static str,
}

/// Looks at a stream of requests.
///
/// # Errors
/// Who read what in which other way.
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

/// Looks at a response.
///
/// # Errors
/// Who read what in which other way.
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

/// What goes on, to everybody who reads it.
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
            "we would not pass it on again ({again:?}): {}",
            goes.escape_ascii()
        ));
    };
    same(
        &Reading::Whole(again.came),
        &passed.goes,
        goes,
        "we ourselves",
    )
}

/// hyper refuses targets that its own type for them does not hold.
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
            "{name} goes on as a trailer in {}",
            passed.bytes.escape_ascii()
        )),
        None => Ok(()),
    }
}

/// httparse finds the same head: the same lines, none of them twice where they say where it goes or ends.
fn httparse_sees(passed: &Passed) -> Result<(), String> {
    let goes = &passed.bytes;
    let wrong = |what: &str| Err(format!("httparse: {what} in {}", goes.escape_ascii()));
    let mut fields = [httparse::EMPTY_HEADER; 400];
    let mut request = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(length)) = request.parse(goes) else {
        return wrong("does not read the head");
    };
    let mut head = RequestHead::default();
    let limits = HeadLimits {
        fields: 400,
        ..HeadLimits::default()
    };
    if head.read(goes, &limits) != Ok(Some(length)) || request.version != Some(1) {
        return wrong("another head");
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
        return wrong(field.name);
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
            return wrong(name);
        }
    }
    Ok(())
}

/// What came, to everybody who accepts it: the next message begins where we say.
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
            format_args!("what came, to {naive}"),
        )?;
    }
    if let Reading::Whole(read) = untrailed(hyper_reader::request(came, true)) {
        // It writes an absolute target in another way.
        let read = Message {
            first: expected.first.clone(),
            ..read
        };
        same(
            &Reading::Whole(read),
            &expected,
            came,
            "what came, to hyper",
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
    // What may be repaired in a response is what some readers do not read as we do.
    let agrees =
        |naive: &Naive| naive.ends != Ends::Pair && !(naive.length_first && passed.doubted);
    for naive in naive::all().filter(agrees) {
        let read = untrailed(naive.response(came, exchange.head, exchange.closed));
        same(
            &read,
            &expected,
            came,
            format_args!("what came, to {naive}"),
        )?;
    }
    if let Reading::Whole(read) = untrailed(hyper_reader::response(came, exchange.head, true)) {
        same(
            &Reading::Whole(read),
            &expected,
            came,
            "what came, to hyper",
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
        Reading::Open => Some("waits for more".to_owned()),
        Reading::Refused(why) => Some(format!("refuses it: {why}")),
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
            "{reader}: takes what was cut for a whole message: {read:?}\nin {}",
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
