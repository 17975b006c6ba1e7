//! Sources that receive what to find and report their health.

use std::sync::Mutex;

use aralez_proto::model::{Endpoint, PoolName};

use super::*;
use crate::core::source::{Finding, Health, Reports, RunningSource, Source, Wanted};

/// A source scripted by a test.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    reports: Option<Arc<dyn Reports>>,
    wanted: Vec<PoolName>,
    told: usize,
}

impl Source for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn RunningSource>, String> {
        self.0.lock().unwrap().reports = Some(reports);
        Ok(self)
    }
}

impl RunningSource for Scripted {
    fn wants(&mut self, wanted: &Wanted) {
        let mut script = self.0.lock().unwrap();
        script.wanted = wanted.pools().cloned().collect();
        script.told += 1;
    }
}

impl Scripted {
    fn report(&self, finding: Finding) {
        let reports = self.0.lock().unwrap().reports.clone();
        reports.unwrap().report(finding);
    }

    fn find(&self, address: &str) {
        self.report(Finding::Endpoints {
            pool: "a.example/".parse().unwrap(),
            endpoints: vec![Endpoint::new(address.parse().unwrap())],
        });
    }
}

fn health(publisher: &Publisher) -> Health {
    publisher.sources().borrow()["scripted"].0.clone()
}

async fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_source_is_told_which_pools_the_documents_have_and_again_when_they_are_others() {
    let publisher = Disk::default().open();
    let source = Scripted::default();
    let _following = publisher.follow(vec![Box::new(source.clone())]).unwrap();
    let wants = |names: &[&str]| {
        let wanted = source.0.lock().unwrap().wanted.clone();
        wanted
            .iter()
            .map(PoolName::as_str)
            .eq(names.iter().copied())
    };
    until(|| source.0.lock().unwrap().told > 0).await;
    assert!(wants(&[]), "there is no document yet");
    publisher.commit(push(GOOD)).await.unwrap();
    until(|| wants(&["a.example/"])).await;
    let told = source.0.lock().unwrap().told;
    source.find("10.0.0.9:80");
    let mut views = publisher.views();
    let found = views.wait_for(|views| views.version().sequence > 0);
    found.await.unwrap();
    publisher
        .commit(push(&format!("{GOOD}{OTHER}")))
        .await
        .unwrap();
    until(|| wants(&["a.example/", "b.example/"])).await;
    let once = source.0.lock().unwrap().told - told;
    assert_eq!(
        once, 1,
        "endpoints that come and go change nothing of what is wanted"
    );
}

#[tokio::test]
async fn a_source_that_fails_takes_nothing_away_and_is_shown_until_it_answers_again() {
    let publisher = Disk::default().open();
    publisher.commit(push(GOOD)).await.unwrap();
    let source = Scripted::default();
    let _following = publisher.follow(vec![Box::new(source.clone())]).unwrap();
    assert_eq!(health(&publisher), Health::Waiting);
    let mut views = publisher.views();
    views.mark_unchanged();
    source.find("10.0.0.9:80");
    views.changed().await.unwrap();
    let before = root(&publisher);
    source.report(Finding::Failing("no route to host".to_owned()));
    assert_eq!(health(&publisher).reason(), Some("no route to host"));
    let long = tokio::time::timeout(Duration::from_millis(300), views.changed());
    assert!(long.await.is_err(), "nothing is published");
    assert_eq!(root(&publisher), before);
    source.find("10.0.0.9:80");
    assert_eq!(health(&publisher), Health::Good);
}

#[tokio::test]
async fn the_newest_of_many_reports_counts_and_the_others_cost_nothing() {
    let publisher = Disk::default().open();
    publisher.commit(push(GOOD)).await.unwrap();
    let source = Scripted::default();
    let _following = publisher.follow(vec![Box::new(source.clone())]).unwrap();
    for number in 1..=200 {
        source.find(&format!("10.0.1.{number}:80"));
    }
    let last = |views: &Arc<Views>| {
        let pool: PoolName = "a.example/".parse().unwrap();
        let view = views.view(&GroupName::default());
        let endpoints = view.resources().pools().endpoints(&pool).unwrap().to_vec();
        let last = Endpoint::new("10.0.1.200:80".parse().unwrap());
        endpoints.len() == 2 && endpoints.contains(&last)
    };
    let mut views = publisher.views();
    let found = tokio::time::timeout(Duration::from_secs(10), views.wait_for(last));
    let sequence = found.await.unwrap().unwrap().version().sequence;
    assert!(sequence <= 3, "{sequence} versions for one that lasts");
}

#[tokio::test]
async fn a_proof_has_begun_before_anybody_sees_the_views() {
    let disk = Disk::default();
    let fleet = SharedFleet::default();
    let publisher = disk.open_telling(fleet.clone());
    let mut views = publisher.views();
    let committing = publisher.clone();
    let commit = tokio::spawn(async move { committing.commit(push(GOOD)).await });
    views.changed().await.unwrap();
    assert!(fleet.lock().proof(1).is_some());
    commit.await.unwrap().unwrap();
    // The proof of the head found at a start has begun, too.
    drop(publisher);
    let fleet = SharedFleet::default();
    let _publisher = disk.open_telling(fleet.clone());
    assert!(fleet.lock().proof(1).is_some());
}
