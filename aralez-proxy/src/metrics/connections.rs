//! Connection metrics, by state and by reason.

use std::fmt;

use super::page::Page;
use crate::core::traffic::Tally;

pub(super) fn show(page: &mut Page<'_>, tally: &Tally) -> fmt::Result {
    let counts = &tally.connections;
    let help = "Client connections, by state";
    let states = counts.by_state();
    page.gauges("aralez_client_connections", help, "state", states)?;
    let help = "Client connections refused, by exceeded limit; requests refused for lack of file descriptors count as descriptors";
    let name = "aralez_client_connections_refused";
    page.counters(name, help, "limit", counts.by_limit())?;
    let help = "Requests refused or rejected by the proxy, by reason";
    page.counters("aralez_refusals", help, "reason", counts.by_refusal())?;
    let help = "Endpoint responses that were not forwarded, or only in part, by reason";
    let bad = counts.by_bad_response();
    page.counters("aralez_bad_responses", help, "reason", bad)?;
    let help = "Expired deadlines, by kind";
    page.counters("aralez_deadline_closes", help, "kind", counts.by_deadline())
}
