//! Header fields that are added to a single message, as data and as the text of HTTP/1.
//!
//! They are few, and their storage is part of a thread's reused buffers, so a policy that adds a field to every message does not allocate.

/// A list of header fields, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldList {
    /// The fields as whole lines.
    text: Vec<u8>,
    sizes: Vec<Size>,
}

/// Fields added to one request and to its response, in addition to what the rules of the route add to every message. They are written after
/// those.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Additions {
    /// Fields added to the request.
    pub request: FieldList,
    /// Fields added to the response, whether from an endpoint or from the proxy.
    pub response: FieldList,
    /// The claims of the verified token that the route shows, by name. They are sent only as a part of other fields.
    pub claims: FieldList,
}

impl Additions {
    /// Removes all fields.
    #[inline]
    pub fn clear(&mut self) {
        self.request.clear();
        self.response.clear();
        self.claims.clear();
    }
}

/// The lengths of a field's name and value, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    name: u16,
    value: u32,
}

/// The separator between name and value, and the line end.
const COLON: &[u8] = b": ";
const END: &[u8] = b"\r\n";

impl FieldList {
    /// Adds a field. `name` must be a token. Control bytes in `value` other than tab become spaces, so that a value cannot start a line.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        let start = self.text.len();
        self.sizes
            .push(write(name.as_bytes(), value, &mut self.text));
        let value = start + name.len() + COLON.len();
        for byte in &mut self.text[value..] {
            if byte.is_ascii_control() && *byte != b'\t' {
                *byte = b' ';
            }
        }
        self.text.truncate(self.text.len() - END.len());
        self.text.extend_from_slice(END);
    }

    /// Adds all fields to another list.
    pub fn add_to(&self, other: &mut Self) {
        other.text.extend_from_slice(&self.text);
        other.sizes.extend_from_slice(&self.sizes);
    }

    /// Removes all fields.
    #[inline]
    pub fn clear(&mut self) {
        self.text.clear();
        self.sizes.clear();
    }

    /// Returns the fields as whole HTTP/1 lines.
    #[inline]
    pub fn lines(&self) -> &[u8] {
        &self.text
    }

    /// Returns the fields as names and values.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        fields(&self.text, &self.sizes)
    }
}

/// Appends a field to `out` as a line.
pub fn write(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Size {
    out.extend_from_slice(name);
    out.extend_from_slice(COLON);
    out.extend_from_slice(value);
    out.extend_from_slice(END);
    // Names longer than 64 KiB and values longer than 4 GiB occur in no configuration and no message.
    Size {
        name: name.len() as u16,
        value: value.len() as u32,
    }
}

/// Returns the fields of a text that [`write`] produced, one per entry of `sizes`.
pub(crate) fn fields<'a>(
    text: &'a [u8],
    sizes: &'a [Size],
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let mut rest = text;
    sizes.iter().map_while(move |size| {
        let (name, after) = rest.split_at_checked(size.name as usize)?;
        let (value, after) = after
            .get(COLON.len()..)?
            .split_at_checked(size.value as usize)?;
        rest = after.get(END.len()..)?;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_data_and_lines_at_once() {
        let mut list = FieldList::default();
        list.add("a", b"1");
        list.add("b", b"");
        list.add("a", b"x: y");
        assert_eq!(list.lines(), b"a: 1\r\nb: \r\na: x: y\r\n");
        let fields: Vec<(&[u8], &[u8])> = list.fields().collect();
        assert_eq!(
            fields,
            [(&b"a"[..], &b"1"[..]), (b"b", b""), (b"a", b"x: y")]
        );
        list.clear();
        assert_eq!((list.lines(), list.fields().count()), (&b""[..], 0));
    }

    #[test]
    fn no_value_can_bring_a_line_of_its_own() {
        let mut list = FieldList::default();
        list.add("location", b"a\r\nset-cookie: b\0\tc");
        assert_eq!(list.lines(), b"location: a  set-cookie: b \tc\r\n");
        assert_eq!(list.fields().count(), 1);
    }
}
