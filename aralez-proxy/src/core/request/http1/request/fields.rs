//! The fields of a request head, as the decision sees them.

use crate::core::request::http1::field::Field;
use crate::core::request::http1::request::RequestHead;
use aralez_decision::Fields;
use aralez_decision::fields::FieldName;

/// The fields of a head, with the bytes that they refer to.
#[derive(Clone, Copy, Debug)]
pub struct HeadFields<'a> {
    head: &'a RequestHead,
    bytes: &'a [u8],
}

impl<'a> HeadFields<'a> {
    /// Makes the view of a head that was read from `bytes`.
    pub const fn new(head: &'a RequestHead, bytes: &'a [u8]) -> Self {
        Self { head, bytes }
    }

    /// Iterates over the fields with this meaning, in order.
    fn meaning(&self, name: FieldName) -> impl DoubleEndedIterator<Item = &Field> {
        let fields = if self.head.seen.has(name) {
            self.head.fields()
        } else {
            &[]
        };
        fields.iter().filter(move |field| field.name == name)
    }
}

impl Fields for HeadFields<'_> {
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.head.fields().iter();
        fields.map(|field| (field.key(self.bytes), field.value(self.bytes)))
    }

    fn named(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &[u8]> {
        let fields = self.meaning(FieldName::of(name.as_bytes()));
        let named = fields.filter(move |field| {
            let key = field.key(self.bytes);
            key.eq_ignore_ascii_case(name.as_bytes())
        });
        named.map(|field| field.value(self.bytes))
    }

    fn values(&self, name: FieldName) -> impl Iterator<Item = &[u8]> {
        self.meaning(name).map(|field| field.value(self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::limits::HeadLimits;

    #[test]
    fn fields_are_seen_as_they_came_also_those_that_do_not_go_on() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nX:  1 \r\ncdn-loop: b\r\nCDN-Loop: c\r\n\r\n";
        let mut head = RequestHead::default();
        head.read(bytes, &HeadLimits::default()).unwrap().unwrap();
        let fields = HeadFields::new(&head, bytes);
        let all: Vec<(&[u8], &[u8])> = fields.all().collect();
        assert_eq!(all.len(), 5);
        assert_eq!(all[2], (&b"X"[..], &b"1"[..]));
        let loops: Vec<_> = fields.values(FieldName::CdnLoop).collect();
        assert_eq!(loops, [b"b", b"c"]);
        assert_eq!(fields.values(FieldName::Via).count(), 0);
        let named: Vec<_> = fields.named("cdn-loop").rev().collect();
        assert_eq!(named, [b"c", b"b"]);
        assert_eq!(fields.named("cdn_loop").count(), 0);
    }
}
