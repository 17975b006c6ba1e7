//! Runs request cases, each in every variant of how its bytes arrive.

mod seen;

use super::lane::{self, Client, Lane};
use super::report::Failure;
use super::request::{Expected, RequestCase, Seen, SeenRequest, Step, Then};
use crate::pace::Pace;
use crate::recorder::{Reply, Script};
use crate::wire::{End, Response, shown};

/// Length in bytes up to which a case is also sent byte by byte.
const LONGEST_BY_BYTES: usize = 700;

/// The target of the follow-up, sent after a case on the same connection.
const NEXT: &str = "/follow-up";
/// The target that a new client requests after a case.
const OTHER: &str = "/other-client";

/// How the bytes of a case arrive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    pub(super) pace: Pace,
    /// The follow-up is part of the last write.
    pub(super) pipelined: bool,
}

impl Variant {
    pub(super) fn all(length: usize, seed: u64) -> Vec<Self> {
        let of = |pace, pipelined| Self { pace, pipelined };
        let mut all = vec![
            of(Pace::Whole, true),
            of(Pace::Whole, false),
            of(Pace::Cut(seed), true),
        ];
        if length <= LONGEST_BY_BYTES {
            all.push(of(Pace::Bytes, true));
        }
        all
    }

    pub(super) fn name(self) -> String {
        let pace = match self.pace {
            Pace::Whole => "at once".to_owned(),
            Pace::Bytes => "byte by byte".to_owned(),
            Pace::Cut(seed) => format!("cut at random (CORPUS_SEED={seed})"),
        };
        let next = if self.pipelined {
            "together with"
        } else {
            "before"
        };
        format!("{pace}, {next} the follow-up")
    }
}

/// Runs a case in all variants; stops at the first that fails.
pub async fn run(lane: &Lane, case: &RequestCase, seed: u64) -> Result<(), Failure> {
    let length = case.sent(&lane.host).iter().map(Vec::len).sum();
    for variant in Variant::all(length, seed) {
        if case.apart && variant.pipelined && variant.pace == Pace::Whole {
            continue;
        }
        let problems = Run {
            lane,
            case,
            variant,
        }
        .problems()
        .await;
        if !problems.is_empty() {
            return Err(Failure {
                id: case.id.clone(),
                title: case.title.clone(),
                place: case.place.clone(),
                rule: case.rule.clone(),
                variant: variant.name(),
                problems,
            });
        }
    }
    Ok(())
}

struct Run<'a> {
    lane: &'a Lane,
    case: &'a RequestCase,
    variant: Variant,
}

impl Run<'_> {
    async fn problems(&self) -> Vec<String> {
        self.lane.recorder.begin(self.case.scripts(&self.lane.host));
        let mut problems = Vec::new();
        let next = match self.play().await {
            Ok(next) => next,
            Err(problem) => {
                problems.push(problem);
                false
            }
        };
        problems.extend(self.lane.recorder.faults());
        // Once another client has been served, no request of the case can still be in flight to the endpoint.
        if let Err(problem) = self.lane.ask(OTHER).await {
            problems.push(problem);
        }
        let judge = seen::Judge {
            lane: self.lane,
            case: self.case,
            cut: self.variant.pace != Pace::Whole,
            next,
        };
        problems.extend(judge.problems(problems.is_empty()));
        problems
    }

    /// Performs the steps of the case. Returns whether the follow-up was served.
    async fn play(&self) -> Result<bool, String> {
        let mut client = Client::open(self.lane).await?;
        let pipelined = self.variant.pipelined && !self.case.apart;
        let last = self
            .case
            .steps
            .iter()
            .rposition(|step| matches!(step, Step::Send(_)));
        let mut answers: Vec<Response> = Vec::new();
        for (at, step) in self.case.steps.iter().enumerate() {
            match step {
                Step::Send(text) => {
                    let mut bytes = text.bytes(&self.lane.host);
                    if pipelined && Some(at) == last {
                        bytes.extend(self.lane.get(NEXT));
                    }
                    client.send(bytes, self.variant.pace).await?;
                }
                Step::Get(expected) => {
                    let answer = client.wire.response(expected.to_head).await;
                    let answer =
                        answer.map_err(|problem| format!("want {}: {problem}", expected.status))?;
                    let finals = answers.iter().filter(|answer| answer.status >= 200).count();
                    self.check(&answer, expected, finals)?;
                    answers.push(answer);
                }
            }
        }
        let then = self.then(answers.last())?;
        // After `Connection: close` the client sends the follow-up only once it has seen the close. A case with `apart` was answered before
        // its body was complete: that client keeps sending, here the bytes of the follow-up.
        if !pipelined && (then != Then::Closed || self.case.apart) {
            client.send(self.lane.get(NEXT), Pace::Whole).await?;
        }
        let next = self.end(&mut client, then).await?;
        if !pipelined && then == Then::Closed {
            client.send(self.lane.get(NEXT), Pace::Whole).await?;
            client.sent().await?;
        }
        Ok(next)
    }

    /// Resolves the expected state of the connection with the `Connection` field of the last answer.
    fn then(&self, last: Option<&Response>) -> Result<Then, String> {
        let closes = last.is_none_or(Response::closes);
        match (self.case.then, closes) {
            (Then::AsTold | Then::Closed, true) => Ok(Then::Closed),
            (Then::AsTold | Then::Open, false) => Ok(Then::Open),
            (Then::Closed, false) => Err("the answer lacks Connection: close".to_owned()),
            (Then::Open, true) => Err("the answer has Connection: close".to_owned()),
            (Then::Tunnel, _) => Ok(Then::Tunnel),
            (other, _) => Err(format!(
                "`then: {other:?}` is not allowed in a request case"
            )),
        }
    }

    /// Checks the state of the connection. Returns whether the follow-up was served.
    async fn end(&self, client: &mut Client, then: Then) -> Result<bool, String> {
        match then {
            Then::Closed => {
                let end = client.wire.end(self.variant.pace != Pace::Whole).await;
                end.map(|()| false)
                    .map_err(|problem| format!("want the end: {problem}"))
            }
            Then::Tunnel => {
                let sent = self.lane.get(NEXT);
                let echo = client.wire.bytes(sent.len()).await;
                let echo = echo.map_err(|problem| format!("the tunnel: {problem}"))?;
                if echo == sent {
                    Ok(false)
                } else {
                    Err(format!("the tunnel returned {}", shown(&echo)))
                }
            }
            _ => {
                let answer = client.wire.response(false).await;
                let usual = answer.and_then(|answer| lane::is_usual(&answer, NEXT));
                usual
                    .map(|()| true)
                    .map_err(|problem| format!("the follow-up: {problem}"))
            }
        }
    }

    /// Checks an answer against the case; `number` is how many final answers preceded it.
    fn check(&self, answer: &Response, expected: &Expected, number: usize) -> Result<(), String> {
        if answer.status != expected.status && Some(answer.status) != expected.or {
            return Err(format!(
                "got {:?} {}, want {}",
                answer.line,
                shown(&answer.body),
                expected.status
            ));
        }
        if answer.end != End::Whole {
            return Err(format!(
                "{:?} is cut short: {}",
                answer.line,
                shown(&answer.body)
            ));
        }
        let Some(want) = self.body(answer.status, expected, number) else {
            return Ok(());
        };
        if answer.body != want {
            return Err(format!(
                "{:?} carries {}, want {}",
                answer.line,
                shown(&answer.body),
                shown(&want)
            ));
        }
        Ok(())
    }

    /// Returns the body that an answer of that status must have; `None` if the case leaves it open.
    fn body(&self, status: u16, expected: &Expected, number: usize) -> Option<Vec<u8>> {
        if let Some(body) = &expected.body {
            return Some(body.bytes(&self.lane.host));
        }
        if expected.to_head || matches!(status, 100..200 | 204) {
            return Some(Vec::new());
        }
        let seen = match &self.case.seen {
            Seen::Requests(requests) => requests.get(number),
            Seen::Nothing | Seen::Incomplete => None,
        };
        match seen {
            Some(SeenRequest {
                reply: None,
                early: None,
                bytes,
                ..
            }) => {
                let bytes = bytes.bytes(&self.lane.host);
                let line = bytes
                    .split(|byte| *byte == b'\r')
                    .next()
                    .unwrap_or_default();
                Some(line.strip_suffix(b" HTTP/1.1").unwrap_or(line).to_vec())
            }
            Some(_) => None,
            None => Some(own_body(status)),
        }
    }
}

/// Returns the body of an answer that the proxy generates itself.
pub(super) fn own_body(status: u16) -> Vec<u8> {
    let reason = match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        508 => "Loop Detected",
        _ => "?",
    };
    format!("{status} {reason}\n").into_bytes()
}

impl RequestCase {
    /// Returns the bytes of every write of the client.
    fn sent(&self, host: &str) -> Vec<Vec<u8>> {
        let sent = self.steps.iter().filter_map(|step| match step {
            Step::Send(text) => Some(text.bytes(host)),
            Step::Get(_) => None,
        });
        sent.collect()
    }

    fn scripts(&self, host: &str) -> Vec<Script> {
        let requests = match &self.seen {
            Seen::Requests(requests) => requests.as_slice(),
            Seen::Nothing | Seen::Incomplete => &[],
        };
        let scripts = requests.iter().map(|request| Script {
            early: request
                .early
                .as_ref()
                .map(|early| early.bytes(host))
                .unwrap_or_default(),
            reply: request
                .reply
                .as_ref()
                .map_or(Reply::Usual, |reply| Reply::Bytes(reply.bytes(host))),
            ending: request.ending,
            pace: Pace::Whole,
        });
        scripts.collect()
    }
}
