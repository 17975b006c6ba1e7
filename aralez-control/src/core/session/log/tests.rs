use std::sync::Arc;

use aralez_proto::snapshot::SharedSnapshot;

use super::*;
use crate::core::session::Recent;
use crate::core::session::tests::fixtures::{snapshot, spec};

/// A view in which one host changes with every revision.
fn view(revision: u64) -> SharedSnapshot {
    let port = 1_000 + u16::try_from(revision % 1_000).unwrap();
    snapshot(
        revision,
        &spec(&[("a.example", revision, &[port]), ("b.example", 1, &[1])]),
    )
}

fn after(revisions: u64) -> Recent {
    (2..=revisions).fold(Recent::new(view(1)), |recent, revision| {
        recent.followed_by(&view(revision)).unwrap()
    })
}

#[test]
fn a_snapshot_of_long_ago_is_made_again_as_it_was() {
    let recent = after(200);
    for revision in [1, 2, 63, 64, 65, 128, 150, 199, 200] {
        let then = view(revision);
        let found = recent.find(then.version().root).unwrap();
        assert_eq!(found.version(), then.version());
        assert_eq!(found.records().root(), then.version().root);
        assert!(found.resources().hosts().len() == 2);
    }
    assert!(
        recent
            .find(snapshot(7, &spec(&[])).version().root)
            .is_none()
    );
}

#[test]
fn many_nodes_that_come_back_from_one_version_share_it() {
    let recent = after(100);
    let root = view(3).version().root;
    let [first, second] = [(), ()].map(|()| recent.find(root).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn the_same_content_again_makes_no_step() {
    let recent = after(3);
    assert!(recent.followed_by(&Arc::clone(recent.newest())).is_none());
}

#[test]
fn the_log_is_bounded_and_forgets_the_oldest() {
    let kept = u64::try_from(MOST_STEPS).unwrap();
    let recent = after(kept + 200);
    assert!(recent.find(view(2).version().root).is_none());
    assert!(recent.find(view(400).version().root).is_some());
}
