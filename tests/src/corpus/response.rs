//! A response case: the bytes that an endpoint sends, the messages that the client must get, and whether the endpoint's connection is
//! reused.

use super::entry::{Entry, Item};
use super::request::{Then, ending};
use super::text::Text;
use crate::recorder::Ending;

#[cfg(test)]
mod tests;

/// The client's request if the case has none.
const USUAL: &str = "GET /case HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n";

/// One case.
#[derive(Clone, Debug)]
pub struct ResponseCase {
    /// The unique short name.
    pub id: String,
    /// One line about the case.
    pub title: String,
    /// The rule under test, such as a section of an RFC.
    pub rule: String,
    /// `FILE:LINE`
    pub place: String,
    /// The client's request.
    pub request: Text,
    /// The endpoint's connection has already served a request.
    pub kept: bool,
    /// The endpoint's answer once it has the head of the request.
    pub early: Option<Text>,
    /// The endpoint's answer once it has the whole request; `None` for no answer.
    pub reply: Option<Text>,
    /// The endpoint's action after the answer.
    pub ending: Ending,
    /// Number of times that the endpoint receives the request.
    pub tries: usize,
    /// The messages that the client must get, in order.
    pub client: Vec<Message>,
    /// A 502 in place of a truncated answer is equally correct.
    pub or_502: bool,
    /// The expected state of the client's connection.
    pub then: Then,
    /// The endpoint's connection serves the next request.
    pub reused: bool,
}

/// One message that a client must get.
#[derive(Clone, Debug)]
pub enum Message {
    /// An answer that the proxy generates itself.
    Own(u16),
    /// An answer from the endpoint.
    Relayed {
        /// The head.
        head: Text,
        /// The body without framing.
        body: Text,
        /// The lines of the trailer section.
        trailers: Text,
    },
}

impl ResponseCase {
    /// Parses an entry.
    ///
    /// # Errors
    /// The place and reason of the first error.
    pub fn of(entry: &Entry) -> Result<Self, String> {
        let mut case = Self {
            id: entry.id.clone(),
            title: entry.title.clone(),
            rule: String::new(),
            place: entry.place.clone(),
            request: Text::read(USUAL)?,
            kept: false,
            early: None,
            reply: None,
            ending: Ending::Open,
            tries: 1,
            client: Vec::new(),
            or_502: false,
            then: Then::Open,
            reused: false,
        };
        let mut told = (false, false);
        for item in &entry.items {
            told.0 |= item.key == "reply";
            told.1 |= item.key == "reused";
            case.take(item)?;
        }
        let missing = match told {
            _ if case.rule.is_empty() => "a rule",
            _ if case.client.is_empty() => "what the client gets",
            (false, _) => "what the endpoint sends",
            (_, false) => "whether the connection is reused",
            _ => return Ok(case),
        };
        Err(format!("{}: {} lacks {missing}", case.place, case.id))
    }

    fn take(&mut self, item: &Item) -> Result<(), String> {
        match (item.key.as_str(), item.value.as_str()) {
            ("rule", _) => item.word()?.clone_into(&mut self.rule),
            ("request", _) => self.request = item.bytes()?,
            ("kept", "yes") => self.kept = true,
            ("early", _) => self.early = Some(item.bytes()?),
            ("reply", "nothing") => self.reply = None,
            ("reply", _) => self.reply = Some(item.bytes()?),
            ("ends", _) => self.ending = ending(item)?,
            ("client", "") => self.client.push(Message::Relayed {
                head: item.bytes()?,
                body: Text::default(),
                trailers: Text::default(),
            }),
            ("client", status) => {
                let status = status.parse().map_err(|_| item.wrong())?;
                self.client.push(Message::Own(status));
                self.then = Then::AsTold;
            }
            ("times", count) => {
                let last = self.client.last().cloned().ok_or_else(|| item.wrong())?;
                let count: usize = count.parse().map_err(|_| item.wrong())?;
                self.client
                    .extend(std::iter::repeat_n(last, count.saturating_sub(1)));
            }
            ("body" | "trailers", _) => self.take_part(item)?,
            ("tries", count) => self.tries = count.parse().map_err(|_| item.wrong())?,
            ("or", "502") => self.or_502 = true,
            ("then", _) => self.then = Then::read(item)?,
            ("reused", "yes") => self.reused = true,
            ("reused", "no") => self.reused = false,
            _ => return Err(item.wrong()),
        }
        Ok(())
    }

    fn take_part(&mut self, item: &Item) -> Result<(), String> {
        let Some(Message::Relayed { body, trailers, .. }) = self.client.last_mut() else {
            return Err(item.wrong());
        };
        if item.key == "body" {
            *body = item.bytes()?;
        } else {
            *trailers = item.bytes()?;
        }
        Ok(())
    }
}
