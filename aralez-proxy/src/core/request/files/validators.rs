//! Validators: what tells a client whether its copy of a file is still good.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use headers::ETag;

use super::encodings::Encoding;

/// How long the clock of a file system may stand still: two writes within it can leave the same time. Linux advances it with every timer
/// interrupt, 100 times a second or more.
const TICK: Duration = Duration::from_millis(20);

/// The same for a file system that stores whole seconds, or two of them.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// The last second that a date can show (RFC 9110 section 5.6.7 has no years beyond 9999).
const LAST_SECOND: u64 = 253_402_300_799;

/// The validators of one response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validators {
    /// The entity tag, as in the field.
    pub tag: String,
    /// The last change, in whole seconds since 1970.
    pub modified: u64,
}

impl Validators {
    /// Returns the validators of a file.
    ///
    /// The entity tag consists of the length, the time of the last change, and the encoding, so that copies of a file on several nodes have
    /// the same. A file that was changed a moment ago may be changed again without getting another time. Its tag therefore contains the time
    /// of the response too: it matches no other response, and the client gets the file again.
    pub fn of(
        length: u64,
        modified: SystemTime,
        encoding: Option<Encoding>,
        now: SystemTime,
    ) -> Self {
        let (since, before) = match modified.duration_since(UNIX_EPOCH) {
            Ok(since) => (since, ""),
            Err(earlier) => (earlier.duration(), "-"),
        };
        let mut tag = format!(
            "\"{before}{:x}.{:x}-{length:x}",
            since.as_secs(),
            since.subsec_nanos()
        );
        let tick = match since.subsec_nanos() {
            0 => COARSE_TICK,
            _ => TICK,
        };
        let apart = now.duration_since(modified);
        let apart = apart.unwrap_or_else(|later| later.duration());
        if apart < tick {
            let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
            tag += &format!("-{:x}", now.as_nanos());
        }
        if let Some(encoding) = encoding {
            tag.push_str(encoding.suffix());
        }
        tag.push('"');
        let seconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_secs().min(LAST_SECOND)
        };
        Self {
            tag,
            // RFC 9110 section 8.8.2.1: a `Last-Modified` is not later than the time of the response.
            modified: seconds(modified).min(seconds(now)),
        }
    }

    /// Returns the entity tag, for comparisons.
    pub fn etag(&self) -> Option<ETag> {
        self.tag.parse().ok()
    }

    /// Returns the time of the last change.
    pub fn modified_at(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.modified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanos: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, nanos)
    }

    fn tag(length: u64, modified: SystemTime, now: SystemTime) -> String {
        Validators::of(length, modified, None, now).tag
    }

    #[test]
    fn another_length_time_or_encoding_is_another_tag() {
        let now = at(1_000, 0);
        let first = Validators::of(10, at(16, 255), None, now);
        assert_eq!((first.tag.as_str(), first.modified), ("\"10.ff-a\"", 16));
        assert!(first.etag().is_some());
        let coded = Validators::of(10, at(16, 255), Some(Encoding::Gzip), now);
        assert_eq!(coded.tag, "\"10.ff-a.gz\"");
        assert!(coded.etag().is_some());
        assert_ne!(first.tag, tag(11, at(16, 255), now));
        assert_ne!(first.tag, tag(10, at(16, 256), now));
        assert_eq!(first.tag, tag(10, at(16, 255), at(2_000, 7)));
    }

    #[test]
    fn a_file_that_may_still_change_without_a_new_time_has_a_tag_that_matches_nothing() {
        let changed = at(1_000, 500_000_000);
        let ms = |ms| changed + Duration::from_millis(ms);
        assert_ne!(tag(10, changed, ms(1)), tag(10, changed, ms(2)));
        assert_eq!(tag(10, changed, ms(30)), tag(10, changed, ms(40)));
        let coarse = at(1_000, 0);
        let s = |s| coarse + Duration::from_secs(s);
        assert_ne!(tag(10, coarse, s(0)), tag(10, coarse, s(1)));
        assert_eq!(tag(10, coarse, s(2)), tag(10, coarse, s(3)));
    }

    #[test]
    fn times_that_no_date_can_show_are_still_sent() {
        let ahead = Validators::of(1, at(2_000, 1), None, at(1_000, 0));
        assert_eq!(ahead.modified, 1_000, "a clock that is ahead");
        let ancient = UNIX_EPOCH - Duration::from_secs(5);
        let ancient = Validators::of(1, ancient, None, at(1_000, 0));
        assert_eq!((ancient.tag.as_str(), ancient.modified), ("\"-5.0-1\"", 0));
    }
}
