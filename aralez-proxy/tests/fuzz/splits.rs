//! The core's result does not depend on how the bytes are split into reads.

use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::http1::Framing;
use aralez_proxy::core::request::http1::body::{Body, Sender};
use aralez_proxy::core::request::http1::request::RequestHead;
use aralez_proxy::core::request::http1::response::ResponseHead;

/// Returns the offsets at which reads end; the last one is `length`.
fn ends(length: usize, read: usize) -> impl Iterator<Item = usize> {
    (1..)
        .map(move |count: usize| count.saturating_mul(read).min(length))
        .scan(false, move |over, end| {
            let stop = std::mem::replace(over, end == length);
            (!stop).then_some(end)
        })
}

fn request(bytes: &[u8], read: usize) -> String {
    let mut head = RequestHead::default();
    for end in ends(bytes.len(), read) {
        match head.read(&bytes[..end], &HeadLimits::default()) {
            Ok(None) => {}
            Ok(Some(length)) => return format!("{length} {:?} {head:?}", head.options(bytes)),
            Err(refusal) => return format!("{refusal:?}"),
        }
    }
    format!("open {head:?}")
}

fn response(bytes: &[u8], read: usize) -> String {
    let mut head = ResponseHead::default();
    for end in ends(bytes.len(), read) {
        match head.read(&bytes[..end]) {
            Ok(None) => {}
            Ok(Some(length)) => return format!("{length} {head:?}"),
            Err(bad) => return format!("{bad:?}"),
        }
    }
    format!("open {head:?}")
}

fn body(bytes: &[u8], read: usize) -> String {
    let mut body = Body::new(Framing::Chunked, Sender::Client);
    let (mut data, mut consumed) = (Vec::new(), 0);
    for end in ends(bytes.len(), read) {
        let mut open = bytes[consumed..end].to_vec();
        match body.take(&mut open) {
            Ok(taken) => {
                data.extend_from_slice(&open[taken.data]);
                consumed += taken.consumed;
            }
            Err(bad) => return format!("{bad:?}"),
        }
    }
    format!(
        "{consumed} {} {:?} {data:?}",
        body.is_done(),
        body.trailers()
    )
}

/// Reads the bytes whole, and in reads of these sizes. Returns the result.
///
/// # Errors
/// Both results, if they differ.
pub(crate) fn differ(what: super::Reader, bytes: &[u8], reads: &[usize]) -> Result<String, String> {
    let read = match what {
        super::Reader::Request => request,
        super::Reader::Response => response,
        super::Reader::Body => body,
    };
    let whole = read(bytes, usize::MAX);
    for size in reads {
        let split = read(bytes, *size);
        if split != whole {
            return Err(format!("in reads of {size}: {split}\nin one read: {whole}"));
        }
    }
    Ok(whole)
}
