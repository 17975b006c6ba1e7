use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::model::Endpoint;

use super::*;

fn layers(text: &str) -> Layers {
    let documents = DocumentSet::of_main(text.to_owned().into());
    Layers {
        authored: Arc::new(document::read(&documents, &Surroundings::default()).unwrap()),
        ..Layers::default()
    }
}

fn version(revision: u64) -> Version {
    Version {
        generation: 7,
        revision,
        ..Version::default()
    }
}

fn group(name: &str) -> GroupName {
    name.parse().unwrap()
}

fn host(name: &str, groups: &str) -> String {
    let groups = match groups {
        "" => String::new(),
        groups => format!("groups: [{groups}], "),
    };
    format!("{name}: {{{groups}paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n")
}

#[test]
fn all_views_of_a_head_have_its_version_and_each_its_root() {
    let layers = layers(&(host("a.example", "") + &host("b.example", "eu")));
    let views = Views::default().next(version(1), &layers).unwrap();
    let (eu, us) = (views.view(&group("eu")), views.view(&group("us")));
    assert!(eu.version().order(&us.version()).is_eq());
    assert_ne!(eu.version().root, us.version().root);
    assert_eq!(us.version(), views.version());
    assert_eq!(us.version().root, us.records().root());
    assert_eq!(
        (eu.resources().hosts().len(), us.resources().hosts().len()),
        (2, 1)
    );
}

#[test]
fn only_the_groups_whose_hosts_changed_are_touched() {
    let text = |eu: &str| host("a.example", "") + &host(eu, "eu") + &host("c.example", "us");
    let first = Views::default()
        .next(version(1), &layers(&text("b.example")))
        .unwrap();
    let second = first.next(version(2), &layers(&text("d.example"))).unwrap();
    let touched = second.touched_since(&first);
    assert!(touched.contains(&group("eu")));
    assert!(!touched.contains(&group("us")) && !touched.contains(&group("other")));
    assert_eq!(touched.to_string(), "eu");
    // An untouched view still gets the new version, under the same root.
    let (before, after) = (first.view(&group("us")), second.view(&group("us")));
    assert_eq!(before.version().root, after.version().root);
    assert_eq!(after.version().revision, 2);
}

#[test]
fn a_host_for_all_touches_all() {
    let first = Views::default()
        .next(version(1), &layers(&host("b.example", "eu")))
        .unwrap();
    let text = host("a.example", "") + &host("b.example", "eu");
    let second = first.next(version(2), &layers(&text)).unwrap();
    assert_eq!(second.touched_since(&first).to_string(), "all");
}

#[test]
fn a_group_that_gets_and_loses_a_view_of_its_own_keeps_its_settings() {
    let settings = "to_https: true\n";
    let plain = layers(&(settings.to_owned() + &host("a.example", "")));
    let split = layers(&(settings.to_owned() + &host("a.example", "") + &host("b.example", "eu")));
    let first = Views::default().next(version(1), &plain).unwrap();
    let second = first.next(version(2), &split).unwrap();
    let third = second.next(version(3), &plain).unwrap();
    for views in [&first, &second, &third] {
        assert_eq!(
            views
                .view(&group("eu"))
                .resources()
                .settings()
                .rules
                .to_https
                .0,
            Some(true)
        );
    }
    assert_eq!(second.touched_since(&first).to_string(), "eu");
    assert_eq!(third.touched_since(&second).to_string(), "eu");
    assert_eq!(third.version().root, first.version().root);
}

#[test]
fn equal_content_touches_nobody() {
    let text = host("a.example", "") + &host("b.example", "eu");
    let first = Views::default().next(version(1), &layers(&text)).unwrap();
    let second = first
        .next(version(2), &layers(&format!("# why\n{text}")))
        .unwrap();
    assert!(second.touched_since(&first).is_empty());
    assert_eq!(second.touched_since(&first).to_string(), "none");
}

#[test]
fn a_view_made_step_by_step_is_the_one_made_at_once() {
    let texts = [
        host("a.example", ""),
        host("a.example", "eu") + &host("b.example", ""),
        host("c.example", "eu, us"),
    ];
    let mut views = Views::default();
    for (revision, text) in (1..).zip(&texts) {
        views = views.next(version(revision), &layers(text)).unwrap();
    }
    let at_once = Views::default()
        .next(version(3), &layers(&texts[2]))
        .unwrap();
    for name in ["eu", "us", "other"] {
        assert_eq!(
            views.view(&group(name)).version(),
            at_once.view(&group(name)).version()
        );
    }
}

#[test]
fn endpoints_that_were_found_lead_to_the_views_that_a_new_reading_of_everything_leads_to() {
    let text = host("a.example", "") + &host("b.example", "eu") + &host("c.example", "us");
    let mut layers = layers(&text);
    let mut views = Views::default().next(version(1), &layers).unwrap();
    let found = |pool: &str, addresses: &[&str]| {
        let endpoint = |address: &&str| Endpoint::new(address.parse().unwrap());
        let endpoints: Vec<Endpoint> = addresses.iter().map(endpoint).collect();
        (pool.parse().unwrap(), endpoints)
    };
    let steps: [(PoolName, Vec<Endpoint>); 5] = [
        found("a.example/", &["10.0.0.2:80", "10.0.0.3:80"]),
        found("b.example/", &["10.0.0.1:80", "10.0.0.4:80"]),
        found("gone.example/", &["10.0.0.5:80"]),
        found("a.example/", &["10.0.0.3:80", "10.0.0.6:80"]),
        found("c.example/", &["10.0.0.7:80"]),
    ];
    for (step, (pool, answer)) in steps.into_iter().enumerate() {
        assert!(layers.discovered.answered(&pool, answer).is_some());
        let pools = BTreeSet::from([pool]);
        let next = views.rediscovered(&layers, &pools).unwrap();
        let whole = Views::default().next(version(1), &layers).unwrap();
        for name in ["eu", "us", "other"] {
            let (next, whole) = (next.view(&group(name)), whole.view(&group(name)));
            assert_eq!(next.version().root, whole.version().root, "{step} {name}");
            assert_eq!(next.version().root, next.records().root());
            assert!(next.version().order(&version(1)).is_eq());
        }
        assert_eq!(next.version().sequence, step as u64 + 1);
        views = next;
    }
}
