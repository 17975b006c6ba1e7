//! Decoding of records into the model. Every record passes through here before it is used.

use std::fmt;
use std::sync::Arc;

use prost::{Message, decode_length_delimiter};

use crate::convert::RECORD_FORMAT;
use crate::fault::{Fault, FaultCode};
use crate::feature;
use crate::model::{
    Balance, Endpoint, EndpointAddress, EndpointOwner, EndpointState, GroupName, HostPattern, Pool,
    PoolName, Settings, VirtualHost,
};
use crate::record::{Record, ResourceType};
use crate::rules::Rules;
use crate::wire::resource as wire;

mod matches;
mod route;

/// Encoded prefix of a common envelope: `Record.format`, then `Record.requires` with one number of one byte, then the tag of `Record.body`.
const PLAIN: [u8; 6] = [
    1 << 3,
    RECORD_FORMAT as u8,
    2 << 3 | 2,
    1,
    feature::BASE as u8,
    3 << 3 | 2,
];

/// A decoded resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The defaults of a group.
    Settings(Settings),
    /// A host.
    VirtualHost(VirtualHost),
    /// A pool.
    Pool(PoolName, Pool),
    /// An endpoint of a pool, with its owner.
    Endpoint(PoolName, EndpointOwner, Endpoint),
}

/// Decodes and validates one record.
///
/// # Errors
/// The faults of this record: an unknown format or feature, bytes that do not decode, values that the model does not allow.
pub fn decode(record: &Record) -> Result<Resource, Vec<Fault>> {
    match plain_body(&record.payload) {
        Some(body) => decode_body(record, body),
        None => decode_body(record, &envelope(record)?.body),
    }
}

/// Returns the body of an envelope of this format that needs only [`feature::BASE`], as nearly all do; `None` for any other. Decoding in
/// place avoids a refcount bump on the shared `Bytes`, which both start-up threads would contend on.
fn plain_body(payload: &[u8]) -> Option<&[u8]> {
    let mut body = payload.strip_prefix(&PLAIN)?;
    let length = decode_length_delimiter(&mut body).ok()?;
    (length == body.len()).then_some(body)
}

fn envelope(record: &Record) -> Result<wire::Record, Vec<Fault>> {
    let envelope = wire::Record::decode(record.payload.clone()).map_err(|error| {
        vec![Fault::of(
            &record.key,
            FaultCode::Decode,
            "",
            error.to_string(),
        )]
    })?;
    if envelope.format != RECORD_FORMAT {
        let reason = format!(
            "unsupported record format {}, expected {RECORD_FORMAT}",
            envelope.format
        );
        return Err(vec![Fault::of(
            &record.key,
            FaultCode::UnknownFeature,
            "format",
            reason,
        )]);
    }
    if let Some(number) = feature::missing(&envelope.requires) {
        let reason = format!("requires feature {number}, which this release does not support");
        return Err(vec![Fault::of(
            &record.key,
            FaultCode::UnknownFeature,
            "requires",
            reason,
        )]);
    }
    Ok(envelope)
}

fn decode_body(record: &Record, body: &[u8]) -> Result<Resource, Vec<Fault>> {
    let mut faults = Problems {
        record,
        faults: Vec::new(),
    };
    let resource = faults.resource(body);
    match resource {
        Some(resource) if faults.faults.is_empty() => Ok(resource),
        _ => Err(faults.faults),
    }
}

/// Collects the faults of one record.
struct Problems<'a> {
    record: &'a Record,
    faults: Vec<Fault>,
}

impl Problems<'_> {
    fn invalid(&mut self, field: impl fmt::Display, reason: impl Into<String>) {
        self.faults.push(Fault::of(
            &self.record.key,
            FaultCode::Invalid,
            &field.to_string(),
            reason,
        ));
    }

    /// Returns the value, or adds a fault at `field`, which is formatted only in that case.
    fn need<T, E: ToString>(&mut self, field: impl fmt::Display, value: Result<T, E>) -> Option<T> {
        value
            .map_err(|reason| self.invalid(field, reason.to_string()))
            .ok()
    }

    fn message<M: Message + Default>(&mut self, body: &[u8]) -> Option<M> {
        match M::decode(body) {
            Ok(message) => Some(message),
            Err(error) => {
                self.faults.push(Fault::of(
                    &self.record.key,
                    FaultCode::Decode,
                    "",
                    error.to_string(),
                ));
                None
            }
        }
    }

    fn resource(&mut self, body: &[u8]) -> Option<Resource> {
        match self.record.key.kind {
            ResourceType::Settings => self.settings(body).map(Resource::Settings),
            ResourceType::VirtualHost => self.host(body).map(Resource::VirtualHost),
            ResourceType::Pool => self.pool(body),
            ResourceType::StaticEndpoint => self.endpoint(EndpointOwner::Document, body),
            ResourceType::Endpoint => self.endpoint(EndpointOwner::Source, body),
            ResourceType::Certificate | ResourceType::Credentials => {
                let reason = "this release does not support resources of this type";
                self.faults.push(Fault::of(
                    &self.record.key,
                    FaultCode::UnknownFeature,
                    "",
                    reason,
                ));
                None
            }
        }
    }

    fn settings(&mut self, body: &[u8]) -> Option<Settings> {
        let name = self.record.key.name.parse::<GroupName>();
        self.need("key", name)?;
        let wire: wire::Settings = self.message(body)?;
        Some(Settings {
            rules: self.rules(wire.rules, |rule| rule),
            compat_0_9: wire.compat_0_9,
        })
    }

    fn host(&mut self, body: &[u8]) -> Option<VirtualHost> {
        let pattern = self.record.key.name.parse::<HostPattern>();
        let pattern = self.need("key", pattern)?;
        let pattern = self.sharing_key(pattern);
        let wire: wire::VirtualHost = self.message(body)?;
        let routes = self.routes(wire.routes);
        Some(VirtualHost {
            pattern,
            rules: self.rules(wire.rules, |rule| rule),
            routes,
        })
    }

    /// Checks that the key is the normalised form of the pattern. An exact pattern then shares the text of the key.
    fn sharing_key(&mut self, pattern: HostPattern) -> HostPattern {
        let name = &self.record.key.name;
        match pattern {
            HostPattern::Exact(exact) if exact == *name => HostPattern::Exact(Arc::clone(name)),
            other => {
                if other.to_string() != **name {
                    self.invalid("key", format!("is not normalised, expected {other}"));
                }
                other
            }
        }
    }

    /// Decodes the rules of a scope. `field` returns the position of a rule, for its faults.
    fn rules<F: fmt::Display>(
        &mut self,
        wire: Option<wire::Rules>,
        field: impl Fn(&'static str) -> F,
    ) -> Rules {
        Rules::decode(wire, &mut |rule, reason| self.invalid(field(rule), reason))
    }

    fn pool(&mut self, body: &[u8]) -> Option<Resource> {
        let name = PoolName::try_from(Arc::clone(&self.record.key.name));
        let name = self.need("key", name)?;
        let wire: wire::Pool = self.message(body)?;
        let balance = match wire.balance() {
            wire::Balance::RoundRobin => Balance::RoundRobin,
            wire::Balance::Unspecified => {
                self.invalid(
                    "balance",
                    "is not a balancing method that this release supports",
                );
                return None;
            }
        };
        Some(Resource::Pool(name, Pool { balance }))
    }

    fn endpoint(&mut self, owner: EndpointOwner, body: &[u8]) -> Option<Resource> {
        let key = self.record.key.endpoint();
        let key = key.ok_or("is not of the form `POOL ADDRESS`");
        let (pool, text) = self.need("key", key)?;
        let pool = self.need("key", pool.parse::<PoolName>())?;
        let address = self.need("key", text.parse::<EndpointAddress>())?;
        if !address.is_written(text) {
            self.invalid("key", format!("is not normalised, expected {address}"));
        }
        let wire: wire::Endpoint = self.message(body)?;
        let state = match wire.state() {
            wire::EndpointState::Ready => Ok(EndpointState::Ready),
            wire::EndpointState::Draining => Ok(EndpointState::Draining),
            wire::EndpointState::Unspecified => {
                Err("is not an endpoint state that this release supports")
            }
        };
        let weight = u16::try_from(wire.weight)
            .ok()
            .filter(|weight| *weight > 0)
            .ok_or("is not 1 to 65535");
        Some(Resource::Endpoint(
            pool,
            owner,
            Endpoint {
                address,
                weight: self.need("weight", weight)?,
                tier: self.need("tier", u8::try_from(wire.tier))?,
                state: self.need("state", state)?,
            },
        ))
    }
}
