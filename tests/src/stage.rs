//! The standard stage for a change: a site that moves from one origin to the other, on two proxies.

use std::time::{Duration, Instant};

use crate::document::site;
use crate::fleet::{Fleet, LIVE, Plan};
use crate::origin::Origin;

/// The promised bound, with a margin for a busy test machine and a debug build. The measured time is printed.
pub const BOUND: Duration = Duration::from_secs(3);

/// Two proxies that serve `a.test` from one of two origins, whose bodies are `a` and `b`.
#[derive(Debug)]
pub struct Stage {
    /// Control and both proxies.
    pub fleet: Fleet,
    /// Answers `a`; initially live.
    pub a: Origin,
    /// Answers `b`.
    pub b: Origin,
}

impl Stage {
    /// Starts the stage with `a` live.
    ///
    /// # Panics
    /// Panics if it does not come up.
    pub async fn new() -> Self {
        let (a, b) = (Origin::start("a").await, Origin::start("b").await);
        let fleet = Plan::new(2)
            .document(&site("a.test", &[a.address()]))
            .start()
            .await;
        fleet.until_current(LIVE).await;
        fleet.until_serving(LIVE, "a.test", "a").await;
        Self { fleet, a, b }
    }

    /// Returns the document whose site answers `body`.
    pub fn document(&self, body: &str) -> String {
        let origin = if body == "a" { &self.a } else { &self.b };
        site("a.test", &[origin.address()])
    }

    /// Waits until both proxies serve `body` and control reports that, and asserts the bound.
    ///
    /// # Panics
    /// Panics if that does not happen, or if the change is not exactly one revision after `before`.
    pub async fn is_live(&self, how: &str, before: u64, body: &str) {
        let start = Instant::now();
        let traffic = self.fleet.until_serving(LIVE, "a.test", body).await;
        let revision = self.fleet.follows(before).await;
        println!(
            "{how}: traffic after {traffic:?}, seen by the operator after {:?}",
            start.elapsed()
        );
        assert!(traffic < BOUND, "{how}: {traffic:?}");
        assert_eq!(revision, before + 1, "{how}: one change is one revision");
    }

    /// Changes the site by `act`, which receives the document, and waits until the change is live everywhere.
    ///
    /// # Panics
    /// As [`Stage::is_live`].
    pub async fn change(&self, how: &str, body: &str, act: impl AsyncFnOnce(&str)) {
        let before = self.fleet.head().await.unwrap();
        act(&self.document(body)).await;
        self.is_live(how, before, body).await;
    }
}

/// One proxy that serves `a.test`, whose configuration must not change.
#[derive(Debug)]
pub struct UnchangedStage {
    /// Control and the proxy.
    pub fleet: Fleet,
    /// The revision of its document.
    pub head: u64,
    /// The endpoint of the site, which answers `a`.
    pub a: Origin,
}

impl UnchangedStage {
    /// Starts the stage.
    ///
    /// # Panics
    /// Panics if it does not come up.
    pub async fn new() -> Self {
        let a = Origin::start("a").await;
        let fleet = Plan::one_site(&a, "").await;
        let head = fleet.until_current(LIVE).await;
        Self { fleet, head, a }
    }

    /// Asserts that the head and the site are still those of the start.
    ///
    /// # Panics
    /// Panics if they are not.
    pub async fn nothing_changed(&self) {
        assert_eq!(self.fleet.until_current(LIVE).await, self.head);
        let response = self.fleet.get(0, "a.test", "/").await;
        assert_eq!(response.expect("the site is served").text(), "a");
    }
}
