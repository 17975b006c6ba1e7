//! A request case: the bytes that a client sends, the answers that it must get, and the bytes that the endpoint may receive.

use super::entry::{Entry, Item};
use super::text::Text;
use crate::recorder::Ending;

#[cfg(test)]
mod tests;

/// One case.
#[derive(Clone, Debug)]
pub struct RequestCase {
    /// The unique short name.
    pub id: String,
    /// One line about the case.
    pub title: String,
    /// The rule under test, such as a section of an RFC.
    pub rule: String,
    /// `FILE:LINE`
    pub place: String,
    /// The client's actions, in order.
    pub steps: Vec<Step>,
    /// The expected state of the client's connection.
    pub then: Then,
    /// The bytes that the endpoint may receive.
    pub seen: Seen,
    /// The follow-up must not be sent before the last answer: earlier, it would be part of a body.
    pub apart: bool,
}

/// One action of the client.
#[derive(Clone, Debug)]
pub enum Step {
    /// The client sends bytes.
    Send(Text),
    /// The client reads an answer.
    Get(Expected),
}

/// An expected answer.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The status.
    pub status: u16,
    /// An alternative status that is equally correct.
    pub or: Option<u16>,
    /// The answer is to a HEAD.
    pub to_head: bool,
    /// The body, if it is not the usual one.
    pub body: Option<Text>,
}

/// The expected state of a client's connection after the last answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Open: the follow-up is served.
    Open,
    /// Closed gracefully after `Connection: close`; the proxy forwards nothing that was sent later.
    Closed,
    /// Open or closed, as the last answer announces: both are correct.
    AsTold,
    /// A tunnel to the endpoint, which echoes.
    Tunnel,
    /// Closed in the middle of the answer.
    Truncated,
    /// Reset in the middle of the answer.
    Reset,
}

impl Then {
    pub(super) fn read(item: &Item) -> Result<Self, String> {
        Ok(match item.word()? {
            "open" => Self::Open,
            "closed" => Self::Closed,
            "as told" => Self::AsTold,
            "tunnel" => Self::Tunnel,
            "truncated" => Self::Truncated,
            "reset" => Self::Reset,
            _ => return Err(item.wrong()),
        })
    }
}

/// The bytes that an endpoint may receive.
#[derive(Clone, Debug)]
pub enum Seen {
    /// No byte.
    Nothing,
    /// Nothing if the fault arrives together with the head; an incomplete request if it arrives later.
    Incomplete,
    /// These requests, in this order.
    Requests(Vec<SeenRequest>),
}

/// One request as the endpoint receives it.
#[derive(Clone, Debug, Default)]
pub struct SeenRequest {
    /// The head, and the body if its length is known.
    pub bytes: Text,
    /// The data of a chunked body.
    pub chunks: Option<Text>,
    /// The lines of the trailer section.
    pub trailers: Text,
    /// The endpoint may receive less of the body.
    pub up_to: bool,
    /// The endpoint's answer once it has the head.
    pub early: Option<Text>,
    /// The endpoint's answer once it has the whole request; `None` for the usual answer.
    pub reply: Option<Text>,
    /// The endpoint's action after the answer.
    pub ending: Ending,
}

impl RequestCase {
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
            steps: Vec::new(),
            then: Then::Open,
            seen: Seen::Requests(Vec::new()),
            apart: false,
        };
        for item in &entry.items {
            case.take(item)?;
        }
        case.check()?;
        Ok(case)
    }

    fn take(&mut self, item: &Item) -> Result<(), String> {
        match item.key.as_str() {
            "rule" => item.word()?.clone_into(&mut self.rule),
            "send" => self.steps.push(Step::Send(item.bytes()?)),
            "answer" => self.steps.push(Step::Get(answer(item)?)),
            "then" => self.then = Then::read(item)?,
            "refused" => self.refuse(item)?,
            "follow-up" if item.word()? == "apart" => self.apart = true,
            _ => self.take_endpoint(item)?,
        }
        Ok(())
    }

    fn refuse(&mut self, item: &Item) -> Result<(), String> {
        let value = item.word()?;
        let (status, seen) = match value.strip_suffix(" in the body") {
            Some(status) => (status, Seen::Incomplete),
            None => (value, Seen::Nothing),
        };
        let (status, or) = statuses(status).ok_or_else(|| item.wrong())?;
        self.steps.push(Step::Get(Expected {
            status,
            or,
            to_head: false,
            body: None,
        }));
        self.then = Then::Closed;
        self.seen = seen;
        Ok(())
    }

    fn take_endpoint(&mut self, item: &Item) -> Result<(), String> {
        match (item.key.as_str(), item.value.as_str()) {
            ("endpoint", "nothing") => {
                self.seen = Seen::Nothing;
                return item.word().map(drop);
            }
            ("endpoint" | "endpoint up to", _) => {
                let request = SeenRequest {
                    bytes: item.bytes()?,
                    up_to: item.key != "endpoint",
                    ..SeenRequest::default()
                };
                match &mut self.seen {
                    Seen::Requests(requests) => requests.push(request),
                    Seen::Nothing | Seen::Incomplete => return Err(item.wrong()),
                }
                return Ok(());
            }
            _ => {}
        }
        let Seen::Requests(requests) = &mut self.seen else {
            return Err(item.wrong());
        };
        let request = requests.last_mut().ok_or_else(|| item.wrong())?;
        match item.key.as_str() {
            "chunks" if item.value == "empty" => request.chunks = Some(Text::default()),
            "chunks" => request.chunks = Some(item.bytes()?),
            "trailers" => request.trailers = item.bytes()?,
            "early" => request.early = Some(item.bytes()?),
            "reply" => request.reply = Some(item.bytes()?),
            "ends" => request.ending = ending(item)?,
            _ => return Err(item.wrong()),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let sends = self.steps.iter().any(|step| matches!(step, Step::Send(_)));
        let missing = match &self.seen {
            _ if self.rule.is_empty() => "a rule",
            _ if !sends => "something to send",
            Seen::Requests(requests) if requests.is_empty() => "what the endpoint sees",
            Seen::Requests(requests)
                if requests
                    .iter()
                    .any(|request| request.chunks.is_some() && request.up_to) =>
            {
                "`endpoint`: `chunks` cannot follow `endpoint up to`"
            }
            _ => return Ok(()),
        };
        Err(format!("{}: {} lacks {missing}", self.place, self.id))
    }
}

/// Parses the value of `ends`: the endpoint's action after an answer.
pub(super) fn ending(item: &Item) -> Result<Ending, String> {
    Ok(match item.word()? {
        "open" => Ending::Open,
        "close" => Ending::Close,
        "reset" => Ending::Reset,
        _ => return Err(item.wrong()),
    })
}

fn answer(item: &Item) -> Result<Expected, String> {
    let (status, to_head) = match item.value.strip_suffix(" to HEAD") {
        Some(status) => (status, true),
        None => (item.value.as_str(), false),
    };
    let (status, or) = statuses(status).ok_or_else(|| item.wrong())?;
    Ok(Expected {
        status,
        or,
        to_head,
        body: item.block.clone(),
    })
}

/// Parses `400`, or `400 or 501` if the rules permit both.
fn statuses(text: &str) -> Option<(u16, Option<u16>)> {
    match text.split_once(" or ") {
        Some((status, or)) => Some((status.parse().ok()?, Some(or.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}
