use prost::Message;

use crate::hash::Digest;
use crate::wire::control::*;
use crate::wire::part::{Items, UpdatePart};

fn version() -> Version {
    Version {
        generation: 1,
        revision: 2,
        sequence: 3,
        operational: 6,
        root: vec![4; 32].into(),
        authored_root: vec![5; 32].into(),
    }
}

fn fault() -> Fault {
    Fault {
        code: FaultCode::Limit.into(),
        r#type: 2,
        key: "a.example".into(),
        field: "max_hosts".into(),
        reason: "too many".into(),
    }
}

fn hello() -> Hello {
    Hello {
        protocol_min: 1,
        protocol_max: 2,
        node: "n".into(),
        group: "g".into(),
        proxy_version: "v".into(),
        features: vec![1, 2],
        limits: Some(Limits {
            max_snapshot_bytes: 1,
            max_hosts: 2,
            max_endpoints: 3,
        }),
        held: Some(version()),
        boot_id: vec![5; 16].into(),
        replaces_boot_id: vec![6; 16].into(),
        refused: vec![
            Refusal {
                root: vec![7; 32].into(),
                faults: vec![fault()],
                ..Refusal::default()
            },
            Refusal {
                authored_root: vec![10; 32].into(),
                ..Refusal::default()
            },
        ],
        cluster_id: vec![8; 16].into(),
        repairs: false,
    }
}

fn from_node() -> Vec<node_message::Kind> {
    use node_message::Kind;
    vec![
        Kind::Hello(hello()),
        Kind::Ack(Ack {
            update_id: 1,
            version: Some(version()),
            apply_us: 2,
        }),
        Kind::Nack(Nack {
            update_id: 1,
            kept: Some(version()),
            refused_root: vec![9; 32].into(),
            faults: vec![fault()],
        }),
        Kind::Status(Status {
            running: Some(version()),
            origin: "stream".into(),
            persisted: Some(version()),
            requests: 1,
            responses_5xx: 2,
            troubles: vec!["t".into()],
        }),
        Kind::Digest(crate::wire::control::Digest {
            question: 1,
            buckets: vec![2; 32].into(),
        }),
        Kind::DigestDetail(DigestDetail {
            question: 1,
            held: vec![HeldKey {
                r#type: 3,
                key: "k".into(),
                leaf: vec![4; 16].into(),
            }],
            too_much: true,
        }),
    ]
}

fn from_control() -> Vec<control_message::Kind> {
    use control_message::Kind;
    let item = |delete| Item {
        r#type: 3,
        key: "k".into(),
        delete,
        payload: vec![1, 2].into(),
    };
    vec![
        Kind::Welcome(Welcome {
            cluster_id: vec![8; 16].into(),
            protocol: 1,
            resume: Resume::Delta.into(),
            head: Some(version()),
            heartbeat_ms: 1,
            ack_deadline_ms: 2,
        }),
        Kind::Begin(UpdateBegin {
            update_id: 1,
            from_root: vec![4; 32].into(),
            to: Some(version()),
            parts: 2,
            bytes: 3,
        }),
        Kind::Part(UpdatePart {
            update_id: 1,
            items: Items::Read(vec![item(false), item(true)]),
        }),
        Kind::Commit(UpdateCommit { update_id: 1 }),
        Kind::Heartbeat(Heartbeat {
            expected: Some(version()),
            count: 1,
        }),
        Kind::GoAway(GoAway {
            reason: "r".into(),
            retry_min_ms: 1,
            retry_max_ms: 2,
        }),
        Kind::AskDigest(AskDigest { question: 1 }),
        Kind::AskDetail(AskDetail {
            question: 1,
            buckets: vec![2, 1_023],
        }),
    ]
}

#[test]
fn messages_of_the_stream_are_the_bytes_of_every_release_before() {
    let node = from_node()
        .into_iter()
        .map(|kind| NodeMessage { kind: Some(kind) }.encode_to_vec());
    let control = from_control()
        .into_iter()
        .map(|kind| ControlMessage { kind: Some(kind) }.encode_to_vec());
    let digests: Vec<String> = node
        .chain(control)
        .map(|bytes| Digest::of_fields(&[&bytes]).short())
        .collect();
    assert_eq!(digests, GOLDEN);
}

const GOLDEN: [&str; 14] = [
    "881e131b", "1d16624f", "6d2a3572", "ccf6f7ec", "b5021a0d", "2e4c6850", "ac8cbceb", "a971e102",
    "e56ab3dd", "27dc636d", "043b0de5", "97caf12b", "178afef5", "63aa1200",
];
