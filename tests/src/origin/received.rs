//! One request as an origin received it.

use tokio::io::AsyncRead;

use crate::byte_reader::ByteReader;

/// A request: the head byte for byte, the body without its framing.
#[derive(Clone, Debug)]
pub struct Received {
    /// Number of the connection that it arrived on, from 1.
    pub connection: u64,
    /// The head as received, including its empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// Returns the method.
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// Returns the target as received.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns the values of all headers called `name`, in any case.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// Returns the value of the only header called `name`. `None` if there is none or more than one.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.headers(name).as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}

/// Reads the next request. `None` if the connection was closed or the framing is broken.
pub(super) async fn read(
    reader: &mut ByteReader<impl AsyncRead + Unpin>,
    connection: u64,
) -> Option<Received> {
    let head = reader.head().await.ok()?;
    let mut request = Received {
        connection,
        head: String::from_utf8_lossy(&head).into_owned(),
        body: Vec::new(),
    };
    if request.header("transfer-encoding") == Some("chunked") {
        request.body = chunks(reader).await?;
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().ok()?;
        reader.exact(length, &mut request.body).await.ok()?;
    }
    Some(request)
}

async fn chunks(reader: &mut ByteReader<impl AsyncRead + Unpin>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = reader.until(b"\r\n").await.ok()?;
        let digits = std::str::from_utf8(&line).ok()?.trim_end();
        let size = usize::from_str_radix(digits, 16).ok()?;
        reader.exact(size, &mut body).await.ok()?;
        reader.exact(2, &mut Vec::new()).await.ok()?;
        if size == 0 {
            return Some(body);
        }
    }
}
