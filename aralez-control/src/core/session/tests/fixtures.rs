//! Small views, and a model of a proxy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::content::Content;
use aralez_proto::convert;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::model::{
    Action, Endpoint, EndpointOwner, HostPattern, Pool, PoolName, Route, VirtualHost,
};
use aralez_proto::record::{Record, RecordKey, RecordSet, ResourceType};
use aralez_proto::rules::{Rules, Timeouts};
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;
use bytes::Bytes;

use crate::core::session::{Hello, NodeMemory, Pace, Recent, RefusedContent, Session};

/// A host of a view: a tag for its content, and the ports of its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostSpec {
    pub(crate) tag: u64,
    pub(crate) ports: Vec<u16>,
}

/// Hosts by name.
pub(crate) type Spec = BTreeMap<String, HostSpec>;

pub(crate) fn spec(hosts: &[(&str, u64, &[u16])]) -> Spec {
    let host = |(name, tag, ports): &(&str, u64, &[u16])| {
        let ports = ports.to_vec();
        ((*name).to_owned(), HostSpec { tag: *tag, ports })
    };
    hosts.iter().map(host).collect()
}

fn records(spec: &Spec) -> RecordSet {
    let mut records: Vec<Record> = Vec::new();
    for (name, host) in spec {
        let pattern: HostPattern = name.parse().unwrap();
        let pool = PoolName::of_route(&pattern, "/");
        let route = Route {
            path: "/".into(),
            matches: None,
            rules: Rules::default(),
            action: Action::Pool(pool.clone()),
        };
        let timeouts = Timeouts {
            total: Some(Duration::from_secs(host.tag)),
            ..Timeouts::default()
        };
        records.push(convert::host_record(&VirtualHost {
            pattern,
            rules: Rules {
                timeouts,
                ..Rules::default()
            },
            routes: vec![route],
        }));
        records.push(convert::pool_record(&pool, &Pool::default()));
        for port in &host.ports {
            let address = format!("127.0.0.1:{port}").parse().unwrap();
            records.push(convert::endpoint_record(
                EndpointOwner::Source,
                &pool,
                &Endpoint::new(address),
            ));
        }
    }
    records.into_iter().collect()
}

pub(crate) fn snapshot(revision: u64, spec: &Spec) -> SharedSnapshot {
    let version = Version {
        generation: 1,
        revision,
        ..Version::default()
    };
    Arc::new(Snapshot::complete(version, records(spec), &Limits::default()).unwrap())
}

pub(crate) fn hello(held: Option<Version>) -> Hello {
    Hello {
        protocol_min: 1,
        protocol_max: 1,
        node: "n1".parse().unwrap(),
        group: "default".parse().unwrap(),
        proxy_version: "0.10.0".to_owned(),
        features: vec![1],
        limits: Limits::default(),
        held,
        boot: Bytes::from_static(b"boot"),
        replaces: Bytes::new(),
        refused: Vec::<RefusedContent>::new(),
        cluster: Bytes::new(),
        repairs: true,
    }
}

pub(crate) fn host_key(name: &str) -> RecordKey {
    RecordKey::new(ResourceType::VirtualHost, name)
}

pub(crate) fn fault_of_host(name: &str) -> Fault {
    Fault::of(&host_key(name), FaultCode::Invalid, "x", "not here")
}

/// The refused content that a node reports for a version with these faults.
pub(crate) fn refusing_for(version: Version, faults: Vec<Fault>) -> RefusedContent {
    RefusedContent {
        content: Content::at_fault(&version, &faults),
        faults: faults.into(),
    }
}

pub(crate) fn leaf(snapshot: &Snapshot, key: &RecordKey) -> Option<Digest> {
    Some(snapshot.records().get(key)?.leaf())
}

/// The memory of a node in a new session.
pub(crate) fn memory() -> NodeMemory {
    let recent = Arc::new(Recent::new(Arc::default()));
    Session::open(
        hello(None),
        &[0; 16],
        None,
        recent,
        Pace::default(),
        Instant::now(),
    )
    .unwrap()
    .session
    .memory()
}
