//! Encoding of the model into records.

use std::collections::BTreeSet;

use prost::Message;

use crate::convert::RECORD_FORMAT;
use crate::feature;
use crate::model::{
    Balance, Endpoint, EndpointAddress, EndpointOwner, EndpointState, GroupName, Pool, PoolName,
    Settings, VirtualHost,
};
use crate::record::{Record, RecordKey, ResourceType};
use crate::rules::Rules;
use crate::wire::resource as wire;

mod route;

/// Builds a record. `needs`: the features beyond [`feature::BASE`], ascending.
fn record(key: RecordKey, needs: &[u32], body: &impl Message) -> Record {
    let base = std::iter::once(feature::BASE);
    let envelope = wire::Record {
        format: RECORD_FORMAT,
        requires: base.chain(needs.iter().copied()).collect(),
        body: body.encode_to_vec().into(),
    };
    Record::new(key, envelope.encode_to_vec().into())
}

/// Returns the record of a group's settings.
pub fn settings_record(group: &GroupName, settings: &Settings) -> Record {
    let body = wire::Settings {
        rules: settings.rules.encode(),
        compat_0_9: settings.compat_0_9,
    };
    let needs = needs([&settings.rules]);
    let key = RecordKey::new(ResourceType::Settings, group.as_str());
    record(key, &needs, &body)
}

/// Returns the record of a virtual host.
pub fn host_record(host: &VirtualHost) -> Record {
    let body = wire::VirtualHost {
        rules: host.rules.encode(),
        routes: host.routes.iter().map(route::encode).collect(),
    };
    let routes = host.routes.iter().map(|route| &route.rules);
    let mut needs = needs(routes.chain([&host.rules]));
    needs.extend(host.routes.iter().flat_map(route::needs));
    needs.sort_unstable();
    needs.dedup();
    let key = RecordKey::new(ResourceType::VirtualHost, host.pattern.to_string());
    record(key, &needs, &body)
}

/// Returns the record of a pool.
pub fn pool_record(name: &PoolName, pool: &Pool) -> Record {
    let balance = match pool.balance {
        Balance::RoundRobin => wire::Balance::RoundRobin,
    };
    let body = wire::Pool {
        balance: balance.into(),
    };
    let key = RecordKey::new(ResourceType::Pool, name.as_str());
    record(key, &[], &body)
}

/// Returns the record of a pool's endpoint with this owner.
pub fn endpoint_record(owner: EndpointOwner, pool: &PoolName, endpoint: &Endpoint) -> Record {
    let state = match endpoint.state {
        EndpointState::Ready => wire::EndpointState::Ready,
        EndpointState::Draining => wire::EndpointState::Draining,
    };
    let body = wire::Endpoint {
        weight: endpoint.weight.into(),
        tier: endpoint.tier.into(),
        state: state.into(),
    };
    let needs: &[u32] = match endpoint.address {
        EndpointAddress::Tcp(_) => &[],
        EndpointAddress::Unix(_) => &[feature::UNIX_ENDPOINT],
    };
    let key = RecordKey::of_endpoint(owner, pool, &endpoint.address);
    record(key, needs, &body)
}

/// Returns the features that these rules need, ascending.
fn needs<'t>(said: impl IntoIterator<Item = &'t Rules>) -> Vec<u32> {
    let needs: BTreeSet<u32> = said.into_iter().flat_map(Rules::needs).collect();
    needs.into_iter().collect()
}
