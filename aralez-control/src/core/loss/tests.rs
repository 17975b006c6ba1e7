use std::sync::Arc;

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::version::Version;
use proptest::prelude::*;

use super::*;
use crate::core::layers::Layers;

/// A host whose pool has `endpoints` endpoints, numbered from `first`.
fn host(name: &str, first: usize, endpoints: usize) -> String {
    let servers = (first..first + endpoints).map(|number| {
        let (high, low) = (number / 200, number % 200 + 1);
        format!("'10.0.{high}.{low}:80'")
    });
    let servers: Vec<String> = servers.collect();
    format!(
        "{name}: {{paths: {{/: {{servers: [{}]}}}}}}\n",
        servers.join(", ")
    )
}

fn hosts(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|number| host(&format!("h{number}.example"), 0, 1))
        .collect()
}

fn views(text: &str) -> Views {
    let documents = DocumentSet::of_main(text.to_owned().into());
    let layers = Layers {
        authored: Arc::new(document::read(&documents, &Surroundings::default()).unwrap()),
        ..Layers::default()
    };
    let version = Version {
        revision: 1,
        ..Version::default()
    };
    Views::default().next(version, &layers).unwrap()
}

fn said(before: &str, after: &str) -> Vec<String> {
    let losses = losses(&views(before), &views(after));
    losses.iter().map(Loss::to_string).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn over_half_of_a_pool_of_four_or_more_is_a_loss() {
    let pool = |endpoints| host("a.example", 0, endpoints);
    assert_eq!(
        said(&pool(4), &pool(1)),
        ["removes 3 of 4 endpoints of pool a.example/"]
    );
    assert_eq!(
        said(&pool(5), &pool(2)),
        ["removes 3 of 5 endpoints of pool a.example/"]
    );
    assert_eq!(said(&pool(4), &pool(2)), NOTHING, "half is not over half");
    assert_eq!(said(&pool(3), &pool(1)), NOTHING, "three are few");
}

#[test]
fn over_half_of_ten_or_more_hosts_is_a_loss() {
    assert_eq!(said(&hosts(0..10), &hosts(0..4)), ["removes 6 of 10 hosts"]);
    assert_eq!(
        said(&hosts(0..10), &hosts(0..5)),
        NOTHING,
        "half is not over half"
    );
    assert_eq!(said(&hosts(0..9), &hosts(0..1)), NOTHING, "nine are few");
}

/// F-16, on the side of control: an empty configuration needs a confirmation, however small the previous one was.
#[test]
fn the_loss_of_every_host_is_one_however_few_there_were() {
    assert_eq!(said(&hosts(0..1), ""), ["removes 1 of 1 hosts"]);
    assert_eq!(said("", ""), NOTHING);
}

#[test]
fn the_first_configuration_and_a_growing_one_lose_nothing() {
    assert!(losses(&Views::default(), &views(&hosts(0..20))).is_empty());
    assert_eq!(said(&hosts(0..10), &hosts(0..40)), NOTHING);
    assert_eq!(
        said(&host("a.example", 0, 4), &host("a.example", 0, 40)),
        NOTHING
    );
}

#[test]
fn a_pool_whose_endpoints_are_all_replaced_by_as_many_loses_nothing() {
    let (blue, green) = (host("a.example", 0, 4), host("a.example", 4, 4));
    assert_eq!(said(&blue, &green), NOTHING);
    let less = host("a.example", 4, 1);
    assert_eq!(
        said(&blue, &less),
        ["removes 3 of 4 endpoints of pool a.example/"]
    );
}

#[test]
fn hosts_under_new_names_are_hosts_removed() {
    assert_eq!(
        said(&hosts(0..12), &hosts(7..19)),
        ["removes 7 of 12 hosts"]
    );
}

#[test]
fn a_pool_that_goes_with_its_host_is_no_loss_of_its_own() {
    let two = format!("{}{}", host("a.example", 0, 8), host("b.example", 0, 1));
    assert_eq!(said(&two, &host("b.example", 0, 1)), NOTHING);
}

#[test]
fn every_group_is_judged_by_its_own_view_and_a_pool_is_named_once() {
    let of_group = |numbers: std::ops::Range<usize>| -> String {
        let one = |number| {
            format!(
                "g{number}.example: {{groups: [edge], paths: {{/: {{servers: ['10.1.0.1:80']}}}}}}\n"
            )
        };
        numbers.map(one).collect()
    };
    let before = format!("{}{}", host("a.example", 0, 4), of_group(0..11));
    let after = format!("{}{}", host("a.example", 0, 1), of_group(0..2));
    assert_eq!(
        said(&before, &after),
        [
            "removes 9 of 12 hosts of group edge",
            "removes 3 of 4 endpoints of pool a.example/"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn losses_are_what_counting_by_hand_finds(
        before in proptest::collection::btree_map(0..16_usize, 1..8_usize, 1..16),
        after in proptest::collection::btree_map(0..16_usize, 1..8_usize, 0..16),
    ) {
        let text = |hosts: &std::collections::BTreeMap<usize, usize>| -> String {
            hosts.iter().map(|(name, endpoints)| host(&format!("h{name}.example"), 0, *endpoints)).collect()
        };
        let mut expected = Vec::new();
        let gone = before.keys().filter(|name| !after.contains_key(name)).count();
        if gone > 0 && (after.is_empty() || (before.len() >= 10 && gone * 2 > before.len())) {
            expected.push((LossScope::Hosts, before.len(), gone));
        }
        for (name, had) in &before {
            let Some(left) = after.get(name) else { continue };
            if *had >= 4 && left * 2 < *had {
                let pool = format!("h{name}.example/").parse().unwrap();
                expected.push((LossScope::Pool(pool), *had, had - left));
            }
        }
        expected.sort();
        let found = losses(&views(&text(&before)), &views(&text(&after)));
        let found: Vec<_> = found.into_iter().map(|loss| (loss.from, loss.before, loss.removed)).collect();
        prop_assert_eq!(found, expected);
    }
}
