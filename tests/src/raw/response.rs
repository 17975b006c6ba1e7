//! One answer, parsed strictly.

/// An answer as received.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in order, with names as sent.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

/// The framing of a body.
#[derive(Debug)]
pub(super) enum Length {
    Bytes(usize),
    Chunked,
    ToTheEnd,
}

impl Response {
    pub(super) fn of_head(head: &str) -> Result<Self, String> {
        let lines = head.strip_suffix("\r\n\r\n").ok_or("no end of head")?;
        let mut lines = lines.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| format!("not a status line: {first:?}"))?;
        let headers = lines.map(header).collect::<Result<_, _>>()?;
        Ok(Self {
            status,
            headers,
            body: Vec::new(),
        })
    }

    /// Returns the value of the first header called `name`, in any case. `None` if there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        let header = self.headers.iter().find(named);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the values of all headers called `name`, in any case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// Reports whether the server announced that it closes the connection.
    pub fn closes(&self) -> bool {
        self.headers("connection")
            .any(|value| value.eq_ignore_ascii_case("close"))
    }

    pub(super) fn length(&self) -> Result<Length, String> {
        let lengths: Vec<_> = self.headers("content-length").collect();
        let codings: Vec<_> = self.headers("transfer-encoding").collect();
        match (lengths.as_slice(), codings.as_slice()) {
            ([length], []) => {
                let count = length.parse();
                Ok(Length::Bytes(
                    count.map_err(|_| format!("not a length: {length:?}"))?,
                ))
            }
            ([], ["chunked"]) => Ok(Length::Chunked),
            ([], []) if self.closes() => Ok(Length::ToTheEnd),
            _ => Err(format!(
                "the body has no clear length: {lengths:?}, {codings:?}"
            )),
        }
    }
}

fn header(line: &str) -> Result<(String, String), String> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| format!("not a header: {line:?}"))?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("not a header's name: {name:?}"));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}
