use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[test]
fn a_copy_keeps_what_it_had_when_the_other_changes() {
    let mut first: PersistentMap<String, u32> = PersistentMap::default();
    for number in 0..1000 {
        first.insert(number.to_string(), number);
    }
    let mut second = first.clone();
    second.change("9".to_owned(), |value| *value = 900);
    second.change("new".to_owned(), |value| *value += 1);
    assert_eq!((first.get("9"), first.get("new")), (Some(&9), None));
    assert_eq!((second.get("9"), second.get("new")), (Some(&900), Some(&1)));
    second.remove("new");
    second.insert("7".to_owned(), 700);
    second.remove("8");
    assert_eq!(
        (first.get("7"), first.get("8"), first.len()),
        (Some(&7), Some(&8), 1000)
    );
    assert_eq!(
        (second.get("7"), second.get("8"), second.len()),
        (Some(&700), None, 999)
    );
    assert_eq!(second.iter().count(), 999);
}

fn sorted(shards: &PersistentMap<String, Vec<u8>>) -> BTreeMap<&String, &Vec<u8>> {
    shards.iter().collect()
}

proptest! {
    #[test]
    fn a_batch_changes_what_its_changes_do_one_by_one(
        before in prop::collection::vec(("[a-f]{1,2}", 0..9_u8), 0..20),
        changes in prop::collection::vec(("[a-f]{1,2}", 0..9_u8), 0..40),
    ) {
        let mut one_by_one: PersistentMap<String, Vec<u8>> = PersistentMap::default();
        for (key, value) in before {
            one_by_one.change(key, |values| values.push(value));
        }
        let mut at_once = one_by_one.clone();
        let mut batch = at_once.batch();
        for (key, value) in changes {
            batch.push(key.clone(), value);
            one_by_one.change(key, |values| values.push(value));
        }
        at_once.change_all(batch, Vec::push);
        prop_assert_eq!(sorted(&at_once), sorted(&one_by_one));
        prop_assert_eq!(at_once.len(), one_by_one.len());
        let long = |values: &Vec<u8>| (values.len() > 1).then(|| values.clone());
        let kept = at_once.filter_map(|_, values| long(values));
        let expected = at_once.iter().filter(|(_, values)| values.len() > 1);
        prop_assert_eq!(sorted(&kept), expected.collect::<BTreeMap<_, _>>());
        prop_assert_eq!(kept.len(), kept.iter().count());
        prop_assert!(kept.iter().all(|(key, values)| at_once.get(key) == Some(values)));
    }
}
