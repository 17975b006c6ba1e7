//! Fields that are made for one message, as data and as the text of HTTP/1.
//!
//! They are few. What holds them belongs to the buffers of a thread and is used again, so that a policy which adds a field to every message
//! allocates nothing.

/// Fields in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldList {
    /// The fields as whole lines.
    text: Vec<u8>,
    sizes: Vec<Size>,
}

/// What a request gets on its way to an endpoint, and its response on its way to the client, beside what rules say for all messages of a
/// route. Written behind those.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Additions {
    /// To the request.
    pub request: FieldList,
    /// To the response, an endpoint's or the proxy's own.
    pub response: FieldList,
}

impl Additions {
    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.request.clear();
        self.response.clear();
    }
}

/// The lengths of a name and of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    name: u16,
    value: u32,
}

/// What stands between a name and its value, and behind the value.
const COLON: &[u8] = b": ";
const END: &[u8] = b"\r\n";

impl FieldList {
    /// Adds a field. `name` is a token. A byte of `value` that no field may hold becomes a space, so that nothing can be added that a reader
    /// would take for a line of its own.
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

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.text.clear();
        self.sizes.clear();
    }

    /// As whole lines of HTTP/1.
    pub fn lines(&self) -> &[u8] {
        &self.text
    }

    /// As names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        fields(&self.text, &self.sizes)
    }
}

/// Writes a field as a line.
pub(in crate::core) fn write(name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Size {
    out.extend_from_slice(name);
    out.extend_from_slice(COLON);
    out.extend_from_slice(value);
    out.extend_from_slice(END);
    // Names of more than 64 KiB and values of more than 4 GiB are in no configuration and in no message.
    Size {
        name: name.len() as u16,
        value: value.len() as u32,
    }
}

/// The fields of a text that was written line by line.
pub(in crate::core) fn fields<'a>(
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
