use std::sync::Arc;

use aralez_proto::document::{DocumentSet, Surroundings};
use aralez_proto::model::{Endpoint, EndpointState, PoolName};
use aralez_proto::record::{RecordKey, ResourceType};
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;

use super::*;
use crate::core::layers::Urgency;

const DOCUMENT: &str = "
upstreams:
  a.example:
    paths:
      /:
        servers: [10.0.0.1:80]
";

fn layers(text: &str) -> Layers {
    let documents = DocumentSet::of_main(text.to_owned().into());
    Layers {
        authored: Arc::new(document::read(&documents, &Surroundings::default()).unwrap()),
        ..Layers::default()
    }
}

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn endpoints(addresses: &[&str]) -> Vec<Endpoint> {
    let endpoint = |address: &&str| Endpoint::new(address.parse().unwrap());
    addresses.iter().map(endpoint).collect()
}

fn endpoint_keys(records: &RecordSet) -> Vec<String> {
    let keys = records.iter().map(|record| &record.key);
    let keys = keys.filter(|key| key.kind.endpoint_owner().is_some());
    let mut names: Vec<String> = keys.map(|key| key.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn discovered_endpoints_join_those_of_the_document() {
    let mut layers = layers(DOCUMENT);
    let name = pool("a.example/");
    assert!(
        layers
            .discovered
            .answered(&name, endpoints(&["10.0.0.2:80"]))
            .is_some()
    );
    let records = records(&layers, None);
    assert_eq!(
        endpoint_keys(&records),
        ["a.example/ 10.0.0.1:80", "a.example/ 10.0.0.2:80"]
    );
}

#[test]
fn a_source_that_answers_nothing_keeps_its_last_answer() {
    let mut layers = layers(DOCUMENT);
    let name = pool("a.example/");
    assert!(layers.discovered.endpoints(&name).is_none(), "unknown");
    layers
        .discovered
        .answered(&name, endpoints(&["10.0.0.2:80"]));
    let before = records(&layers, None).root();
    assert!(layers.discovered.answered(&name, Vec::new()).is_none());
    assert_eq!(records(&layers, None).root(), before);
    let answers = [
        ("10.0.0.2:80", None),
        ("10.0.0.3:80", Some(Urgency::AtOnce)),
    ];
    for (address, urgency) in answers {
        let answer = endpoints(&[address]);
        assert_eq!(layers.discovered.answered(&name, answer), urgency);
    }
    assert_eq!(
        endpoint_keys(&records(&layers, None)),
        ["a.example/ 10.0.0.1:80", "a.example/ 10.0.0.3:80"]
    );
}

#[test]
fn only_what_takes_requests_away_from_an_endpoint_is_urgent() {
    let mut discovered = Layers::default().discovered;
    let name = pool("a.example/");
    let endpoint = |weight, state| Endpoint {
        weight,
        state,
        ..Endpoint::new("10.0.0.2:80".parse().unwrap())
    };
    let other = || Endpoint::new("10.0.0.3:80".parse().unwrap());
    let ready = |weight| endpoint(weight, EndpointState::Ready);
    let draining = endpoint(5, EndpointState::Draining);
    let steps = [
        (vec![ready(1)], Urgency::CanWait),
        (vec![ready(1), other()], Urgency::CanWait),
        (vec![ready(5), other()], Urgency::CanWait),
        (vec![draining, other()], Urgency::AtOnce),
        (vec![other()], Urgency::CanWait),
        (vec![ready(1)], Urgency::AtOnce),
    ];
    for (endpoints, urgency) in steps {
        let taken = discovered.answered(&name, endpoints.clone());
        assert_eq!(taken, Some(urgency), "{endpoints:?}");
    }
}

#[test]
fn no_source_leads_requests_to_a_socket_on_the_proxies_machines() {
    let mut discovered = Layers::default().discovered;
    let name = pool("a.example/");
    let endpoint = |address: &str| Endpoint::new(address.parse().unwrap());
    let socket = || endpoint("unix:/run/docker.sock");
    assert_eq!(discovered.answered(&name, vec![socket()]), None);
    let beside = vec![socket(), endpoint("10.0.0.2:80")];
    assert!(discovered.answered(&name, beside).is_some());
    let known = discovered.endpoints(&name).unwrap();
    assert!(known.values().eq([&endpoint("10.0.0.2:80")]));
}

#[test]
fn a_documented_endpoint_wins_over_a_discovered_one() {
    let mut layers = layers(DOCUMENT);
    let before = records(&layers, None);
    let other = Endpoint {
        weight: 5,
        ..Endpoint::new("10.0.0.1:80".parse().unwrap())
    };
    layers.discovered.answered(&pool("a.example/"), vec![other]);
    let after = records(&layers, None);
    assert_eq!(after.authored_root(), before.authored_root());
    let view = Snapshot::complete(Version::default(), after, &Limits::default()).unwrap();
    let endpoints = view.resources().pools().endpoints(&pool("a.example/"));
    let word = Endpoint::new("10.0.0.1:80".parse().unwrap());
    assert_eq!(endpoints, Some(&[word][..]));
}

#[test]
fn endpoints_of_a_pool_that_no_document_names_are_not_part_of_a_view() {
    let mut layers = layers(DOCUMENT);
    let before = records(&layers, None).root();
    layers
        .discovered
        .answered(&pool("gone.example/"), endpoints(&["10.0.0.2:80"]));
    assert_eq!(records(&layers, None).root(), before);
}

#[test]
fn a_rollback_of_documents_leaves_discovered_endpoints_as_they_are() {
    let mut layers = layers(DOCUMENT);
    layers
        .discovered
        .answered(&pool("a.example/"), endpoints(&["10.0.0.2:80"]));
    let rolled_back = Layers {
        authored: self::layers(&DOCUMENT.replace("10.0.0.1", "10.0.0.9")).authored,
        ..layers
    };
    assert_eq!(
        endpoint_keys(&records(&rolled_back, None)),
        ["a.example/ 10.0.0.2:80", "a.example/ 10.0.0.9:80"]
    );
}

#[test]
fn a_group_has_its_hosts_and_those_of_all() {
    let text = "
a.example: {paths: {/: {servers: ['10.0.0.1:80']}}}
b.example: {groups: [eu], paths: {/: {servers: ['10.0.0.2:80']}}}
";
    let layers = layers(text);
    let eu = "eu".parse().unwrap();
    assert_eq!(named_groups(&layers), BTreeSet::from([eu]));
    let has = |group: Option<&GroupName>, host: &str| {
        let key = RecordKey::new(ResourceType::VirtualHost, host);
        records(&layers, group).get(&key).is_some()
    };
    let (eu, us) = ("eu".parse().unwrap(), "us".parse().unwrap());
    assert!(has(Some(&eu), "a.example") && has(Some(&eu), "b.example"));
    for other in [None, Some(&us)] {
        assert!(has(other, "a.example") && !has(other, "b.example"));
    }
}
