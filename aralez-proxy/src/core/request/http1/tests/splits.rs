//! However the bytes are split into reads, the result is the same.

use proptest::prelude::*;

use crate::core::limits::HeadLimits;
use crate::core::request::http1::Framing;
use crate::core::request::http1::body::{BadBody, Body, Sender};
use crate::core::request::http1::request::RequestHead;
use crate::core::request::http1::response::ResponseHead;
use crate::core::request::http1::tests::messages::{bodies, reads, requests, responses};

/// Returns the offsets at which reads end.
fn ends(length: usize, reads: &[usize]) -> Vec<usize> {
    let mut ends: Vec<usize> = reads
        .iter()
        .cycle()
        .scan(0, |end, read| {
            *end += read;
            Some(*end)
        })
        .take_while(|end| *end < length)
        .collect();
    ends.push(length);
    ends
}

/// Returns the complete result of reading a head, as text.
fn request(bytes: &[u8], reads: &[usize], limits: &HeadLimits) -> String {
    let mut head = RequestHead::default();
    for end in ends(bytes.len(), reads) {
        match head.read(&bytes[..end], limits) {
            Ok(None) => {}
            Ok(Some(length)) => return format!("{length} {:?} {head:?}", head.options(bytes)),
            Err(refusal) => return format!("{refusal:?}"),
        }
    }
    format!("open {head:?}")
}

fn response(bytes: &[u8], reads: &[usize]) -> String {
    let mut head = ResponseHead::default();
    for end in ends(bytes.len(), reads) {
        match head.read(&bytes[..end]) {
            Ok(None) => {}
            Ok(Some(length)) => return format!("{length} {head:?}"),
            Err(bad) => return format!("{bad:?}"),
        }
    }
    format!("open {head:?}")
}

/// The data of a body, how much was consumed, whether it ended, and its trailers.
type Read = (Vec<u8>, usize, bool, Vec<u8>);

fn body(framing: Framing, bytes: &[u8], reads: &[usize]) -> Result<Read, BadBody> {
    let mut body = Body::new(framing, Sender::Client);
    let (mut data, mut consumed) = (Vec::new(), 0);
    for end in ends(bytes.len(), reads) {
        let mut open = bytes[consumed..end].to_vec();
        let taken = body.take(&mut open)?;
        assert!(taken.data.len() <= taken.consumed && taken.consumed <= open.len());
        data.extend_from_slice(&open[taken.data]);
        consumed += taken.consumed;
        let more = body.take(&mut open[taken.consumed..])?;
        assert_eq!(more.consumed, 0, "all that can be taken is taken at once");
    }
    Ok((data, consumed, body.is_done(), body.trailers().to_vec()))
}

const SMALL: HeadLimits = HeadLimits {
    bytes: 300,
    fields: 4,
    target: 10,
};

/// The limit of the head is reached before that of the line.
const NARROW: HeadLimits = HeadLimits {
    bytes: 60,
    fields: 4,
    target: 60,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_read_the_same_however_its_bytes_are_split(bytes in requests(), reads in reads()) {
        for limits in [HeadLimits::default(), SMALL, NARROW] {
            prop_assert_eq!(request(&bytes, &[usize::MAX], &limits), request(&bytes, &reads, &limits));
        }
    }

    #[test]
    fn a_response_is_read_the_same_however_its_bytes_are_split(bytes in responses(), reads in reads()) {
        prop_assert_eq!(response(&bytes, &[usize::MAX]), response(&bytes, &reads));
    }

    #[test]
    fn a_body_is_read_the_same_however_its_bytes_are_split(bytes in bodies(), reads in reads(), length in 0..40_u64) {
        let framings = [Framing::None, Framing::Length(length), Framing::Chunked, Framing::UntilClose];
        for framing in framings {
            prop_assert_eq!(body(framing, &bytes, &[usize::MAX]), body(framing, &bytes, &reads), "{:?}", framing);
        }
    }
}

#[test]
fn limits_are_met_at_the_same_place_however_the_bytes_are_split() {
    let line = |length: usize| vec![b'a'; length];
    let fields = |length: usize| [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'y'; length]].concat();
    let limits = HeadLimits::default();
    for head in [
        line(limits.target + 63),
        line(limits.target + 65),
        line(limits.bytes + 1),
        fields(limits.bytes - 21),
        fields(limits.bytes - 20),
        fields(limits.bytes),
    ] {
        for end in [&b""[..], b"\r", b"\r\n", b"\n", b"\r\n\r\n"] {
            let head = [&head, end].concat();
            let whole = request(&head, &[usize::MAX], &limits);
            for reads in [
                &[1000, 7][..],
                &[4096],
                &[head.len() - 1, 1],
                &[head.len() - 2, 1, 1],
            ] {
                assert_eq!(request(&head, reads, &limits), whole);
            }
        }
    }
}
