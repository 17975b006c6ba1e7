//! The usual stage of a change: a site that goes from one origin to another, on two proxies.

use std::time::{Duration, Instant};

use crate::document::site;
use crate::fleet::{Fleet, LIVE, Plan};
use crate::origin::Origin;

/// What is promised, with room for a busy test machine and a debug build; what it took is printed.
pub const BOUND: Duration = Duration::from_secs(3);

/// Two proxies that serve `a.test` from one of two origins, whose bodies are `a` and `b`.
#[derive(Debug)]
pub struct Stage {
    /// Control and both proxies.
    pub fleet: Fleet,
    /// Answers `a`; live at first.
    pub a: Origin,
    /// Answers `b`.
    pub b: Origin,
}

impl Stage {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn new() -> Self {
        let (a, b) = (Origin::start("a").await, Origin::start("b").await);
        let fleet = Plan::new(2)
            .document(&site("a.test", &[a.address()]))
            .start()
            .await;
        fleet.is_current(LIVE).await;
        fleet.serves(LIVE, "a.test", "a").await;
        Self { fleet, a, b }
    }

    /// The document whose site answers `body`.
    pub fn document(&self, body: &str) -> String {
        let origin = if body == "a" { &self.a } else { &self.b };
        site("a.test", &[origin.address()])
    }

    /// Waits until both proxies serve it and control says so; asserts the bound.
    ///
    /// # Panics
    /// When that does not come, or is not one revision after `before`.
    pub async fn is_live(&self, how: &str, before: u64, body: &str) {
        let start = Instant::now();
        let traffic = self.fleet.serves(LIVE, "a.test", body).await;
        let revision = self.fleet.follows(before).await;
        println!(
            "{how}: traffic after {traffic:?}, seen by the operator after {:?}",
            start.elapsed()
        );
        assert!(traffic < BOUND, "{how}: {traffic:?}");
        assert_eq!(revision, before + 1, "{how}: one change is one revision");
    }

    /// Changes the site by `act`, which is given the document, and waits until that is live everywhere.
    ///
    /// # Panics
    /// As [`Stage::is_live`].
    pub async fn change(&self, how: &str, body: &str, act: impl AsyncFnOnce(&str)) {
        let before = self.fleet.head().await.unwrap();
        act(&self.document(body)).await;
        self.is_live(how, before, body).await;
    }
}
