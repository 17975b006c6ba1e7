//! Judges what the endpoint saw of a case, of its follow-up, and of the client after it.

use super::super::lane::Lane;
use super::super::request::{RequestCase, Seen, Step};
use super::super::seen::differs;
use super::{NEXT, OTHER};
use crate::recorder::Exchange;
use crate::wire::shown;

pub(super) struct Judge<'a> {
    pub(super) lane: &'a Lane,
    pub(super) case: &'a RequestCase,
    /// The bytes came in pieces.
    pub(super) cut: bool,
    /// The follow-up was served.
    pub(super) next: bool,
}

impl Judge<'_> {
    /// What is not as it must be. Where the client's side is not `clean`, only what the endpoint must never see.
    pub(super) fn problems(&self, clean: bool) -> Vec<String> {
        let mut exchanges = self.lane.recorder.exchanges();
        let mut problems = Vec::new();
        let other = exchanges
            .iter()
            .rposition(|exchange| self.lane.is_get(exchange, OTHER).is_ok());
        if let Some(at) = other {
            exchanges.remove(at);
        }
        if self.next {
            let last = exchanges.pop();
            let served = last
                .as_ref()
                .ok_or_else(|| "the endpoint never saw the follow-up".to_owned());
            problems.extend(served.and_then(|last| self.lane.is_get(last, NEXT)).err());
        }
        match &self.case.seen {
            Seen::Requests(wanted) if clean => {
                let pairs = exchanges.iter().zip(wanted);
                problems.extend(
                    pairs.filter_map(|(got, wanted)| differs(got, wanted, &self.lane.host)),
                );
                if let Some(missing) = wanted.get(exchanges.len()) {
                    let bytes = missing.bytes.bytes(&self.lane.host);
                    problems.push(format!("the endpoint never got {}", shown(&bytes)));
                }
                problems.extend(exchanges.iter().skip(wanted.len()).map(never));
            }
            Seen::Requests(wanted) => {
                problems.extend(exchanges.iter().skip(wanted.len()).map(never));
            }
            Seen::Incomplete if self.may_have_begun() => {
                problems.extend(exchanges.iter().skip(1).map(never));
                problems.extend(
                    exchanges
                        .iter()
                        .take(1)
                        .filter(|exchange| exchange.whole)
                        .map(never),
                );
            }
            Seen::Incomplete | Seen::Nothing => problems.extend(exchanges.iter().map(never)),
        }
        problems
    }

    /// Whether a head may be on its way before the fault in its body has come.
    fn may_have_begun(&self) -> bool {
        let sends = self
            .case
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Send(_)));
        self.cut || sends.count() > 1
    }
}

fn never(exchange: &Exchange) -> String {
    format!("the endpoint must not get\n    {}", shown(&exchange.bytes))
}
