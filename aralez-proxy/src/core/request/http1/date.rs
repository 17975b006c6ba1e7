//! The `Date` field of a message, as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Length of a date, in bytes.
const LENGTH: usize = 29;

/// The date of one second (RFC 9110 section 5.6.7), made once for all messages of that second.
#[derive(Clone, Copy, Debug)]
pub struct DateText {
    text: [u8; LENGTH],
}

impl DateText {
    /// Formats the date at `second` seconds after 1970.
    pub fn at(second: u64) -> Self {
        let mut text = [b' '; LENGTH];
        // The format has no years beyond 9999.
        let second = second.min(253_402_300_799);
        let time: SystemTime = UNIX_EPOCH + Duration::from_secs(second);
        // RFC 9110 section 5.6.7: a generated date has the fixed-length format in GMT.
        let written = httpdate::HttpDate::from(time).to_string();
        text.copy_from_slice(&written.as_bytes()[..LENGTH]);
        Self { text }
    }

    /// Returns the field value.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_text_of_29_bytes() {
        let date = DateText::at(784_111_777);
        assert_eq!(date.as_bytes(), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            DateText::at(u64::MAX).as_bytes(),
            b"Fri, 31 Dec 9999 23:59:59 GMT"
        );
    }
}
