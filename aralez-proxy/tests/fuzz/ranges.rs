//! Conditions and ranges in the head of a request for a file: a response has the parts that another reader of `Range` finds, as long as it
//! announces, and all of them lie within the file.

use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use aralez_decision::answer::Content;
use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::files::response::{ContentPart, FileResponse, Representation};
use aralez_proxy::core::request::files::validators::Validators;
use aralez_proxy::core::request::http1::request::{HeadFields, RequestHead};

use super::corpus::hash;
use super::lines::only_field;

/// Fields about ranges, and texts that their values hold.
pub(crate) const WORDS: &[&[u8]] = &[
    b"\r\nRange: bytes=",
    b"\r\nRange: bytes=0-",
    b"\r\nIf-Range: ",
    b"\r\nIf-Match: ",
    b"\r\nIf-None-Match: ",
    b"\r\nIf-Modified-Since: ",
    b"\r\nIf-Unmodified-Since: ",
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Sun, 06 Nov 1994 08:49:36 GMT",
    b"\"2ebc98a1.1-3e8\"",
    b"W/",
    b"*",
    b"bytes=",
    b"-",
    b",",
    b", ",
    b",,",
    b" ",
    b"\t",
    b"0-0",
    b"-1",
    b"999-",
    b"1000-",
    b"0-999",
    b"18446744073709551615",
    b"18446744073709551616",
    b"99999999999999999999999",
    b"+",
    b"\x80",
];

/// The length of the file, in bytes.
const LENGTH: u64 = 1_000;
/// The largest number of ranges that one response has.
const MOST: usize = 32;

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let mut head = RequestHead::default();
    let Ok(Some(length)) = head.read(bytes, &HeadLimits::default()) else {
        return Ok(0);
    };
    let fields = HeadFields::new(&head, bytes);
    let modified = UNIX_EPOCH + Duration::new(784_111_777, 1);
    let file = Representation {
        length: LENGTH,
        validators: Validators::of(LENGTH, modified, None, modified + Duration::from_secs(60)),
        media_type: "text/plain".to_owned(),
        encoding: None,
        varies: false,
    };
    let response = file.respond(&fields, false, || "boundary".to_owned());
    consistent(&response)?;
    let head = &bytes[..length];
    let status = response.answer.status;
    let has = |name: &[u8]| {
        head.windows(name.len())
            .any(|part| part.eq_ignore_ascii_case(name))
    };
    let explained = match status {
        304 => has(b"if-none-match") || has(b"if-modified-since"),
        412 => has(b"if-match") || has(b"if-unmodified-since"),
        200 | 206 | 416 => true,
        _ => false,
    };
    if !explained {
        return Err(format!("{status} without a condition"));
    }
    let value = only_field(head, b"range").unwrap_or_default();
    let asked = asked(value);
    if is_usual(value) {
        agrees(&response, asked.as_deref(), has(b"\nif-"))?;
    }
    Ok(hash((
        status,
        response.parts.len(),
        asked.map(|ranges| ranges.len()),
    )))
}

/// Checks that a response is as long as it announces, and has only bytes of the file.
fn consistent(response: &FileResponse) -> Result<(), String> {
    let mut together = 0;
    for part in &response.parts {
        together += match part {
            ContentPart::Bytes(bytes) => bytes.len() as u64,
            ContentPart::File(range) if range.start <= range.end && range.end <= LENGTH => {
                range.end - range.start
            }
            ContentPart::File(range) => return Err(format!("{range:?} is not of the file")),
        };
    }
    match response.answer.content {
        Content::Streamed { length } if length != Some(together) => {
            Err(format!("{length:?} is announced for {together} bytes"))
        }
        _ => Ok(()),
    }
}

/// Compares a response with what was asked for. Conditions may only replace parts by the whole file or by nothing.
fn agrees(
    response: &FileResponse,
    asked: Option<&[Range<u64>]>,
    conditional: bool,
) -> Result<(), String> {
    let sent: Vec<_> = response
        .parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::File(range) => Some(range.clone()),
            ContentPart::Bytes(_) => None,
        })
        .collect();
    let expected = match asked {
        Some([]) => 416,
        Some(ranges) if ranges.len() == 1 || total(ranges) <= LENGTH => 206,
        _ => 200,
    };
    let free = conditional || asked.is_some_and(overlap) && response.answer.status == 200;
    let right = match response.answer.status {
        status if status != expected && !free => false,
        206 => asked == Some(&*sent),
        416 => asked.is_some_and(<[_]>::is_empty) && sent.is_empty(),
        200 => sent == std::slice::from_ref(&(0..LENGTH)),
        _ => sent.is_empty(),
    };
    match right {
        true => Ok(()),
        false => Err(format!(
            "asked for {asked:?}, got {} with {sent:?}",
            response.answer.status
        )),
    }
}

fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// Reports whether ranges share a byte: then the file may be sent as a whole, as RFC 9110 section 14.2 advises.
fn overlap(ranges: &[Range<u64>]) -> bool {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    sorted.windows(2).any(|pair| pair[1].start < pair[0].end)
}

/// Reports whether every reader should understand a value: RFC 9110 section 14.2 lets a server ignore any, and ours ignores some numbers that
/// are longer than those of 64 bits, and very many empty elements.
fn is_usual(value: &[u8]) -> bool {
    let numbers = value.split(|byte| !byte.is_ascii_digit());
    let elements = value.split(|byte| *byte == b',');
    let empty = elements.filter(|element| element.trim_ascii().is_empty());
    numbers.map(<[u8]>::len).max().unwrap_or_default() < 20 && empty.count() < 15
}

/// Reads `Range` by RFC 9110 section 14.1.1, and returns the ranges that overlap the file. `None`: it is invalid, or has too many.
fn asked(value: &[u8]) -> Option<Vec<Range<u64>>> {
    let text = std::str::from_utf8(value).ok()?;
    let (unit, set) = text.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let elements = set.split(',').map(|spec| spec.trim_matches([' ', '\t']));
    // RFC 9110 section 5.6.1.2: empty elements of a list are skipped.
    let specs: Option<Vec<_>> = elements.filter(|spec| !spec.is_empty()).map(one).collect();
    let specs = specs.filter(|specs| (1..=MOST).contains(&specs.len()))?;
    Some(specs.into_iter().flatten().collect())
}

/// Reads one range. The inner `None` is a range of which the file has nothing.
fn one(spec: &str) -> Option<Option<Range<u64>>> {
    let (first, last) = spec.split_once('-')?;
    // Numbers beyond the largest are as good as any beyond the file.
    let number = |digits: &str| {
        let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    if first.is_empty() {
        let start = LENGTH - number(last)?.min(LENGTH);
        return Some((start < LENGTH).then_some(start..LENGTH));
    }
    let first = number(first)?;
    let end = match last {
        "" => LENGTH,
        last => number(last)?.saturating_add(1).min(LENGTH),
    };
    if !last.is_empty() && number(last)? < first {
        return None;
    }
    Some((first < LENGTH).then_some(first..end))
}
