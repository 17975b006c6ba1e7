//! The conditions that tests wait for.

use std::time::Duration;

use super::{Fleet, LIVE, START};
use crate::eventually::{eventually, same};
use crate::raw;

impl Fleet {
    /// Waits until every running proxy answers `GET /` for `host` with `body`. Returns the time that it took.
    ///
    /// # Panics
    /// If that does not happen within `limit`, for each proxy.
    pub async fn until_serving(&self, limit: Duration, host: &str, body: &str) -> Duration {
        let start = tokio::time::Instant::now();
        for proxy in self.running() {
            self.serves_on(proxy, limit, host, body).await;
        }
        start.elapsed()
    }

    /// As [`Fleet::until_serving`], for one proxy.
    ///
    /// # Panics
    /// If that does not happen within `limit`.
    pub async fn serves_on(&self, proxy: usize, limit: Duration, host: &str, body: &str) {
        let what = format!("proxy-{proxy} serves {body:?} for {host}");
        eventually(limit, &what, || async move {
            let response = self.get(proxy, host, "/").await?;
            if response.status == 200 && response.text() == body {
                return Ok(());
            }
            Err(format!("{}: {:?}", response.status, response.text()))
        })
        .await;
    }

    /// Waits until a proxy reports that it drains. The status alone is not sufficient: a proxy that is starting is not ready either.
    ///
    /// # Panics
    /// If that does not happen within [`LIVE`].
    pub async fn until_draining(&self, proxy: usize) {
        let draining = || async {
            let ready = raw::get(self.admin(proxy), "admin", "/readyz").await?;
            same(&ready.json()["reason"].as_str(), &Some("draining"))
        };
        eventually(LIVE, "the proxy drains", draining).await;
    }

    /// Waits until control and all running proxies agree that each runs control's head. Returns the revision of the head.
    ///
    /// # Panics
    /// If that does not happen within `limit`.
    pub async fn until_current(&self, limit: Duration) -> u64 {
        eventually(limit, "the fleet is current", || self.current()).await
    }

    /// Waits until a proxy reports that it is ready.
    ///
    /// # Panics
    /// If that does not happen within [`LIVE`].
    pub async fn until_ready(&self, proxy: usize) {
        let ready = || async {
            let ready = raw::get(self.admin(proxy), "admin", "/readyz").await?;
            same(&ready.status, &200)
        };
        eventually(LIVE, "the proxy is ready", ready).await;
    }

    pub(super) async fn current(&self) -> Result<u64, String> {
        let head = self.head().await?;
        for proxy in self.running() {
            let node = self.node(proxy).await?;
            let version = self.version(proxy).await?;
            if !node.connected || node.running != Some(head) {
                return Err(format!("head {head}, {node:?}"));
            }
            if version["revision"].as_u64() != Some(head) {
                return Err(format!("head {head}, proxy-{proxy} says {version}"));
            }
        }
        Ok(head)
    }

    pub(super) async fn control_is_up(&self) {
        let answers = || async {
            raw::get(self.api(), "control", "/v1/status")
                .await
                .map(drop)
        };
        eventually(START, "control answers", answers).await;
    }

    pub(super) async fn proxy_is_up(&self, proxy: usize) {
        let answers = || async {
            raw::get(self.admin(proxy), "admin", "/livez")
                .await
                .map(drop)
        };
        eventually(START, "the proxy is alive", answers).await;
    }
}
