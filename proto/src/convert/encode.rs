//! Model to records.

use std::time::Duration;

use prost::Message;

use crate::convert::RECORD_FORMAT;
use crate::feature;
use crate::model::{
    Action, Balance, Endpoint, EndpointState, GroupName, Header, HeaderEdits, Pool, PoolName,
    Route, Settings, Timeouts, VirtualHost,
};
use crate::record::{Record, RecordKey, ResourceType};
use crate::wire::resource as wire;

/// What a resource needs of a proxy beyond [`feature::BASE`], ascending.
type Needs = &'static [u32];

fn record(kind: ResourceType, name: &str, needs: Needs, body: &impl Message) -> Record {
    let base = std::iter::once(feature::BASE);
    let envelope = wire::Record {
        format: RECORD_FORMAT,
        requires: base.chain(needs.iter().copied()).collect(),
        body: body.encode_to_vec().into(),
    };
    Record::new(RecordKey::new(kind, name), envelope.encode_to_vec().into())
}

/// The record of a group's settings.
pub fn settings_record(group: &GroupName, settings: &Settings) -> Record {
    let body = wire::Settings {
        request_headers: edits(&settings.request_headers),
        response_headers: edits(&settings.response_headers),
        timeouts: timeouts(&settings.timeouts),
        to_https: settings.to_https,
        compat_0_9: settings.compat_0_9,
    };
    let needs = needs([&settings.timeouts]);
    record(ResourceType::Settings, group.as_str(), needs, &body)
}

/// The record of a virtual host.
pub fn host_record(host: &VirtualHost) -> Record {
    let body = wire::VirtualHost {
        request_headers: edits(&host.request_headers),
        response_headers: edits(&host.response_headers),
        timeouts: timeouts(&host.timeouts),
        to_https: host.to_https,
        routes: host.routes.iter().map(route).collect(),
    };
    let routes = host.routes.iter().map(|route| &route.timeouts);
    let needs = needs(routes.chain([&host.timeouts]));
    let name = host.pattern.to_string();
    record(ResourceType::VirtualHost, &name, needs, &body)
}

/// The record of a pool.
pub fn pool_record(name: &PoolName, pool: &Pool) -> Record {
    let balance = match pool.balance {
        Balance::RoundRobin => wire::Balance::RoundRobin,
    };
    record(
        ResourceType::Pool,
        name.as_str(),
        &[],
        &wire::Pool {
            balance: balance.into(),
        },
    )
}

/// The record of an endpoint of a pool.
pub fn endpoint_record(pool: &PoolName, endpoint: &Endpoint) -> Record {
    let state = match endpoint.state {
        EndpointState::Ready => wire::EndpointState::Ready,
        EndpointState::Draining => wire::EndpointState::Draining,
    };
    let body = wire::Endpoint {
        weight: endpoint.weight.into(),
        tier: endpoint.tier.into(),
        state: state.into(),
    };
    record(
        ResourceType::Endpoint,
        &format!("{pool} {}", endpoint.address),
        &[],
        &body,
    )
}

/// What these limits need: a proxy that does not know one of them must not serve without it.
fn needs<'t>(said: impl IntoIterator<Item = &'t Timeouts>) -> Needs {
    let mut said = said.into_iter();
    if said.any(|timeouts| timeouts.first_byte.is_some()) {
        &[feature::FIRST_BYTE]
    } else {
        &[]
    }
}

fn route(route: &Route) -> wire::Route {
    let action = match &route.action {
        Action::Pool(pool) => wire::route::Action::Pool(pool.to_string()),
        Action::Redirect(redirect) => wire::route::Action::Redirect(wire::Redirect {
            to: redirect.to.to_string(),
            status: redirect.status.code().into(),
        }),
    };
    wire::Route {
        path: route.path.as_ref().to_owned(),
        request_headers: edits(&route.request_headers),
        response_headers: edits(&route.response_headers),
        timeouts: timeouts(&route.timeouts),
        to_https: route.to_https,
        action: Some(action),
    }
}

/// Nothing edited is nothing sent, so that a scope that says nothing costs nothing.
fn edits(edits: &HeaderEdits) -> Option<wire::HeaderEdits> {
    let headers = |headers: &[Header]| -> Vec<wire::Header> {
        headers
            .iter()
            .map(|header| wire::Header {
                name: header.name().to_owned(),
                value: header.value().to_owned(),
            })
            .collect()
    };
    (!edits.is_empty()).then(|| wire::HeaderEdits {
        set: headers(&edits.set),
        append: headers(&edits.append),
        remove: edits.remove.clone(),
    })
}

fn timeouts(timeouts: &Timeouts) -> Option<wire::Timeouts> {
    let ms = |limit: Option<Duration>| {
        limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
    };
    (*timeouts != Timeouts::default()).then(|| wire::Timeouts {
        connect_ms: ms(timeouts.connect),
        first_byte_ms: ms(timeouts.first_byte),
        read_ms: ms(timeouts.read),
        write_ms: ms(timeouts.write),
        total_ms: ms(timeouts.total),
        idle_ms: ms(timeouts.idle),
    })
}
