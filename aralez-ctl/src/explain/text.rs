//! An explanation as text for people.

use std::fmt::Write as _;

use super::Explanation;
use super::outcome::{Edits, Field, Page, PoolShown, Treatment};
use super::policies::PolicyVerdict;
use crate::configuration::{DocumentsOrigin, Place, Setting, Written};

/// Width of the column of names.
const NAMES: usize = 11;

/// Renders an explanation.
pub(super) fn rendered(explanation: &Explanation) -> String {
    let mut page = Lines::default();
    request(explanation, &mut page);
    page.line(
        "documents",
        &documents(&explanation.documents, &explanation.group),
    );
    let host = explanation.host.as_ref().map(|host| {
        format!(
            "{} ({}){}",
            host.host,
            host.matched,
            at(host.place.as_ref())
        )
    });
    page.line("host", host.as_deref().unwrap_or("none matches"));
    route(explanation, &mut page);
    for (index, one) in explanation.policies.iter().enumerate() {
        policy(one, if index == 0 { "policies" } else { "" }, &mut page);
    }
    outcome(&explanation.outcome, &mut page);
    for (index, note) in explanation.assumed.iter().enumerate() {
        page.line(if index == 0 { "assumed" } else { "" }, note);
    }
    page.0
}

/// Lines of a name and a text.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{}", format!("{name:NAMES$}{text}").trim_end());
    }
}

fn request(explanation: &Explanation, page: &mut Lines) {
    let request = &explanation.request;
    let host = request.host.as_deref().unwrap_or_default();
    let proxy = request.trusted_proxy.as_ref();
    let proxy = proxy.map(|proxy| format!(" through the trusted proxy {proxy}"));
    let text = format!(
        "{} {}://{host}{} from {}{}",
        request.method,
        request.scheme,
        request.target,
        request.client,
        proxy.unwrap_or_default()
    );
    page.line("request", &text);
}

fn documents(origin: &DocumentsOrigin, group: &str) -> String {
    let text = match origin {
        DocumentsOrigin::Files { files } => files.join(", "),
        DocumentsOrigin::Control { revision, .. } => {
            format!("revision {revision} of control, the newest")
        }
        DocumentsOrigin::Node {
            node,
            revision,
            head,
            ..
        } => {
            let newest = match revision == head {
                true => "the newest".to_owned(),
                false => format!("the newest is {head}"),
            };
            format!("revision {revision}, which {node} runs ({newest})")
        }
    };
    match group {
        "default" => text,
        group => format!("{text}, as nodes of group {group} see them"),
    }
}

fn route(explanation: &Explanation, page: &mut Lines) {
    let Some(route) = &explanation.route else {
        return page.line("route", "none matches");
    };
    let number = match route.of {
        1 => String::new(),
        of => format!(", route {} of {of}", route.number),
    };
    let place = at(route.place.as_ref());
    page.line(
        "route",
        &format!("{}{number}: {}{place}", route.path, route.action),
    );
    for condition in &route.conditions {
        page.line("", &format!("  if {condition}"));
    }
}

fn policy(policy: &PolicyVerdict, name: &str, page: &mut Lines) {
    let verdict = match (policy.verdict, policy.status) {
        ("pass", _) => "passes".to_owned(),
        ("answer", Some(status)) => format!("answers {status}"),
        ("refuse", Some(status)) => format!("refuses with {status}"),
        (other, _) => other.to_owned(),
    };
    let reason = match policy.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    page.line(name, &format!("{} {verdict}{reason}", policy.policy));
    for setting in &policy.settings {
        page.line("", &format!("  {}", of_setting(setting)));
    }
}

fn of_setting(setting: &Setting) -> String {
    let place = setting.written.as_ref().map(of_written);
    format!(
        "{}: {}{}",
        setting.key,
        setting.value,
        place.unwrap_or_default()
    )
}

fn of_written(written: &Written) -> String {
    format!("  [{} {}]", written.scope, written.place)
}

fn at(place: Option<&Place>) -> String {
    place
        .map(|place| format!("  [{place}]"))
        .unwrap_or_default()
}

fn outcome(outcome: &Treatment, page: &mut Lines) {
    match outcome {
        Treatment::Forward {
            pools: all,
            endpoint_sees,
            response,
        } => {
            pools(all, page);
            let host = endpoint_sees.host.as_deref().unwrap_or("none");
            page.line("endpoint", &format!("sees {}", endpoint_sees.path));
            page.line("", &format!("  host: {host}"));
            for setting in &endpoint_sees.settings {
                page.line("", &format!("  by {}", of_setting(setting)));
            }
            edits(&endpoint_sees.edits, page);
            changed_response(response, page);
        }
        Treatment::Serve {
            folder,
            file,
            response,
        } => {
            page.line("file", &format!("{file} in {folder} of the node"));
            changed_response(response, page);
        }
        Treatment::Answer {
            status,
            words,
            fields,
            body,
            page: error_page,
            response,
            ..
        } => {
            let words = words.as_ref().map(|words| format!(": {words}"));
            page.line("answer", &format!("{status}{}", words.unwrap_or_default()));
            for field in fields {
                page.line("", &format!("  {}", of_field(field)));
            }
            edits(response, page);
            if let Some(body) = body {
                page.line("", &format!("  body: {body:?}"));
            }
            if let Some(error_page) = error_page {
                page.line("", &format!("  {}", of_page(error_page)));
            }
        }
    }
}

fn changed_response(response: &Edits, page: &mut Lines) {
    if has_edits(response) {
        page.line("response", "is changed");
        edits(response, page);
    }
}

fn pools(pools: &[PoolShown], page: &mut Lines) {
    for (index, pool) in pools.iter().enumerate() {
        let share = pool.weight.map(|weight| format!(", weight {weight}"));
        let text = format!("to pool {}{}", pool.pool, share.unwrap_or_default());
        page.line(if index == 0 { "forward" } else { "" }, &text);
        for endpoint in &pool.endpoints {
            let (address, weight) = (&endpoint.address, endpoint.weight);
            let origin = match endpoint.origin {
                "document" => "documented",
                _ => "found by a source",
            };
            page.line("", &format!("  {address}, weight {weight}, {origin}"));
        }
        if pool.endpoints.is_empty() {
            page.line("", "  no endpoint");
        }
    }
}

const fn has_edits(edits: &Edits) -> bool {
    !edits.set.is_empty() || !edits.removed.is_empty()
}

fn edits(edits: &Edits, page: &mut Lines) {
    // The host is on a line of its own.
    let set = edits.set.iter().filter(|field| field.name != "host");
    for field in set {
        page.line("", &format!("  {}", of_field(field)));
    }
    for name in &edits.removed {
        page.line("", &format!("  removed: {name}"));
    }
    if has_edits(edits) && !edits.written.is_empty() {
        let written: Vec<String> = edits.written.iter().map(of_written).collect();
        page.line("", &format!("  set at{}", written.join(",")));
    }
}

fn of_field(field: &Field) -> String {
    format!("{}: {}", field.name, field.value)
}

fn of_page(page: &Page) -> String {
    let written = page.setting.written.as_ref().map(of_written);
    let (key, media_type, bytes) = (&page.setting.key, &page.media_type, page.bytes);
    format!(
        "{key}: {bytes} bytes of {media_type}{}",
        written.unwrap_or_default()
    )
}
