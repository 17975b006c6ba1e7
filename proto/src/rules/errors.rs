//! `errors`: contents that the proxy sends with the error responses that it generates itself, per status.
//!
//! A document names a file of the configuration folder; the content travels to the nodes. Each status is inherited on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::model::RelativePath;
use crate::reading::{FromYaml, NamedFile, Reader, shown};
use crate::rules::Rule;
use crate::wire::resource as wire;
use crate::yaml::{Entry, Node, Value};

/// Feature of `errors`. A proxy without it would send a body of its own.
const ERROR_PAGES: u32 = 5;

/// Maximum size of one content, in bytes: it is part of a record, and every node keeps it in memory.
const MAX_CONTENT: usize = 64 << 10;
/// The statuses that may have a content: those of errors.
const STATUSES: std::ops::RangeInclusive<u16> = 400..=599;
/// Maximum length of a media type, in bytes.
const MAX_MEDIA_TYPE: usize = 128;

/// The contents that one scope sets, by status. `None` if it sets none, never an empty map. Cheap to clone: routes share what they inherit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Errors(Option<Arc<BTreeMap<u16, ErrorPage>>>);

/// The content of an error response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorPage {
    /// The value of its Content-Type: visible ASCII characters and spaces.
    pub media_type: Box<str>,
    /// The content, at most 64 KiB.
    pub content: Bytes,
}

impl Errors {
    /// Returns the content of error responses with this status; `None` if none is set.
    pub fn get(&self, status: u16) -> Option<&ErrorPage> {
        self.0.as_ref()?.get(&status)
    }

    fn iter(&self) -> impl Iterator<Item = (&u16, &ErrorPage)> {
        self.0.iter().flat_map(|pages| pages.iter())
    }
}

impl FromIterator<(u16, ErrorPage)> for Errors {
    fn from_iter<I: IntoIterator<Item = (u16, ErrorPage)>>(pages: I) -> Self {
        let pages: BTreeMap<u16, ErrorPage> = pages.into_iter().collect();
        Self((!pages.is_empty()).then(|| Arc::new(pages)))
    }
}

impl FromYaml for Errors {
    const EXPECTED: &'static str = "a map of statuses and files, such as {404: files/404.html}";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Mapping(entries) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        let pages: Vec<Option<(u16, ErrorPage)>> = entries
            .map(|entry| reader.under(entry.key, |reader| page(entry, reader)))
            .collect();
        // One faulty entry makes the whole map faulty.
        pages.into_iter().collect()
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "patternProperties": { "^[45][0-9]{2}$": NamedFile::schema() },
            "additionalProperties": false,
        })
    }

    fn asks(&self) -> bool {
        self.0.is_some()
    }
}

fn page<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<(u16, ErrorPage)> {
    reader.placed(entry.value.at());
    let status = status(entry.key);
    if status.is_none() {
        let reason = format!(
            "expected a status from 400 to 599, such as 404, found `{}`",
            shown(entry.key)
        );
        reader.fault(entry.at, reason);
    }
    let file = NamedFile::read(entry.value, reader)?;
    if file.content.len() > MAX_CONTENT {
        let reason = format!(
            "the file `{}` has {} bytes; the maximum for an error page is 64 KiB",
            shown(file.path.as_str()),
            file.content.len()
        );
        reader.fault(entry.value.at(), reason);
        return None;
    }
    let page = ErrorPage {
        media_type: media_type(&file.path, &file.content).into(),
        content: file.content,
    };
    Some((status?, page))
}

fn status(key: &str) -> Option<u16> {
    let digits = key.len() == 3 && key.bytes().all(|byte| byte.is_ascii_digit());
    let status = key.parse().ok().filter(|_| digits);
    status.filter(|status| STATUSES.contains(status))
}

/// Returns the media type that the extension of a file stands for. Text is declared to be UTF-8 if it is, since browsers otherwise assume another
/// encoding.
fn media_type(path: &RelativePath, content: &[u8]) -> &'static str {
    let extension = path
        .as_str()
        .rsplit_once('.')
        .map(|(_, extension)| extension);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let utf_8 = std::str::from_utf8(content).is_ok();
    match (extension.as_str(), utf_8) {
        ("html" | "htm", true) => "text/html; charset=utf-8",
        ("html" | "htm", false) => "text/html",
        ("txt", true) => "text/plain; charset=utf-8",
        ("txt", false) => "text/plain",
        ("json", _) => "application/json",
        ("xml", _) => "application/xml",
        ("svg", _) => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

impl Rule for Errors {
    type Keys = Self;
    type Wire = wire::ErrorPages;
    const FEATURES: &'static [u32] = &[ERROR_PAGES];

    fn lower(keys: Self) -> Self {
        keys
    }

    /// Each status is inherited on its own.
    fn narrowed_by(&self, narrower: &Self) -> Self {
        match (&self.0, &narrower.0) {
            (_, None) => self.clone(),
            (None, _) => narrower.clone(),
            (Some(_), Some(_)) => {
                let pages = self.iter().chain(narrower.iter());
                pages
                    .map(|(status, page)| (*status, page.clone()))
                    .collect()
            }
        }
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[ERROR_PAGES])
    }

    fn encode(&self) -> Option<wire::ErrorPages> {
        let page = |(status, page): (&u16, &ErrorPage)| wire::ErrorPage {
            status: u32::from(*status),
            media_type: page.media_type.to_string(),
            content: page.content.clone(),
        };
        self.0.is_some().then(|| wire::ErrorPages {
            pages: self.iter().map(page).collect(),
        })
    }

    /// Pages that are not valid are reported and left out.
    fn decode(wire: wire::ErrorPages, wrong: &mut dyn FnMut(String)) -> Self {
        let mut pages = BTreeMap::new();
        for page in wire.pages {
            let code = page.status;
            match received(page) {
                Ok((status, page)) => {
                    if pages.insert(status, page).is_some() {
                        wrong(format!("has two pages for the status {code}"));
                    }
                }
                Err(reason) => wrong(format!("the page for the status {code} {reason}")),
            }
        }
        pages.into_iter().collect()
    }
}

fn received(page: wire::ErrorPage) -> Result<(u16, ErrorPage), &'static str> {
    let status = u16::try_from(page.status).ok();
    let status = status.filter(|status| STATUSES.contains(status));
    let status = status.ok_or("is not one of an error")?;
    // Other characters could end the field, or are read differently by different recipients.
    let plain = page
        .media_type
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~'));
    let trimmed = page.media_type.trim_ascii() == page.media_type;
    let length = (1..=MAX_MEDIA_TYPE).contains(&page.media_type.len());
    if !plain || !trimmed || !length {
        return Err("has no media type that can be sent");
    }
    if page.content.len() > MAX_CONTENT {
        return Err("has more than 64 KiB");
    }
    let page = ErrorPage {
        media_type: page.media_type.into(),
        content: page.content,
    };
    Ok((status, page))
}

#[cfg(test)]
mod tests;
