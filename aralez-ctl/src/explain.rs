//! `explain`: what a proxy does with a request, decided by the code of the proxy, without sending it.

use aralez_decision::Request;
use aralez_decision::client::ClientFacts;
use aralez_decision::decide::Decision;
use aralez_decision::table::CompiledRoute;
use aralez_proto::main_config;
use serde::Serialize;

use crate::args::{Explain, Global};
use crate::configuration::{Configuration, DocumentsOrigin, Scopes};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::validate::read_document;

mod asked;
pub(crate) mod found;
mod masking;
mod outcome;
mod policies;
#[cfg(test)]
mod tests;
mod text;
mod tracing;

use asked::AskedRequest;
use found::{HostFound, RouteFound};
use outcome::{Describing, Treatment};
use policies::PolicyVerdict;
use tracing::Traced;

/// The explanation of a request.
#[derive(Serialize, Debug)]
struct Explanation {
    version: u32,
    request: RequestShown,
    documents: DocumentsOrigin,
    /// The group whose hosts are regarded.
    group: String,
    host: Option<HostFound>,
    route: Option<RouteFound>,
    /// In their order.
    policies: Vec<PolicyVerdict>,
    outcome: Treatment,
    /// Assumptions about what is unknown to this command.
    assumed: Vec<String>,
}

/// A request. Its fields are not shown.
#[derive(Serialize, Debug)]
struct RequestShown {
    method: String,
    /// The scheme that the client used.
    scheme: &'static str,
    host: Option<String>,
    target: String,
    /// The client: the other end of the connection, or the one that a trusted proxy names.
    client: String,
    /// The trusted proxy at the other end of the connection.
    trusted_proxy: Option<String>,
}

/// Runs the verb.
pub(crate) async fn run(global: &Global, asked: &Explain) -> Result<(), Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, reason);
    let request = AskedRequest::read(asked).map_err(usage)?;
    let port = tls_port(asked)?;
    let configuration = Configuration::load(global, &asked.documents).await?;
    let explanation = explained(&configuration, &request, asked, port);
    let value = serde_json::to_value(&explanation);
    let value = value.map_err(|error| Failure::refused(format!("cannot serialize: {error}")))?;
    output::print(global.output, &value, &text::rendered(&explanation))
}

/// Returns the port of HTTPS in the main.yaml of the arguments.
fn tls_port(asked: &Explain) -> Result<Option<u16>, Failure> {
    let Some(file) = &asked.main else {
        return Ok(None);
    };
    let text = read_document(file).map_err(Failure::refused)?;
    let config = main_config::read(&file.display().to_string(), &text);
    let config = config.map_err(|faults| Failure::refused(faults.to_string()))?;
    Ok(config.tls_port())
}

fn explained(
    configuration: &Configuration,
    request: &AskedRequest,
    asked: &Explain,
    tls_port: Option<u16>,
) -> Explanation {
    let sent = request.view();
    let client = ClientFacts::of(configuration.table.trusted_proxies(), &sent);
    let request = sent.of(client.client);
    let traced = tracing::traced(&configuration.table, &request, tls_port);
    let route = route_of(&traced);
    let authored = route.and_then(|route| found::authored(configuration, route));
    let scopes = Scopes::new(configuration, authored);
    let policies = route.map_or(&[][..], |route| &route.rules.policies);
    let notes = policies::assumed(policies, &traced.steps, tls_port);
    let describing = Describing {
        configuration,
        request: &request,
        additions: &traced.additions,
        scopes,
    };
    let host = traced.steps.host.as_ref();
    Explanation {
        version: 1,
        request: RequestShown {
            trusted_proxy: client.proxy.map(|proxy| proxy.address.to_string()),
            ..shown(&request)
        },
        documents: configuration.origin.clone(),
        group: configuration.group.to_string(),
        host: host.map(|host| found::host(configuration, host)),
        route: authored.and_then(|authored| found::route(configuration, authored)),
        outcome: describing.outcome(&traced.decision),
        policies: policies::verdicts(policies, &traced.steps, &request, &scopes),
        assumed: assumed(configuration, &request, asked, notes),
    }
}

fn route_of<'a>(traced: &Traced<'a>) -> Option<&'a CompiledRoute> {
    match &traced.decision {
        Decision::Forward(forward) => Some(forward.route),
        Decision::Serve(serve) => Some(serve.route),
        Decision::Answer { route, .. } | Decision::Reject { route, .. } => {
            route.map(|route| &**route)
        }
        Decision::Ask { .. } => None,
    }
}

fn shown<F>(request: &Request<'_, F>) -> RequestShown {
    RequestShown {
        method: request.method.to_owned(),
        scheme: request.scheme.as_str(),
        host: request.host.map(str::to_owned),
        target: masking::target(request.target),
        client: request.client.to_string(),
        trusted_proxy: None,
    }
}

/// Returns what is not known offline, and what was assumed instead.
fn assumed<F>(
    configuration: &Configuration,
    request: &Request<'_, F>,
    asked: &Explain,
    of_policies: Vec<&'static str>,
) -> Vec<String> {
    let client = asked.client.is_none();
    let client = client
        .then(|| "the connection comes from 127.0.0.1 (--client sets another address)".to_owned());
    let elsewhere = found::elsewhere(configuration, request.host);
    let of_policies = of_policies.into_iter().map(str::to_owned);
    client
        .into_iter()
        .chain(of_policies)
        .chain(elsewhere)
        .collect()
}
