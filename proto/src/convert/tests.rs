use std::time::Duration;

use bytes::Bytes;
use prost::Message;

use super::*;
use crate::fault::FaultCode;
use crate::model::*;
use crate::record::{Change, Record, RecordKey, ResourceType};
use crate::rules::{RequestHeaders, ResponseHeaders, Rules, Timeouts, ToHttps};
use crate::snapshot::Limits;
use crate::version::Version;
use crate::wire;

mod matching;
mod routes;

fn host() -> VirtualHost {
    let set = |direction, name, value| Header::new(direction, name, value).unwrap();
    VirtualHost {
        pattern: "*.example.com".parse().unwrap(),
        rules: Rules {
            request_headers: RequestHeaders(HeaderEdits {
                set: vec![set(Direction::Request, "X-From", "proxy")],
                remove: vec!["cookie".into()],
                ..HeaderEdits::default()
            }),
            timeouts: Timeouts {
                read: Some(Duration::from_millis(1500)),
                ..Timeouts::default()
            },
            to_https: ToHttps(Some(false)),
            ..Rules::default()
        },
        routes: vec![
            Route {
                path: "/".into(),
                matches: None,
                rules: Rules {
                    response_headers: ResponseHeaders(HeaderEdits {
                        append: vec![set(Direction::Response, "Vary", "Origin")],
                        ..HeaderEdits::default()
                    }),
                    ..Rules::default()
                },
                action: Action::Pool("*.example.com/".parse().unwrap()),
            },
            Route {
                path: "/old".into(),
                matches: None,
                rules: Rules::default(),
                action: Action::Redirect(Redirect {
                    to: "https://new.example.com".parse().unwrap(),
                    status: RedirectStatus::PermanentRedirect,
                }),
            },
        ],
    }
}

fn all() -> [(Record, Resource); 5] {
    let settings = Settings {
        rules: Rules {
            to_https: ToHttps(Some(true)),
            ..Rules::default()
        },
        compat_0_9: true,
    };
    let pool: PoolName = "*.example.com/".parse().unwrap();
    let endpoint = Endpoint::new("[::1]:8000".parse().unwrap());
    [
        (
            settings_record(&GroupName::default(), &settings),
            Resource::Settings(settings),
        ),
        (host_record(&host()), Resource::VirtualHost(host())),
        (
            pool_record(&pool, &Pool::default()),
            Resource::Pool(pool.clone(), Pool::default()),
        ),
        (
            endpoint_record(EndpointOwner::Source, &pool, &endpoint),
            Resource::Endpoint(pool.clone(), EndpointOwner::Source, endpoint.clone()),
        ),
        (
            endpoint_record(EndpointOwner::Document, &pool, &endpoint),
            Resource::Endpoint(pool, EndpointOwner::Document, endpoint),
        ),
    ]
}

#[test]
fn what_is_encoded_decodes_to_the_same() {
    for (record, resource) in all() {
        assert_eq!(decode(&record), Ok(resource));
    }
}

#[test]
fn the_same_envelope_written_in_another_order_decodes_to_the_same() {
    for (record, resource) in all() {
        let [format, requires] = [0..2, 2..5].map(|part| &record.payload[part]);
        let body = &record.payload[5..];
        for parts in [[body, format, requires], [requires, format, body]] {
            let other = Record::new(record.key.clone(), parts.concat().into());
            assert_eq!(decode(&other), Ok(resource.clone()));
        }
        let cut = record.payload.slice(..record.payload.len() - 1);
        let longer = [&record.payload[..], &[0]].concat().into();
        for payload in [cut, longer] {
            let faults = decode(&Record::new(record.key.clone(), payload)).unwrap_err();
            assert_eq!(faults[0].code, FaultCode::Decode);
        }
    }
}

#[test]
fn records_are_the_bytes_of_every_release_before() {
    let leaves: Vec<String> = all()
        .iter()
        .map(|(record, _)| format!("{} {}", record.key, record.leaf()))
        .collect();
    assert_eq!(leaves, GOLDEN);
}

const GOLDEN: [&str; 5] = [
    "Settings \"default\" 4653eb5502a5a8347b26d6a0981929c487c2041a2d339b2a58671a1e1b23c293",
    "VirtualHost \"*.example.com\" dc6e03924c64f56c98d13af208ad24e0017bf7c6ce67f07f4eae334e09de6a4a",
    "Pool \"*.example.com/\" 018cc588f1b5e7fe691cb7771c459dd757084b0972e0d5ec32726efa72bcb45a",
    "Endpoint \"*.example.com/ [::1]:8000\" da40a79b2373e06290c61cbf053289e96d2be193d3b215f5d1688ffe56650115",
    "StaticEndpoint \"*.example.com/ [::1]:8000\" 85ad26c377c20b48c53076312090e4c4f7149a1b910ea42b17dbe57665b6b989",
];

fn with_body(kind: ResourceType, key: &str, requires: Vec<u32>, body: Vec<u8>) -> Record {
    let envelope = wire::resource::Record {
        format: 2,
        requires,
        body: body.into(),
    };
    Record::new(RecordKey::new(kind, key), envelope.encode_to_vec().into())
}

fn code_of(record: &Record) -> FaultCode {
    decode(record).unwrap_err()[0].code
}

/// F-03: an unknown required feature, as in a newer schema.
#[test]
fn a_resource_that_needs_an_unknown_feature_is_refused_rather_than_served_without_it() {
    let record = with_body(ResourceType::Pool, "p/", vec![1, 4711], vec![]);
    let fault = &decode(&record).unwrap_err()[0];
    assert_eq!(
        fault.to_string(),
        "Pool \"p/\" requires: requires feature 4711, which this release does not support"
    );
    assert_eq!(fault.code, FaultCode::UnknownFeature);
}

fn requires(record: &Record) -> Vec<u32> {
    let envelope = wire::resource::Record::decode(record.payload.clone()).unwrap();
    envelope.requires
}

#[test]
fn a_limit_to_the_first_byte_is_refused_by_older_proxies_wherever_it_stands() {
    let first_byte = Timeouts {
        first_byte: Some(Duration::from_millis(700)),
        ..Timeouts::default()
    };
    let rules = Rules {
        timeouts: first_byte,
        ..Rules::default()
    };
    let settings = Settings {
        rules: rules.clone(),
        ..Settings::default()
    };
    let (mut at_host, mut at_path) = (host(), host());
    at_host.rules.timeouts.first_byte = Some(Duration::ZERO);
    at_path.routes[1].rules = rules;
    let resources = [
        (
            settings_record(&GroupName::default(), &settings),
            Resource::Settings(settings),
        ),
        (host_record(&at_host), Resource::VirtualHost(at_host)),
        (host_record(&at_path), Resource::VirtualHost(at_path)),
    ];
    for (record, resource) in resources {
        assert_eq!(requires(&record), [1, 2], "{}", record.key);
        assert_eq!(decode(&record), Ok(resource));
    }
    for (record, _) in all() {
        assert_eq!(requires(&record), [1], "{}", record.key);
    }
}

#[test]
fn unknown_envelopes_types_and_enums_are_refused() {
    let garbage = Record::new(
        RecordKey::new(ResourceType::Pool, "p/"),
        Bytes::from_static(&[0xff]),
    );
    assert_eq!(code_of(&garbage), FaultCode::Decode);
    let later = wire::resource::Record {
        format: 3,
        ..Default::default()
    }
    .encode_to_vec();
    let later = Record::new(RecordKey::new(ResourceType::Pool, "p/"), later.into());
    assert_eq!(code_of(&later), FaultCode::UnknownFeature);
    let balance = wire::resource::Pool { balance: 99 }.encode_to_vec();
    assert_eq!(
        code_of(&with_body(ResourceType::Pool, "p/", vec![1], balance)),
        FaultCode::Invalid
    );
    let certificate = with_body(ResourceType::Certificate, "c", vec![1], vec![]);
    assert_eq!(code_of(&certificate), FaultCode::UnknownFeature);
    let item = wire::control::Item {
        r#type: 77,
        key: "k".into(),
        ..Default::default()
    };
    assert_eq!(
        Change::try_from(item).unwrap_err().code,
        FaultCode::UnknownFeature
    );
}

#[test]
fn a_header_that_could_split_a_message_is_refused_also_when_control_sent_it() {
    let header = |name: &str, value: &str| wire::resource::Header {
        name: name.into(),
        value: value.into(),
        template: false,
    };
    let edits = |name, value| wire::resource::HeaderEdits {
        set: vec![header(name, value)],
        ..Default::default()
    };
    for (name, value) in [
        ("x-a", "b\r\nc"),
        ("x a", "b"),
        ("", "b"),
        ("connection", "close"),
        ("x-a", "b\0"),
    ] {
        let body = wire::resource::Settings {
            rules: Some(wire::resource::Rules {
                request_headers: Some(edits(name, value)),
                ..Default::default()
            }),
            ..Default::default()
        };
        let record = with_body(
            ResourceType::Settings,
            "default",
            vec![1],
            body.encode_to_vec(),
        );
        assert_eq!(code_of(&record), FaultCode::Invalid, "{name:?}: {value:?}");
    }
}

#[test]
fn a_redirect_that_could_split_a_message_is_refused_also_when_control_sent_it() {
    for to in [
        "https://a.example\r\nx: y",
        "ftp://a.example",
        "//a.example",
        "",
    ] {
        let redirect = wire::resource::Redirect {
            to: to.into(),
            status: 301,
        };
        let route = wire::resource::Route {
            path: "/".into(),
            action: Some(wire::resource::route::Action::Redirect(redirect)),
            ..Default::default()
        };
        let body = wire::resource::VirtualHost {
            routes: vec![route],
            ..Default::default()
        };
        let record = with_body(
            ResourceType::VirtualHost,
            "a.example",
            vec![1],
            body.encode_to_vec(),
        );
        assert_eq!(code_of(&record), FaultCode::Invalid, "{to:?}");
    }
}

#[test]
fn routes_out_of_order_or_twice_are_refused() {
    for paths in [["/b", "/a"], ["/a", "/a"]] {
        let route = |path: &str| wire::resource::Route {
            path: path.into(),
            action: Some(wire::resource::route::Action::Pool("p/".into())),
            ..Default::default()
        };
        let body = wire::resource::VirtualHost {
            routes: paths.map(route).to_vec(),
            ..Default::default()
        };
        let record = with_body(
            ResourceType::VirtualHost,
            "a.example",
            vec![1],
            body.encode_to_vec(),
        );
        assert_eq!(code_of(&record), FaultCode::Invalid);
    }
}

#[test]
fn versions_items_faults_and_limits_survive_the_wire() {
    let record = all()[1].0.clone();
    let version = Version {
        generation: 3,
        revision: 9,
        sequence: 2,
        operational: 5,
        root: record.leaf(),
        authored_root: all()[2].0.leaf(),
    };
    assert_eq!(
        Version::try_from(wire::control::Version::from(version)),
        Ok(version)
    );
    for change in [
        Change::Put(record.clone()),
        Change::Delete(record.key.clone()),
    ] {
        assert_eq!(
            Change::try_from(wire::control::Item::from(&change)),
            Ok(change)
        );
    }
    let fault = crate::fault::Fault::of(&record.key, FaultCode::Limit, "max_hosts", "too many");
    assert_eq!(
        crate::fault::Fault::from(wire::control::Fault::from(&fault)),
        fault
    );
    let limits = Limits {
        max_hosts: Some(3),
        ..Limits::default()
    };
    assert_eq!(Limits::from(wire::control::Limits::from(limits)), limits);
    assert!(Version::try_from(wire::control::Version::default()).is_err());
}

#[test]
fn an_endpoint_that_is_a_unix_socket_is_refused_by_a_proxy_that_knows_no_such_address() {
    let endpoint = Endpoint::new("unix:/run/app.sock".parse().unwrap());
    let pool: PoolName = "a.example/".parse().unwrap();
    let record = endpoint_record(EndpointOwner::Document, &pool, &endpoint);
    assert_eq!(&*record.key.name, "a.example/ unix:/run/app.sock");
    assert_eq!(requires(&record), [1, crate::feature::UNIX_ENDPOINT]);
    let expected = Resource::Endpoint(pool, EndpointOwner::Document, endpoint);
    assert_eq!(decode(&record), Ok(expected));
    let other = RecordKey::new(
        ResourceType::StaticEndpoint,
        "a.example/ unix:/run//app.sock",
    );
    let other = Record::new(other, record.payload);
    assert_eq!(code_of(&other), FaultCode::Invalid);
}

#[test]
fn a_host_that_would_give_requests_two_hosts_is_refused() {
    let mut host = host();
    let two = Header::new(Direction::Request, "Host", "b.example").unwrap();
    host.rules.request_headers.0.append.push(two);
    let fault = &decode(&host_record(&host)).unwrap_err()[0];
    assert_eq!(fault.code, FaultCode::Invalid);
    assert_eq!(fault.field, "request_headers");
}
