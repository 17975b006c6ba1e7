use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::parallel::InTurn;

fn record(kind: ResourceType, name: &str, payload: &str) -> Record {
    Record::new(
        RecordKey::new(kind, name),
        Bytes::copy_from_slice(payload.as_bytes()),
    )
}

#[test]
fn hashes_come_out_as_in_every_release_before() {
    let host = record(ResourceType::VirtualHost, "example.com", "payload");
    assert_eq!(
        host.leaf().to_string(),
        "372cbd9a423ff056c16727279f6b763890e428a8d2102da16abd15c097f9d407"
    );
    assert_eq!(host.key.bucket(), 2 * 891);
    let roots = |set: &RecordSet| [set.authored_root(), set.root()].map(|root| root.to_string());
    assert_eq!(
        roots(&RecordSet::default()),
        [
            "e7f9425ff54e44e2689305ded81d98b1db212408695178ea8c7acb79b64192e0",
            "54329ca0a27de1fb02d55b6b0c2ca9abc9c01ff384659348320205d4a119d0f3"
        ]
    );
    let pool = record(ResourceType::Pool, "example.com/", "");
    let found = record(ResourceType::Endpoint, "example.com/ 127.0.0.1:80", "");
    assert_eq!(
        roots(&[host.clone(), pool.clone()].into_iter().collect()),
        [
            "858b902fdf261f34fadcd37306d08254001d0b3d6b69eae462dd0f725419d4a8",
            "dac79fec5b33cea8921a6596efb133927c65b6c16afee3b18c642db17910bb23"
        ]
    );
    assert_eq!(
        roots(&[host, pool, found].into_iter().collect()),
        [
            "858b902fdf261f34fadcd37306d08254001d0b3d6b69eae462dd0f725419d4a8",
            "564d2ff424543ffdee93c265fc5fba45a303ee4269ee3eb0631880926dff49d2"
        ]
    );
}

#[test]
fn a_field_that_moves_over_a_border_is_another_hash() {
    let left = record(ResourceType::Pool, "ab", "c");
    let right = record(ResourceType::Pool, "a", "bc");
    assert_ne!(left.leaf(), right.leaf());
}

fn any_record() -> impl Strategy<Value = Record> {
    (0..ResourceType::ALL.len(), "[a-c]{1,2}", "[x-z]{0,2}")
        .prop_map(|(kind, name, payload)| record(ResourceType::ALL[kind], &name, &payload))
}

fn any_changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(
        prop_oneof![
            any_record().prop_map(Change::Put),
            any_record().prop_map(|gone| Change::Delete(gone.key))
        ],
        0..60,
    )
}

fn naive(set: &RecordSet, changes: &[Change]) -> Vec<Record> {
    let mut map: std::collections::BTreeMap<RecordKey, Record> = set
        .iter()
        .map(|record| (record.key.clone(), record.clone()))
        .collect();
    for change in changes {
        match change {
            Change::Put(record) => drop(map.insert(record.key.clone(), record.clone())),
            Change::Delete(key) => drop(map.remove(key)),
        }
    }
    map.into_values().collect()
}

proptest! {
    #[test]
    fn the_root_does_not_depend_on_the_order_of_records(records in prop::collection::vec(any_record(), 0..40)) {
        let unique: std::collections::BTreeMap<_, _> = records.into_iter().map(|r| (r.key.clone(), r)).collect();
        let forward: RecordSet = unique.values().cloned().collect();
        let backward: RecordSet = unique.values().rev().cloned().collect();
        prop_assert_eq!(forward.root(), backward.root());
    }

    #[test]
    fn a_set_made_of_pieces_is_the_one_made_of_all_in_turn(first in prop::collection::vec(any_record(), 0..40), rest in prop::collection::vec(any_record(), 0..40)) {
        let all: Vec<Record> = first.iter().chain(&rest).cloned().collect();
        let expected: RecordSet = all.iter().cloned().collect();
        let pieces = [first.into_iter().collect(), rest.into_iter().collect()];
        for made in [RecordSet::of(pieces, &InTurn), RecordSet::collected(all, &InTurn)] {
            prop_assert_eq!(made.root(), expected.root());
            prop_assert!(made.iter().eq(expected.iter()));
            prop_assert_eq!((made.len(), made.payload_bytes()), (expected.len(), expected.payload_bytes()));
        }
    }

    #[test]
    fn a_set_after_changes_is_what_a_plain_map_would_hold(first in any_changes(), second in any_changes()) {
        let start = RecordSet::default().with(&first);
        let end = start.with(&second);
        let expected = naive(&start, &second);
        prop_assert_eq!(end.len(), expected.len());
        prop_assert_eq!(end.payload_bytes(), expected.iter().map(|r| r.payload.len()).sum::<usize>());
        let expected = expected.into_iter().collect::<RecordSet>();
        prop_assert_eq!(end.root(), expected.root());
        prop_assert_eq!(end.authored_root(), expected.authored_root());
    }

    #[test]
    fn only_what_documents_say_is_in_the_authored_root(first in any_changes(), second in any_changes()) {
        let start = RecordSet::default().with(&first);
        let end = start.with(&second);
        let authored = |set: &RecordSet| set.authored().cloned().collect::<Vec<Record>>();
        prop_assert_eq!(start.authored_root() == end.authored_root(), authored(&start) == authored(&end));
        prop_assert!(end.authored().all(|record| record.key.kind.is_authored()));
        prop_assert!(end.other().all(|record| !record.key.kind.is_authored()));
        prop_assert_eq!(end.authored().count() + end.other().count(), end.len());
    }

    #[test]
    fn a_delta_leads_from_one_set_to_the_other_and_is_empty_between_equals(first in any_changes(), second in any_changes()) {
        let (from, to) = (RecordSet::default().with(&first), RecordSet::default().with(&second));
        let delta = from.delta_to(&to);
        prop_assert_eq!(from.with(&delta).root(), to.root());
        prop_assert!(to.delta_to(&to.clone()).is_empty());
        prop_assert!(delta.iter().all(|change| from.get(change.key()) != to.get(change.key())));
    }
}
