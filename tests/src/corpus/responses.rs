//! Runs response cases, each in every variant of how its bytes arrive.

use super::lane::{self, Client, Lane};
use super::report::Failure;
use super::request::Then;
use super::requests::{Variant, own_body};
use super::response::{Message, ResponseCase};
use crate::pace::Pace;
use crate::recorder::{Exchange, Reply, Script};
use crate::wire::{End, Response, shown};

/// The target of the follow-up, sent after a case.
const NEXT: &str = "/follow-up";
/// The target requested before a case that needs a kept connection.
const BEFORE: &str = "/before";

/// Runs a case in all variants; stops at the first that fails.
pub async fn run(lane: &Lane, case: &ResponseCase, seed: u64) -> Result<(), Failure> {
    let reply = case.reply.as_ref().map(|reply| reply.bytes(&lane.host));
    for variant in Variant::all(reply.unwrap_or_default().len(), seed) {
        // In a response case the pace is the endpoint's. The follow-up is pipelined only if the answer is sent in one piece: surplus bytes
        // after the answer must arrive before the proxy receives the next request.
        let pipelined = variant.pipelined && variant.pace == Pace::Whole;
        if pipelined && !matches!(case.then, Then::Open | Then::AsTold) {
            continue;
        }
        let variant = Variant {
            pipelined,
            ..variant
        };
        if let Err(problem) = (Run {
            lane,
            case,
            variant,
        })
        .check()
        .await
        {
            return Err(Failure {
                id: case.id.clone(),
                title: case.title.clone(),
                place: case.place.clone(),
                rule: case.rule.clone(),
                variant: variant.name(),
                problems: vec![problem],
            });
        }
    }
    Ok(())
}

struct Run<'a> {
    lane: &'a Lane,
    case: &'a ResponseCase,
    variant: Variant,
}

impl Run<'_> {
    async fn check(&self) -> Result<(), String> {
        let recorder = &self.lane.recorder;
        recorder.begin([]);
        recorder.hang_up().await?;
        if self.case.kept {
            self.lane.ask(BEFORE).await?;
        }
        recorder.begin([self.script()]);
        let mut client = Client::open(self.lane).await?;
        let request = self.case.request.bytes(&self.lane.host);
        let mut bytes = request.clone();
        if self.variant.pipelined {
            bytes.extend(self.lane.get(NEXT));
        }
        client.send(bytes, Pace::Whole).await?;
        let last = self
            .messages(&mut client, request.starts_with(b"HEAD "))
            .await?;
        let open = self.end(&mut client, &last).await?;
        if self.case.early.is_none() {
            recorder.has_answered(0).await?;
        }
        self.follow(client, open).await?;
        match recorder.faults().as_slice() {
            [] => self.connections().await,
            faults => Err(faults.join("; ")),
        }
    }

    fn script(&self) -> Script {
        let bytes = |text: &super::Text| text.bytes(&self.lane.host);
        Script {
            early: self.case.early.as_ref().map(bytes).unwrap_or_default(),
            reply: self
                .case
                .reply
                .as_ref()
                .map_or(Reply::Nothing, |reply| Reply::Bytes(bytes(reply))),
            ending: self.case.ending,
            pace: self.variant.pace,
        }
    }

    /// Reads and checks every message of the client. Returns the last one.
    async fn messages(&self, client: &mut Client, to_head: bool) -> Result<Response, String> {
        let mut last = None;
        for (at, message) in self.case.client.iter().enumerate() {
            let answer = client.wire.response(to_head).await;
            let answer =
                answer.map_err(|problem| format!("the client's message {}: {problem}", at + 1))?;
            let instead = self.case.or_502 && answer.status == 502;
            match message {
                Message::Relayed {
                    head,
                    body,
                    trailers,
                } if !instead => {
                    let host = &self.lane.host;
                    is_relayed(
                        &answer,
                        &head.bytes(host),
                        &body.bytes(host),
                        &trailers.bytes(host),
                    )?;
                }
                Message::Own(status) => is_own(&answer, *status, to_head)?,
                Message::Relayed { .. } => {
                    is_own(&answer, 502, to_head)?;
                    return Ok(answer);
                }
            }
            last = Some(answer);
        }
        last.ok_or_else(|| "no message".to_owned())
    }

    /// Checks the state of the client's connection. Returns whether it is open.
    async fn end(&self, client: &mut Client, last: &Response) -> Result<bool, String> {
        let closes = last.closes();
        let then = match self.case.then {
            _ if self.case.or_502 && last.status == 502 && last.end == End::Whole => Then::AsTold,
            then => then,
        };
        let then = match then {
            Then::AsTold if closes => Then::Closed,
            Then::AsTold => Then::Open,
            then => then,
        };
        let got = shown(&last.body);
        match (then, last.end) {
            (Then::Open, End::Whole) if !closes => Ok(true),
            (Then::Closed, End::Whole) if closes => client.wire.end(false).await.map(|()| false),
            (Then::Truncated, End::Truncated) | (Then::Reset, End::Reset) => Ok(false),
            (Then::Tunnel, End::Whole) => {
                client.send(b"ping".to_vec(), Pace::Whole).await?;
                let echo = client.wire.bytes(4).await?;
                if echo == b"ping" {
                    Ok(false)
                } else {
                    Err(format!("the tunnel returned {}", shown(&echo)))
                }
            }
            (Then::Open | Then::Closed, End::Whole) => Err(format!(
                "want the connection {then:?}; the answer announces its close: {closes}"
            )),
            (_, end) => Err(format!("want {then:?}, got {end:?} after {got}")),
        }
    }

    /// Sends the follow-up, on the same connection if it is open, and checks the answer.
    async fn follow(&self, mut client: Client, open: bool) -> Result<(), String> {
        if !open {
            drop(client);
            return self.lane.ask(NEXT).await;
        }
        if !self.variant.pipelined {
            client.send(self.lane.get(NEXT), Pace::Whole).await?;
        }
        let answer = client.wire.response(false).await;
        let usual = answer.and_then(|answer| lane::is_usual(&answer, NEXT));
        usual.map_err(|problem| format!("the follow-up: {problem}"))
    }

    /// Checks on which connections the endpoint received the case and the follow-up.
    async fn connections(&self) -> Result<(), String> {
        let exchanges = self.lane.recorder.exchanges();
        let got = || {
            exchanges
                .iter()
                .map(|exchange| shown(&exchange.bytes))
                .collect::<Vec<_>>()
                .join("\n    ")
        };
        let (tries, next): (&[Exchange], _) = match exchanges.split_last() {
            Some((next, tries)) if tries.len() == self.case.tries => (tries, next),
            _ => {
                return Err(format!(
                    "want {} requests and a follow-up, the endpoint got\n    {}",
                    self.case.tries,
                    got()
                ));
            }
        };
        self.lane.is_get(next, NEXT)?;
        let Some(last) = tries.last() else {
            return Ok(());
        };
        match (self.case.reused, next.connection == last.connection) {
            (true, false) => {
                Err("the endpoint's connection is not used for the follow-up".to_owned())
            }
            (false, true) => Err("the endpoint's connection is used for the follow-up".to_owned()),
            (true, true) => Ok(()),
            (false, false) => self.lane.recorder.ends(last.connection).await,
        }
    }
}

/// Checks that an answer is the one that the proxy generates for `status`.
fn is_own(answer: &Response, status: u16, to_head: bool) -> Result<(), String> {
    let body = if to_head {
        Vec::new()
    } else {
        own_body(status)
    };
    if answer.status == status && answer.body == body && answer.end == End::Whole {
        return Ok(());
    }
    Err(format!(
        "got {:?} {}, want {status} {}",
        answer.line,
        shown(&answer.body),
        shown(&body)
    ))
}

/// Checks that an answer is the endpoint's, relayed as it must be.
fn is_relayed(answer: &Response, head: &[u8], body: &[u8], trailers: &[u8]) -> Result<(), String> {
    let want = Response::read_head(head)?;
    let dated = want.headers("date").next().is_some();
    let fields = |answer: &Response| {
        let fields = answer
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        fields
            .filter(|(name, _)| dated || name != "date")
            .collect::<Vec<_>>()
    };
    if answer.line != want.line || fields(answer) != fields(&want) {
        let got = (&answer.line, fields(answer));
        return Err(format!(
            "the client got\n    {got:?}\n  instead of\n    {:?}",
            (&want.line, fields(&want))
        ));
    }
    let cut = answer.end != End::Whole;
    let right = if cut {
        body.starts_with(&answer.body)
    } else {
        body == answer.body
    };
    if !right {
        return Err(format!(
            "the client got the body {}, want {}",
            shown(&answer.body),
            shown(body)
        ));
    }
    if answer.trailers != trailers {
        return Err(format!(
            "the client got the trailers {}, want {}",
            shown(&answer.trailers),
            shown(trailers)
        ));
    }
    Ok(())
}
