//! Updates and messages that the machine refuses.

use crate::core::sync::subscription::tests::*;

fn nack(actions: &[Action]) -> FaultCode {
    match &reports(actions)[..] {
        [Report::Nack { faults, .. }] => faults[0].code,
        other => panic!("expected one Nack, got {other:?}"),
    }
}

fn applied(actions: &[Action]) -> bool {
    actions
        .iter()
        .any(|action| matches!(action, Action::Apply(_)))
}

/// F-04: an old version replayed, and another generation.
#[test]
fn a_proxy_never_goes_backwards_and_takes_a_higher_generation() {
    let mut bench = Bench::live(Some(version(2, 5, 1)));
    for older in [version(2, 4, 2), version(1, 9, 2)] {
        let actions = bench.update(1, None, older);
        assert_eq!(nack(&actions), FaultCode::Invalid);
        assert!(!applied(&actions) && bench.machine.refused().is_empty());
    }
    assert!(applied(&bench.update(3, None, version(3, 1, 2))));
}

/// F-04: the same version with another hash.
#[test]
fn the_same_version_with_another_root_is_an_ordinary_difference() {
    let mut bench = Bench::live(Some(version(2, 5, 1)));
    assert!(applied(&bench.update(1, Some(1), version(2, 5, 2))));
}

#[test]
fn a_delta_from_a_root_that_is_not_held_is_refused_and_the_stream_opened_anew() {
    let mut bench = Bench::live(Some(version(1, 5, 1)));
    let actions = bench.hear(begin(1, Some(7), version(1, 6, 8)));
    assert_eq!(nack(&actions), FaultCode::HashMismatch);
    assert!(dialled(&actions).is_some());
    assert!(bench.machine.refused().is_empty());
}

/// Records with another root than announced.
#[test]
fn records_that_come_to_another_root_do_not_speak_against_the_announced_one() {
    let mut bench = Bench::live(Some(version(1, 5, 1)));
    let to = version(1, 6, 2);
    bench.update(1, Some(1), to);
    let faults: Faults = Fault::whole(FaultCode::HashMismatch, "root", "another").into();
    let actions = bench.on(Event::Refused {
        version: to,
        faults,
    });
    assert_eq!(nack(&actions), FaultCode::HashMismatch);
    // If the stream ends before the full snapshot arrives, the next control must not consider the content refused.
    assert!(bench.machine.refused().is_empty());
    assert!(applied(&bench.update(2, None, to)));
}

#[test]
fn a_server_that_does_not_welcome_gives_way_to_the_next() {
    let mut bench = Bench::new(Some(version(1, 5, 1)));
    bench.on(Event::Start);
    bench.on(Event::Connected);
    let away = || Message::GoAway {
        reason: "older".to_owned(),
        retry_min: Duration::from_secs(10),
        retry_max: Duration::from_secs(30),
    };
    let (server, after) = dialled(&bench.hear(away())).unwrap();
    assert!(server == 1 && after < Duration::from_secs(10));
    bench.on(Event::Connected);
    let (server, after) = dialled(&bench.hear(away())).unwrap();
    assert!(server == 0 && after >= Duration::from_secs(10));
}

/// F-04: two controls of different clusters.
#[test]
fn another_cluster_is_left_and_the_next_server_asked() {
    let mut bench = Bench::live(Some(version(1, 5, 1)));
    bench.on(Event::StreamLost);
    bench.on(Event::Connected);
    let actions = bench.hear(welcome(2));
    assert!(matches!(&actions[0], Action::Close(reason) if reason.contains("another cluster")));
    assert_eq!(dialled(&actions).unwrap().0, 1);
}

/// F-02: a snapshot beyond the limit.
#[test]
fn more_than_the_node_takes_is_refused_before_it_is_received() {
    let mut bench = Bench::live(None);
    let actions = bench.hear(Message::Begin(Begin {
        update_id: 1,
        from_root: None,
        to: version(1, 1, 3),
        parts: 1,
        bytes: 1001,
    }));
    assert_eq!(nack(&actions), FaultCode::Limit);
    assert!(bench.hear(part(1, vec![put("a", &[0; 900])])).is_empty());
    assert!(bench.hear(Message::Commit { update_id: 1 }).is_empty());
    assert_eq!(bench.machine.refused().len(), 1);
}

/// F-02: more than was announced.
#[test]
fn more_than_announced_is_refused_and_its_rest_skipped() {
    let mut bench = Bench::live(None);
    bench.hear(begin(1, None, version(1, 1, 3)));
    let actions = bench.hear(part(1, vec![put("a", &[0; 101])]));
    assert_eq!(nack(&actions), FaultCode::Decode);
    assert!(bench.hear(part(1, Vec::new())).is_empty());
    assert!(bench.hear(Message::Commit { update_id: 1 }).is_empty());
    bench.hear(begin(2, None, version(1, 1, 4)));
    bench.hear(part(2, Vec::new()));
    assert_eq!(nack(&bench.hear(part(2, Vec::new()))), FaultCode::Decode);
}

#[test]
fn an_update_with_a_part_missing_is_refused() {
    let mut bench = Bench::live(None);
    bench.hear(begin(1, None, version(1, 1, 3)));
    assert_eq!(
        nack(&bench.hear(Message::Commit { update_id: 1 })),
        FaultCode::Decode
    );
}

/// F-03: a malformed resource.
#[test]
fn an_item_that_cannot_be_named_refuses_the_whole_update() {
    let mut bench = Bench::live(None);
    bench.hear(begin(1, None, version(1, 1, 3)));
    bench.hear(Message::UpdatePart(Part {
        update_id: 1,
        changes: vec![put("a", b"x")],
        faults: vec![Fault::whole(FaultCode::UnknownFeature, "type", "type 99")],
    }));
    assert_eq!(
        nack(&bench.hear(Message::Commit { update_id: 1 })),
        FaultCode::UnknownFeature
    );
}

#[test]
fn what_breaks_the_protocol_ends_the_stream() {
    let broken = [
        part(9, Vec::new()),
        Message::Commit { update_id: 9 },
        Message::Broken("a root of 3 bytes".to_owned()),
        welcome(1),
    ];
    for message in broken {
        let mut bench = Bench::live(None);
        assert!(
            dialled(&bench.hear(message.clone())).is_some(),
            "{message:?}"
        );
    }
    let mut bench = Bench::live(None);
    bench.hear(begin(1, None, version(1, 1, 3)));
    assert!(dialled(&bench.hear(begin(2, None, version(1, 1, 4)))).is_some());
}

#[test]
fn eight_refused_contents_are_remembered_and_one_that_runs_is_forgotten() {
    let mut bench = Bench::live(None);
    for number in 1..=10 {
        let version = version(1, number, number as u8);
        bench.update(number, None, version);
        bench.on(Event::Refused {
            version,
            faults: Fault::whole(FaultCode::Invalid, "", "no").into(),
        });
    }
    let roots = |bench: &Bench| -> Vec<u8> {
        let refused = bench.machine.refused().iter();
        let first = |refusal: &ContentRefusal| refusal.content.root().as_bytes()[0];
        refused.map(first).collect()
    };
    assert_eq!(roots(&bench), [3, 4, 5, 6, 7, 8, 9, 10]);
    bench.update(11, None, version(1, 11, 9));
    let version = version(1, 11, 9);
    bench.on(Event::Applied {
        version,
        took: Duration::ZERO,
    });
    assert_eq!(roots(&bench), [3, 4, 5, 6, 7, 8, 10]);
}

#[test]
fn a_proxy_never_goes_backwards_in_the_operational_layer_of_its_generation() {
    let held = Version {
        operational: 5,
        ..version(1, 4, 4)
    };
    let mut bench = Bench::live(Some(held));
    let older = |generation| Version {
        operational: 4,
        ..version(generation, 6, 6)
    };
    let actions = bench.hear(begin(1, Some(4), older(1)));
    assert!(
        reports(&actions)
            .iter()
            .any(|report| matches!(report, Report::Nack { .. }))
    );
    assert!(applied(&bench.update(2, Some(4), older(2))));
}
