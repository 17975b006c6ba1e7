//! Bytes in readable form: visible ASCII, escapes, and macros for text that repeats or differs by lane.

#[cfg(test)]
mod tests;

/// Bytes that depend only on the host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Bytes(Vec<u8>),
    /// `{host}`
    Host,
    /// `{HOST}`
    UpperHost,
    /// `{forwarded}`, or `{forwarded HOST}` if `Host` contains more than a name; `{forwarded-old}` for a request in HTTP/1.0.
    Forwarded(Option<Text>, &'static str),
    /// `{repeat COUNT TEXT}`
    Repeat(usize, Text),
}

/// The pseudonym of the proxy under test.
pub const PSEUDONYM: &str = "aralez-00000000c0ff1ee5";
/// The lines that the endpoint gets with an upgrade.
const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\n";
/// The lines that the endpoint gets if the client accepts trailers.
const TRAILERS_WANTED: &str = "connection: te\r\nte: trailers\r\n";
/// The line that frames a chunked body.
const CHUNKED: &str = "transfer-encoding: chunked\r\n";

impl Text {
    /// Parses the text.
    ///
    /// # Errors
    /// The reason, if the text is invalid.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut rest = text.chars();
        let read = parts(&mut rest, false)?;
        Ok(read)
    }

    /// Appends another text.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns the bytes for a host.
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in &self.0 {
            match part {
                Part::Bytes(part) => bytes.extend(part),
                Part::Host => bytes.extend(host.bytes()),
                Part::UpperHost => bytes.extend(host.to_ascii_uppercase().bytes()),
                Part::Forwarded(named, version) => {
                    bytes.extend(b"x-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: ");
                    match named {
                        Some(named) => bytes.extend(named.bytes(host)),
                        None => bytes.extend(host.bytes()),
                    }
                    let passed =
                        format!("\r\nvia: {version} {PSEUDONYM}\r\ncdn-loop: {PSEUDONYM}\r\n");
                    bytes.extend(passed.bytes());
                }
                Part::Repeat(count, part) => bytes.extend(part.bytes(host).repeat(*count)),
            }
        }
        bytes
    }
}

/// Parses up to the end of the text, or up to the `}` that closes a macro.
fn parts(rest: &mut std::str::Chars<'_>, inside: bool) -> Result<Text, String> {
    let mut read = Vec::new();
    let mut bytes = Vec::new();
    loop {
        match rest.next() {
            None if inside => return Err("a macro is not closed by }".to_owned()),
            None => break,
            Some('}') if inside => break,
            Some('}') => return Err("a } has no {; write \\}".to_owned()),
            Some('\\') => bytes.push(escape(rest)?),
            Some('{') => {
                read.push(Part::Bytes(std::mem::take(&mut bytes)));
                read.push(expansion(rest)?);
            }
            Some(visible @ ' '..='~') => bytes.push(visible as u8),
            Some(other) => {
                return Err(format!(
                    "{other:?} is not visible ASCII; write it as an escape"
                ));
            }
        }
    }
    read.push(Part::Bytes(bytes));
    read.retain(|part| !matches!(part, Part::Bytes(bytes) if bytes.is_empty()));
    Ok(Text(read))
}

fn escape(rest: &mut std::str::Chars<'_>) -> Result<u8, String> {
    Ok(match rest.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('s') => b' ',
        Some(same @ ('\\' | '{' | '}')) => same as u8,
        Some('x') => {
            let digits: String = rest.take(2).collect();
            let value = u8::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| digits.len() == 2);
            value.ok_or_else(|| format!("\\x{digits} is not \\x and two hexadecimal digits"))?
        }
        other => {
            return Err(format!(
                "\\ is not followed by r n t s \\ {{ }} x, but by {other:?}"
            ));
        }
    })
}

/// Parses a macro, from after its `{`.
fn expansion(rest: &mut std::str::Chars<'_>) -> Result<Part, String> {
    let (name, more) = word(rest)?;
    let bytes = |text: &str| Ok(Part::Bytes(text.as_bytes().to_vec()));
    match (name.as_str(), more) {
        ("host", false) => Ok(Part::Host),
        ("HOST", false) => Ok(Part::UpperHost),
        ("upgrade", false) => bytes(UPGRADE),
        ("te", false) => bytes(TRAILERS_WANTED),
        ("chunked", false) => bytes(CHUNKED),
        ("forwarded", false) => Ok(Part::Forwarded(None, "1.1")),
        ("forwarded-old", false) => Ok(Part::Forwarded(None, "1.0")),
        ("forwarded", true) => Ok(Part::Forwarded(Some(parts(rest, true)?), "1.1")),
        ("repeat", true) => {
            let (count, more) = word(rest)?;
            let number = count.parse();
            let number = number.map_err(|_| format!("{count:?} is not a count"))?;
            let text = if more {
                parts(rest, true)?
            } else {
                Text::default()
            };
            Ok(Part::Repeat(number, text))
        }
        _ => Err(format!("{{{name} is not a macro")),
    }
}

/// Reads a word. Returns it, and whether more of the macro follows.
fn word(rest: &mut std::str::Chars<'_>) -> Result<(String, bool), String> {
    let mut word = String::new();
    loop {
        match rest.next() {
            Some(' ') => return Ok((word, true)),
            Some('}') => return Ok((word, false)),
            Some(letter @ ('a'..='z' | 'A'..='Z' | '0'..='9' | '-')) => word.push(letter),
            _ => {
                return Err(format!(
                    "{{{word} is followed by neither a space nor }}; write \\{{ for a plain brace"
                ));
            }
        }
    }
}
