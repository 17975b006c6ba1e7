//! Streams as control sees them: the cost of each, and that trouble with one node does not affect the others.

use std::path::PathBuf;

use aralez_proto::wire::control as wire;
use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::scripted_node::{ScriptedNode, call, hello};
use wire::control_message::Kind as FromControl;
use wire::node_message::Kind as ToControl;

const STREAMS: usize = 200;

fn socket(fleet: &Fleet) -> PathBuf {
    fleet.folder().join("control.sock")
}

async fn join(fleet: &Fleet, name: &str) -> ScriptedNode {
    let mut node = eventually(LIVE, "a node is let in", || async {
        let mut node = ScriptedNode::greet(socket(fleet), hello(name)).await?;
        match node.next().await? {
            FromControl::Welcome(_) => Ok(node),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    node.follow().await.unwrap();
    node
}

/// F-07: memory per node.
#[tokio::test]
async fn a_stream_costs_control_little_memory() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(0)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let mut nodes = Vec::new();
    for number in 0..20 {
        nodes.push(join(&fleet, &format!("warm-{number}")).await);
    }
    let before = fleet.control().memory();
    for number in 0..STREAMS {
        nodes.push(join(&fleet, &format!("node-{number}")).await);
    }
    let connected = || async {
        let nodes = fleet.nodes().await?;
        same(
            &nodes.iter().filter(|node| node.connected).count(),
            &(STREAMS + 20),
        )
    };
    eventually(LIVE, "all are connected", connected).await;
    let each = fleet.control().memory().saturating_sub(before) / STREAMS as u64;
    println!(
        "{} KiB of control's memory for each connected stream",
        each >> 10
    );
    assert!(each < 128 << 10, "{each} bytes");
}

/// F-07: a slow node.
#[tokio::test]
async fn a_node_that_never_answers_holds_up_nobody() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let mut silent = ScriptedNode::greet(socket(&fleet), hello("silent"))
        .await
        .unwrap();
    assert!(matches!(silent.next().await, Ok(FromControl::Welcome(_))));
    for (name, origin) in [("b", &b), ("a", &a), ("b", &b)] {
        fleet.save(&site("a.test", &[origin.address()]));
        fleet.until_serving(LIVE, "a.test", name).await;
    }
    let mut begun = 0;
    while let Ok(Ok(message)) =
        tokio::time::timeout(std::time::Duration::from_millis(300), silent.next()).await
    {
        begun += usize::from(matches!(message, FromControl::Begin(_)));
    }
    assert_eq!(begun, 1, "one update is in flight, however many followed");
}

#[tokio::test]
async fn a_second_stream_of_the_same_node_replaces_the_first() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(0)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let mut first = join(&fleet, "twin").await;
    let _second = join(&fleet, "twin").await;
    let ended = async {
        loop {
            match first.next().await {
                Ok(FromControl::GoAway(_)) | Err(_) => break,
                Ok(_) => {}
            }
        }
    };
    tokio::time::timeout(LIVE, ended)
        .await
        .expect("the first is told to go");
    assert_eq!(fleet.nodes().await.unwrap().len(), 1);
}

/// F-08: peers that speak another protocol.
#[tokio::test]
async fn who_does_not_speak_the_protocol_is_sent_away() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let future = wire::Hello {
        protocol_min: 7,
        protocol_max: 9,
        ..hello("future")
    };
    let unnamed = wire::Hello {
        node: "../x".to_owned(),
        ..hello("")
    };
    for greeting in [future, unnamed] {
        let answer = match ScriptedNode::greet(socket(&fleet), greeting).await {
            Ok(mut node) => node.next().await,
            Err(error) => Err(error),
        };
        assert!(
            matches!(answer, Ok(FromControl::GoAway(_)) | Err(_)),
            "{answer:?}"
        );
    }
    let silent = ScriptedNode::greet(socket(&fleet), hello("rude"))
        .await
        .unwrap();
    let status = wire::Status {
        troubles: vec!["x".repeat(1 << 20); 3],
        ..wire::Status::default()
    };
    let _ = silent.say(ToControl::Status(status)).await;
    assert_eq!(
        fleet
            .nodes()
            .await
            .unwrap()
            .iter()
            .filter(|node| node.name.contains(".."))
            .count(),
        0
    );
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet.until_current(LIVE).await;
}

/// F-18: connections that close immediately, as a proxy opens them to probe whether control is back, in great number.
#[tokio::test]
async fn connections_that_close_at_once_take_no_place_of_a_stream_and_no_line_of_the_log() {
    // More than the number of streams that are admitted at the same time.
    const PROBES: usize = 600;
    let fleet = Plan::new(1).start().await;
    fleet.until_current(LIVE).await;
    let files = format!("/proc/{}/fd", fleet.control().pid());
    let open = || std::fs::read_dir(&files).map_or(0, Iterator::count);
    let (before, held) = (fleet.log("control"), open());
    for _ in 0..PROBES {
        tokio::net::UnixStream::connect(socket(&fleet))
            .await
            .expect("control accepts");
    }
    let mut node = ScriptedNode::greet(socket(&fleet), hello("next"))
        .await
        .unwrap();
    let first = node.next().await.unwrap();
    assert!(matches!(first, FromControl::Welcome(_)), "{first:?}");
    let closed = || async { same(&(open() <= held + 1), &true) };
    eventually(LIVE, "control closes its ends", closed).await;
    let log = fleet.log("control");
    let new = log[before.len()..].lines();
    let others: Vec<_> = new.filter(|line| !line.contains("next")).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn a_stranger_of_the_same_name_does_not_take_the_stream_of_a_node() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(0)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let mut node = join(&fleet, "n").await;
    let foreign = wire::Hello {
        cluster_id: vec![9; 16].into(),
        ..hello("n")
    };
    let other_protocol = wire::Hello {
        protocol_min: 7,
        protocol_max: 8,
        ..hello("n")
    };
    // Pinned to no cluster, so control does not raise its generation above the one that this node holds.
    let ahead = wire::Hello {
        held: Some(wire::Version {
            generation: u64::from(u32::MAX) + 1,
            revision: 9,
            root: vec![7; 32].into(),
            authored_root: vec![7; 32].into(),
            ..wire::Version::default()
        }),
        ..hello("n")
    };
    for stranger in [foreign, other_protocol, ahead] {
        let mut stranger = ScriptedNode::greet(socket(&fleet), stranger).await.unwrap();
        let answer = stranger.next().await.unwrap();
        assert!(matches!(answer, FromControl::GoAway(_)), "{answer:?}");
    }
    fleet.save(&site("b.test", &[a.address()]));
    node.follow().await.expect("the node keeps its stream");
}

/// F-08: reflection and unknown methods.
#[tokio::test]
async fn methods_that_control_does_not_have_are_unimplemented() {
    let fleet = Plan::new(0).start().await;
    for path in [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/aralez.control.v1.ControlPlane/Shutdown",
        "/nothing.Of/TheSort",
    ] {
        let code = call(socket(&fleet), path).await.unwrap();
        assert_eq!(code, tonic::Code::Unimplemented, "{path}");
    }
}
