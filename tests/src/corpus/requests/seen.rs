//! Checks the requests that the endpoint received: those of the case, its follow-up, and the one of the client after it.

use super::super::lane::Lane;
use super::super::request::{RequestCase, Seen, Step};
use super::super::seen::differs;
use super::{NEXT, OTHER};
use crate::recorder::Exchange;
use crate::wire::shown;

pub(super) struct Judge<'a> {
    pub(super) lane: &'a Lane,
    pub(super) case: &'a RequestCase,
    /// The bytes arrived in pieces.
    pub(super) cut: bool,
    /// The follow-up was served.
    pub(super) next: bool,
}

impl Judge<'_> {
    /// Returns the differences. If the client's side is not `clean`, checks only for requests that the endpoint must never receive.
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

    /// Reports whether the proxy may have forwarded the head before it received the fault in the body.
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
