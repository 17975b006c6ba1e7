//! Preconditions: whether a request still wants the file that it would get.

use std::iter;

use aralez_decision::Fields;
use headers::{
    Header, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince, LastModified,
};
use http::HeaderValue;

use super::validators::Validators;

/// The result of the preconditions of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// The file is sent, or the ranges of it.
    Holds,
    /// The client's copy is still good: 304.
    NotModified,
    /// The file is not the one that the client means: 412.
    Failed,
}

/// Evaluates the preconditions of a GET or HEAD, in their order.
pub fn evaluate(fields: &impl Fields, validators: &Validators) -> Precondition {
    let is_condition = |(name, _): (&[u8], &[u8])| {
        name.get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"if-"))
    };
    let Some(tag) = validators.etag().filter(|_| fields.all().any(is_condition)) else {
        return Precondition::Holds;
    };
    let modified = validators.modified_at();
    // RFC 9110 section 13.2.2: `If-Match` comes first, and `If-Unmodified-Since` counts only without it.
    let matches = match decoded::<IfMatch>(fields, "if-match") {
        Some(wanted) => wanted.precondition_passes(&tag),
        // RFC 9110 section 13.1.4: an invalid date is ignored.
        None => decoded::<IfUnmodifiedSince>(fields, "if-unmodified-since")
            .is_none_or(|since| since.precondition_passes(modified)),
    };
    if !matches {
        return Precondition::Failed;
    }
    // RFC 9110 section 13.2.2: then `If-None-Match`, and `If-Modified-Since` only without it.
    let modified = match decoded::<IfNoneMatch>(fields, "if-none-match") {
        Some(known) => known.precondition_passes(&tag),
        // RFC 9110 section 13.1.3: an invalid date is ignored.
        None => decoded::<IfModifiedSince>(fields, "if-modified-since")
            .is_none_or(|since| since.is_modified(modified)),
    };
    match modified {
        true => Precondition::Holds,
        false => Precondition::NotModified,
    }
}

/// Reports whether the ranges that a request asks for are those of this file, and not of an earlier one of which the client has a part.
pub fn ranges_apply(fields: &impl Fields, validators: &Validators) -> bool {
    if fields.named("if-range").next().is_none() {
        return true;
    }
    // RFC 9110 section 13.1.5: only a strong validator allows to combine parts. A date is none: a file can change twice in a second. A client
    // that has an entity tag, as all of ours have, must not send a date.
    const NO_DATE: Option<&LastModified> = None;
    decoded::<IfRange>(fields, "if-range")
        .is_some_and(|known| !known.is_modified(validators.etag().as_ref(), NO_DATE))
}

/// Reads a field. `None` if it is missing or malformed.
fn decoded<H: Header>(fields: &impl Fields, name: &'static str) -> Option<H> {
    let mut named = fields.named(name);
    let first = HeaderValue::from_bytes(named.next()?).ok()?;
    let rest = named.map_while(|value| HeaderValue::from_bytes(value).ok());
    let values: Vec<HeaderValue> = iter::once(first).chain(rest).collect();
    H::decode(&mut values.iter()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aralez_decision::Pairs;

    use super::Precondition::*;
    use super::*;

    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const TAG: &str = "\"2ebc9c71.7-a\"";
    const WEAK: &str = "W/\"2ebc9c71.7-a\"";

    fn validators() -> Validators {
        let modified = UNIX_EPOCH + Duration::new(784_111_777, 7);
        let found = Validators::of(10, modified, None, modified + Duration::from_secs(60));
        let tag = format!("\"{:x}.7-a\"", 784_111_777);
        assert_eq!(found.tag, tag);
        found
    }

    /// The tags above with the number that the time has.
    fn with_time(value: &str) -> String {
        value.replace("2ebc9c71", &format!("{:x}", 784_111_777))
    }

    #[test]
    fn preconditions_hold_as_the_standard_orders_them() {
        for (fields, expected) in [
            (&[][..], Holds),
            (&[("If-None-Match", TAG)], NotModified),
            (&[("If-None-Match", WEAK)], NotModified),
            (&[("If-None-Match", "*")], NotModified),
            (&[("If-None-Match", "\"a b\", \"x\"")], Holds),
            (&[("If-None-Match", "\"x,\"")], Holds),
            (&[("If-None-Match", "nonsense")], Holds),
            (
                &[("If-None-Match", "\"x\""), ("If-None-Match", TAG)],
                NotModified,
            ),
            (&[("If-Modified-Since", CHANGED)], NotModified),
            (&[("If-Modified-Since", BEFORE)], Holds),
            (&[("If-Modified-Since", "yesterday")], Holds),
            (
                &[("If-None-Match", "\"x\""), ("If-Modified-Since", CHANGED)],
                Holds,
            ),
            (&[("If-Match", TAG)], Holds),
            (&[("If-Match", "*")], Holds),
            (&[("If-Match", WEAK)], Failed),
            (&[("If-Match", "\"x\"")], Failed),
            (&[("If-Unmodified-Since", CHANGED)], Holds),
            (&[("If-Unmodified-Since", BEFORE)], Failed),
            (&[("If-Unmodified-Since", "yesterday")], Holds),
            (&[("If-Match", TAG), ("If-Unmodified-Since", BEFORE)], Holds),
            (&[("If-Match", "\"x\""), ("If-None-Match", TAG)], Failed),
        ] {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, with_time(value)))
                .collect();
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let found = evaluate(&Pairs(&fields), &validators());
            assert_eq!(found, expected, "{fields:?}");
        }
    }

    #[test]
    fn ranges_apply_to_the_same_file_only() {
        for (value, expected) in [
            (TAG, true),
            (WEAK, false),
            ("\"x\"", false),
            (CHANGED, false),
            ("nonsense", false),
        ] {
            let value = with_time(value);
            let fields = [("If-Range", value.as_str())];
            let found = ranges_apply(&Pairs(&fields), &validators());
            assert_eq!(found, expected, "{value}");
        }
        assert!(ranges_apply(&Pairs::default(), &validators()));
    }
}
