//! A case about a request: what a client sends, what it gets, and what the endpoint may see of it.

use super::entry::{Entry, Item};
use super::text::Text;
use crate::recorder::Ending;

#[cfg(test)]
mod tests;

/// One case.
#[derive(Clone, Debug)]
pub struct RequestCase {
    /// Its short name.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Where it comes from.
    pub rule: String,
    /// `FILE:LINE`
    pub place: String,
    /// What the client does, in this order.
    pub steps: Vec<Step>,
    /// What becomes of the client's connection.
    pub then: Then,
    /// What the endpoint may see.
    pub seen: Seen,
    /// The follow-up comes only after the last answer: before, it would be part of a body.
    pub apart: bool,
}

/// One thing that the client does.
#[derive(Clone, Debug)]
pub enum Step {
    /// It sends bytes.
    Send(Text),
    /// It gets an answer.
    Get(Expected),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Its status.
    pub status: u16,
    /// A status that is as right.
    pub or: Option<u16>,
    /// It answers a HEAD.
    pub to_head: bool,
    /// Its body, where it is not the usual one.
    pub body: Option<Text>,
}

/// What becomes of a client's connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// The next request on it is served.
    Open,
    /// It is closed in good order, after `Connection: close`; nothing that was sent after it goes anywhere.
    Closed,
    /// As the last answer says: both are right.
    AsTold,
    /// It belongs to the endpoint, which echoes.
    Tunnel,
    /// It is closed in the middle of the answer.
    Truncated,
    /// It is reset in the middle of the answer.
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

/// What an endpoint may see.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Not a byte.
    Nothing,
    /// Nothing where the fault comes with the head; a request without its end where the fault comes later.
    Incomplete,
    /// These requests in this order.
    Requests(Vec<SeenRequest>),
}

/// One request as the endpoint sees it.
#[derive(Clone, Debug, Default)]
pub struct SeenRequest {
    /// The head and a body of known length.
    pub bytes: Text,
    /// The data of a body that comes in chunks.
    pub chunks: Option<Text>,
    /// The lines of its trailer section.
    pub trailers: Text,
    /// The endpoint may see less of the body.
    pub up_to: bool,
    /// What it answers once the head is there.
    pub early: Option<Text>,
    /// What it answers once the whole is there, in place of the usual answer.
    pub reply: Option<Text>,
    /// What it does then.
    pub ending: Ending,
}

impl RequestCase {
    /// Reads an entry.
    ///
    /// # Errors
    /// The place of what is not in order.
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
                "an end of its chunks"
            }
            _ => return Ok(()),
        };
        Err(format!("{}: {} lacks {missing}", self.place, self.id))
    }
}

/// Reads what an endpoint does after an answer.
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

/// `400`, or `400 or 501` where the rules leave it open.
fn statuses(text: &str) -> Option<(u16, Option<u16>)> {
    match text.split_once(" or ") {
        Some((status, or)) => Some((status.parse().ok()?, Some(or.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}
