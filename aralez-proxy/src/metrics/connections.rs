//! Connection metrics, by state and by reason.

use std::fmt;

use super::page::Page;
use crate::core::traffic::Tally;

pub(super) fn show(page: &mut Page<'_>, tally: &Tally) -> fmt::Result {
    let counts = &tally.connections;
    let help = "Connections of clients, by what they do now";
    let states = counts.by_state();
    page.gauges("aralez_client_connections", help, "state", states)?;
    let help = "Connections of clients that were turned away, by the limit that they were over; requests that were, by descriptors";
    let name = "aralez_client_connections_refused";
    page.counters(name, help, "limit", counts.by_limit())?;
    let help = "Requests that were refused at the gate, by reason";
    page.counters("aralez_refusals", help, "reason", counts.by_refusal())?;
    let help = "Responses that were not passed on, or not to their end, by reason";
    let bad = counts.by_bad_response();
    page.counters("aralez_bad_responses", help, "reason", bad)?;
    let help = "What a deadline ended, by deadline";
    page.counters("aralez_deadline_closes", help, "kind", counts.by_deadline())
}
