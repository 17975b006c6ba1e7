//! Endpoints that a source finds while control runs: they are served, kept over a restart, and never removed by a failing source.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;

/// A fleet whose document has one endpoint and whose source finds another one.
struct Two {
    fleet: Fleet,
    written: Origin,
    found: Origin,
}

impl Two {
    async fn start() -> Self {
        let (written, found) = (Origin::start("written").await, Origin::start("found").await);
        let mut fleet = Plan::new(2)
            .scripted()
            .control_arguments(&["--checkpoint-ms", "50"])
            .document(&site("a.test", &[written.address()]))
            .lay_out();
        fleet.start_control().await;
        fleet.start_proxy(0).await;
        let two = Self {
            fleet,
            written,
            found,
        };
        two.find();
        two
    }

    fn find(&self) {
        let line = format!("a.test/ {}\n", self.found.address());
        self.fleet.script(&line);
    }

    /// Waits until the proxy sends a request to the found endpoint.
    async fn is_served(&self, proxy: usize) {
        self.fleet.serves_on(proxy, LIVE, "a.test", "found").await;
    }

    async fn checkpoint_is_written(&self) {
        let file = self.fleet.state().join("control/discovered.arz");
        let written = || async {
            file.exists()
                .then_some(())
                .ok_or("there is none".to_owned())
        };
        eventually(LIVE, "the checkpoint is written", written).await;
    }

    async fn source(&self) -> Result<(String, String), String> {
        let status = self.fleet.ask("/v1/status").await?;
        let sources = status["sources"].as_array().cloned().unwrap_or_default();
        let script = sources.iter().find(|source| source["name"] == "script");
        let script = script.ok_or_else(|| status.to_string())?;
        let text = |field: &str| script[field].as_str().unwrap_or_default().to_owned();
        Ok((text("health"), text("reason")))
    }
}

#[tokio::test]
async fn a_killed_control_goes_on_with_the_endpoints_that_a_source_found_before() {
    let mut two = Two::start().await;
    two.is_served(0).await;
    two.checkpoint_is_written().await;
    two.fleet.kill_control();
    // From here on the source finds nothing.
    two.fleet.end_script();
    two.fleet.start_control().await;
    // This proxy has no cache: everything it serves comes from the restarted control.
    two.fleet.start_proxy(1).await;
    two.is_served(1).await;
    two.is_served(0).await;
    let status = two.fleet.ask("/v1/status").await.unwrap();
    assert_eq!(status["revision"], 1, "what is found makes no revision");
    assert!(
        two.written.count() > 0,
        "the document's endpoint serves as well"
    );
}

#[tokio::test]
async fn a_source_that_fails_or_finds_nothing_takes_no_endpoint_away_and_the_operator_sees_why() {
    let two = Two::start().await;
    two.is_served(0).await;
    for bad in ["failing no route to host\n", "a.test/\n"] {
        two.fleet.script(bad);
        stays(Duration::from_secs(1), "what was found stays", || async {
            let version = two.fleet.version(0).await?;
            same(&version["sequence"].as_u64(), &Some(1))
        })
        .await;
        two.is_served(0).await;
        if bad.starts_with("failing") {
            let failing = ("failing".to_owned(), "no route to host".to_owned());
            let shown = || async { same(&two.source().await?, &failing) };
            eventually(LIVE, "the source is shown as failing", shown).await;
            let status = text(&two.fleet.ctl(&["status"]).await);
            assert!(status.contains("script has been failing"), "{status}");
            assert!(status.contains("no route to host"), "{status}");
        }
    }
    two.find();
    let good = ("good".to_owned(), String::new());
    let shown = || async { same(&two.source().await?, &good) };
    eventually(LIVE, "the source is good again", shown).await;
}

#[tokio::test]
async fn a_damaged_checkpoint_is_set_aside_and_control_starts_without_it() {
    let mut two = Two::start().await;
    two.is_served(0).await;
    two.checkpoint_is_written().await;
    two.fleet.kill_control();
    let file = two.fleet.state().join("control/discovered.arz");
    std::fs::write(&file, b"ARZD\x01damaged").unwrap();
    two.fleet.end_script();
    two.fleet.start_control().await;
    assert!(file.with_extension("arz.corrupt").exists());
    let log = two.fleet.log("control");
    assert!(log.contains("set aside as"), "{log}");
    two.fleet.start_proxy(1).await;
    two.fleet.serves_on(1, LIVE, "a.test", "written").await;
}
