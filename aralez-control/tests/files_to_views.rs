//! The way of files on disk through source, publisher and ledger to the views, as an operator who edits files sees it.

#![allow(clippy::unwrap_used, reason = "a helper of a test is a test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_control::core::fleet::SharedFleet;
use aralez_control::core::hold::HOLD;
use aralez_control::core::layers::Discovered;
use aralez_control::core::status::SourceStatus;
use aralez_control::core::views::Views;
use aralez_control::ledger::Ledger;
use aralez_control::publisher::{Following, Publisher, PublisherParts};
use aralez_control::source::file::{FileSource, MainDocument, WRITER_PATIENCE, WriteEvents};
use aralez_proto::document::Surroundings;
use aralez_proto::model::GroupName;

const PATIENCE: Duration = Duration::from_secs(20);

struct Control {
    publisher: Publisher,
    following: Following,
}

impl Control {
    fn start(dir: &Path) -> Self {
        let main = dir.join("upstreams.yaml");
        let store = Ledger::open(&dir.join("state")).unwrap();
        let writers = WriteEvents::default();
        let parts = PublisherParts {
            store: Box::new(store),
            main_file: Some(Box::new(MainDocument::new(main.clone(), writers.clone()))),
            files: Some(Box::new(MainDocument::new(main.clone(), writers.clone()))),
            heads: Arc::new(SharedFleet::default()),
            discovered: Discovered::default(),
            surroundings: Surroundings::default(),
            hold: HOLD,
            settling: aralez_control::publisher::SETTLING,
        };
        let publisher = Publisher::open(parts).unwrap();
        let source = FileSource::new(&main, publisher.known_files(), writers, WRITER_PATIENCE);
        let following = publisher.follow(vec![Box::new(source)]).unwrap();
        Self {
            publisher,
            following,
        }
    }

    async fn stop(self) {
        // The ledger must be closed before it is opened again.
        self.following.stop().await;
        // A commit that the writer has begun still completes. The writer handles this request after it.
        let _ = self.publisher.discovered().await;
    }

    async fn until_hosts(&self, wanted: &[&str]) -> u64 {
        let mut views = self.publisher.views();
        let found = views.wait_for(|views| hosts(views) == wanted);
        let found = tokio::time::timeout(PATIENCE, found).await;
        found
            .expect("views not reached within 20 s")
            .unwrap()
            .version()
            .revision
    }

    async fn until_status(&self, what: impl Fn(&SourceStatus) -> bool) {
        let mut status = self.publisher.source_status();
        let found = status.wait_for(|status| what(status));
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.expect("status not reached within 20 s").unwrap();
    }
}

fn hosts(views: &Views) -> Vec<String> {
    let view = views.view(&GroupName::default());
    let hosts = view.resources().hosts().iter();
    let mut names: Vec<String> = hosts.map(|(pattern, _)| pattern.to_string()).collect();
    names.sort();
    names
}

fn host(name: &str) -> String {
    format!("{name}: {{paths: {{/: {{servers: ['10.0.0.1:80']}}}}}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_live_well_within_a_second_and_control_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("upstreams.yaml");
    let control = Control::start(dir.path());
    // Without a file, the configuration is empty and the source reports a warning.
    control
        .until_status(|status| !status.warnings.is_empty())
        .await;
    fs::write(&main, host("a.example")).unwrap();
    control.until_hosts(&["a.example"]).await;
    let begun = Instant::now();
    fs::write(&main, host("b.example")).unwrap();
    let revision = control.until_hosts(&["b.example"]).await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "live after {:?}",
        begun.elapsed()
    );
    control.stop().await;

    fs::write(&main, "b.example: {paths: oops}\n").unwrap();
    let control = Control::start(dir.path());
    assert_eq!(control.until_hosts(&["b.example"]).await, revision);
    control
        .until_status(|status| !status.faults.is_empty())
        .await;
    fs::write(&main, host("c.example")).unwrap();
    assert_eq!(control.until_hosts(&["c.example"]).await, revision + 1);
    control
        .until_status(|status| status.faults.is_empty() && status.warnings.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_conf_d_brings_its_hosts_and_takes_them_along() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("upstreams.yaml"), host("a.example")).unwrap();
    let control = Control::start(dir.path());
    control.until_hosts(&["a.example"]).await;
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    let extra = dir.path().join("conf.d/x.yaml");
    fs::write(&extra, host("x.example")).unwrap();
    control.until_hosts(&["a.example", "x.example"]).await;
    fs::remove_file(extra).unwrap();
    control.until_hosts(&["a.example"]).await;
    fs::remove_file(dir.path().join("upstreams.yaml")).unwrap();
    control
        .until_status(|status| !status.warnings.is_empty())
        .await;
    control.until_hosts(&["a.example"]).await;
}
