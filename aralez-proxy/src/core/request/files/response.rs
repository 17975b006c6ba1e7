//! The response with a file: its status, its fields, and the parts of its content.

use std::ops::Range;

use aralez_decision::Fields;
use aralez_decision::additions::FieldList;
use aralez_decision::answer::{Answer, Content};
use bytes::Bytes;

use super::conditions::{self, Precondition};
use super::encodings::Encoding;
use super::ranges::{self, WantedRanges};
use super::validators::Validators;
use crate::core::request::http1::date::DateText;

#[cfg(test)]
mod tests;

/// The metadata of a file to send.
#[derive(Clone, Debug)]
pub struct Representation {
    /// Its length, in bytes.
    pub length: u64,
    /// Its validators.
    pub validators: Validators,
    /// The value of `Content-Type`.
    pub media_type: String,
    /// Its encoding, if it was compressed in advance.
    pub encoding: Option<Encoding>,
    /// Other clients may get the file in another encoding.
    pub varies: bool,
}

/// A part of the content of a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContentPart {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A range of the file.
    File(Range<u64>),
}

/// A response, and the parts of its content in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileResponse {
    /// The response.
    pub answer: Answer,
    /// The parts, as long as the response announces. Empty if it has no content.
    pub parts: Vec<ContentPart>,
}

impl Representation {
    /// Returns the response to a GET or, if `head`, a HEAD with these fields. `boundary` is called if there are several ranges: it returns a
    /// text that does not occur in the file.
    pub fn respond(
        &self,
        fields: &impl Fields,
        head: bool,
        boundary: impl FnOnce() -> String,
    ) -> FileResponse {
        match conditions::evaluate(fields, &self.validators) {
            Precondition::Holds => {}
            // RFC 9110 section 15.4.5: a 304 has the fields that the 200 would have, as far as caches need them, and no content.
            Precondition::NotModified => {
                return self.without_content(304, Content::Bytes(Bytes::new()));
            }
            Precondition::Failed => return self.without_content(412, Content::Status),
        }
        // RFC 9110 section 14.2: `Range` is defined for GET only, and ignored where `If-Range` does not hold.
        let wanted = match !head && conditions::ranges_apply(fields, &self.validators) {
            true => ranges::wanted(fields, self.length),
            false => WantedRanges::Whole,
        };
        match wanted {
            WantedRanges::Whole => self.whole(),
            WantedRanges::Ranges(ranges) if ranges.len() > 1 => self.several(ranges, &boundary()),
            WantedRanges::Ranges(ranges) => self.one(ranges.into_iter().next().unwrap_or_default()),
            WantedRanges::Nothing => {
                let mut response = self.without_content(416, Content::Status);
                // RFC 9110 section 15.5.17: a 416 tells the length of the file.
                let range = format!("bytes */{}", self.length);
                response
                    .answer
                    .fields
                    .add("content-range", range.as_bytes());
                response
            }
        }
    }

    fn whole(&self) -> FileResponse {
        let mut fields = self.fields();
        self.describe(&mut fields);
        with(200, fields, vec![ContentPart::File(0..self.length)])
    }

    fn one(&self, range: Range<u64>) -> FileResponse {
        let mut fields = self.fields();
        self.describe(&mut fields);
        // RFC 9110 section 15.3.7.1: a 206 with one part has a `Content-Range`.
        fields.add("content-range", self.place(&range).as_bytes());
        with(206, fields, vec![ContentPart::File(range)])
    }

    fn several(&self, ranges: Vec<Range<u64>>, boundary: &str) -> FileResponse {
        let mut fields = self.fields();
        // RFC 9110 section 15.3.7.2: a 206 with several parts is `multipart/byteranges` and has no `Content-Range` itself.
        let media_type = format!("multipart/byteranges; boundary={boundary}");
        fields.add("content-type", media_type.as_bytes());
        self.add_encoding(&mut fields);
        let mut parts = Vec::with_capacity(2 * ranges.len() + 1);
        for range in ranges {
            let head = format!(
                "\r\n--{boundary}\r\ncontent-type: {}\r\ncontent-range: {}\r\n\r\n",
                self.media_type,
                self.place(&range)
            );
            parts.push(ContentPart::Bytes(head.into_bytes()));
            parts.push(ContentPart::File(range));
        }
        parts.push(ContentPart::Bytes(
            format!("\r\n--{boundary}--\r\n").into_bytes(),
        ));
        with(206, fields, parts)
    }

    /// Returns the value of `Content-Range` for a range.
    fn place(&self, range: &Range<u64>) -> String {
        let last = range.end.saturating_sub(1);
        format!("bytes {}-{last}/{}", range.start, self.length)
    }

    fn without_content(&self, status: u16, content: Content) -> FileResponse {
        FileResponse {
            answer: Answer {
                status,
                fields: self.fields(),
                content,
            },
            parts: Vec::new(),
        }
    }

    /// Returns the fields of every response about the file.
    fn fields(&self) -> FieldList {
        let mut fields = FieldList::default();
        fields.add("etag", self.validators.tag.as_bytes());
        let modified = DateText::at(self.validators.modified);
        fields.add("last-modified", modified.as_bytes());
        fields.add("accept-ranges", b"bytes");
        if self.varies {
            // RFC 9110 section 12.5.5: `Vary` lists the fields that influenced the choice of a representation.
            fields.add("vary", b"accept-encoding");
        }
        fields
    }

    fn describe(&self, fields: &mut FieldList) {
        fields.add("content-type", self.media_type.as_bytes());
        self.add_encoding(fields);
    }

    fn add_encoding(&self, fields: &mut FieldList) {
        if let Some(encoding) = self.encoding {
            fields.add("content-encoding", encoding.token().as_bytes());
        }
    }
}

fn with(status: u16, fields: FieldList, parts: Vec<ContentPart>) -> FileResponse {
    let length = parts.iter().map(|part| match part {
        ContentPart::Bytes(bytes) => bytes.len() as u64,
        ContentPart::File(range) => range.end - range.start,
    });
    let content = Content::Streamed {
        length: Some(length.sum()),
    };
    FileResponse {
        answer: Answer {
            status,
            fields,
            content,
        },
        parts,
    }
}
