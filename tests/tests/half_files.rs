//! A file that is still being written is not read: neither a part of it nor a truncated value ever becomes live.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use aralez_tests::document::{many, site};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw;

struct Stage {
    fleet: Fleet,
    origin: Origin,
    before: u64,
}

impl Stage {
    /// Starts a fleet that serves twenty hosts.
    async fn twenty(arguments: &[&str]) -> Self {
        let origin = Origin::start("a").await;
        let plan = Plan::new(1).control_arguments(arguments);
        let fleet = plan
            .document(&many(20, "1", origin.address()))
            .start()
            .await;
        let before = fleet.until_current(LIVE).await;
        Self {
            fleet,
            origin,
            before,
        }
    }

    fn file(&self) -> PathBuf {
        self.fleet.documents().join("upstreams.yaml")
    }

    /// Returns the document of the same hosts in another version, split after the fourteenth host.
    fn parts(&self, version: &str) -> (String, String) {
        let whole = many(20, version, self.origin.address());
        let cut = whole.find("h14.test").unwrap();
        (whole[..cut].to_owned(), whole[cut..].to_owned())
    }

    /// Asserts that during `span` all hosts are served and no revision is committed.
    async fn nothing_changes(&self, span: Duration) {
        stays(span, "twenty hosts of the revision before", || async {
            same(&self.fleet.get(0, "h19.test", "/").await?.status, &200)?;
            same(&self.fleet.head().await?, &self.before)
        })
        .await;
    }

    /// Waits until the version is live, and asserts that exactly one revision was committed since the start, so none with fewer hosts.
    async fn is_live(&self, version: &str) {
        eventually(LIVE, "the whole file is live", || async {
            let answer = self.fleet.get(0, "h0.test", "/").await?;
            same(&answer.header("x-version"), &Some(version))
        })
        .await;
        same(&self.fleet.head().await.unwrap(), &(self.before + 1)).unwrap();
        let log = self.fleet.log("control");
        let commits: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("committed"))
            .collect();
        assert!(!commits.is_empty(), "{log}");
        assert!(
            commits.iter().all(|line| line.contains("hosts=20")),
            "{commits:?}"
        );
    }
}

#[tokio::test]
async fn a_writer_that_pauses_with_the_file_open_takes_no_host_away() {
    let stage = Stage::twenty(&[]).await;
    let (first, rest) = stage.parts("2");
    let mut file = File::create(stage.file()).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    stage.nothing_changes(Duration::from_millis(3_000)).await;
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    stage.is_live("2").await;
}

#[tokio::test]
async fn a_slow_and_steady_writer_that_cuts_values_is_waited_for() {
    let stage = Stage::twenty(&[]).await;
    let whole = many(20, "2", stage.origin.address());
    let mut file = File::create(stage.file()).unwrap();
    let length = whole.len().div_ceil(65);
    for part in whole.as_bytes().chunks(length) {
        file.write_all(part).unwrap();
        stage.nothing_changes(Duration::from_millis(200)).await;
    }
    drop(file);
    stage.is_live("2").await;
}

#[tokio::test]
async fn a_file_that_ends_inside_an_address_is_not_routed_to_the_shorter_one() {
    let stage = Stage::twenty(&[]).await;
    // Plain scalars: truncating the last one still leaves a valid address.
    let address = stage.origin.address();
    let quoted = many(20, "2", address);
    let whole = quoted.replace(&format!("\"{address}\""), &address.to_string());
    let cut = whole.trim_end().len() - 2;
    let mut file = File::create(stage.file()).unwrap();
    file.write_all(&whole.as_bytes()[..cut]).unwrap();
    stage.nothing_changes(Duration::from_millis(2_500)).await;
    file.write_all(&whole.as_bytes()[cut..]).unwrap();
    drop(file);
    stage.is_live("2").await;
}

#[tokio::test]
async fn a_writer_that_opens_and_closes_for_each_part_is_waited_for_until_it_is_quiet() {
    let stage = Stage::twenty(&[]).await;
    let whole = many(20, "2", stage.origin.address());
    drop(File::create(stage.file()).unwrap());
    // Each part ends after a whole host, so it parses.
    let starts = (0..20)
        .step_by(2)
        .map(|host| whole.find(&format!("h{host}.test:")).unwrap());
    let starts: Vec<usize> = starts.chain([whole.len()]).collect();
    for part in starts
        .windows(2)
        .map(|part| &whole.as_bytes()[part[0]..part[1]])
    {
        let mut file = OpenOptions::new().append(true).open(stage.file()).unwrap();
        file.write_all(part).unwrap();
        drop(file);
        stage.nothing_changes(Duration::from_millis(150)).await;
    }
    stage.is_live("2").await;
}

#[tokio::test]
async fn a_file_that_is_half_written_when_control_starts_is_waited_for() {
    let mut stage = Stage::twenty(&[]).await;
    stage.fleet.kill_control();
    let (first, rest) = stage.parts("2");
    let mut file = File::create(stage.file()).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    // The file has long been unchanged when control starts: only the open descriptor shows that it is being written.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    stage.fleet.start_control().await;
    stage.nothing_changes(Duration::from_secs(3)).await;
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    stage.is_live("2").await;
}

#[tokio::test]
async fn a_file_that_stays_open_is_warned_of_and_still_not_taken() {
    let stage = Stage::twenty(&["--writer-patience-ms", "1500"]).await;
    let (first, rest) = stage.parts("2");
    let mut file = File::create(stage.file()).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    eventually(LIVE, "the status warns", || async {
        let status = stage.fleet.ask("/v1/status").await?;
        let warning = status["documents"]["warnings"][0]["reason"].to_string();
        same(&warning.contains("open for writing"), &true).map_err(|_| status.to_string())?;
        same(&status["documents"]["writing"], &1)
    })
    .await;
    let status = aralez_tests::process::text(&stage.fleet.ctl(&["status"]).await);
    assert!(status.contains("open for writing"), "{status}");
    assert!(stage.fleet.log("control").contains("open for writing"));
    let metrics = raw::get(stage.fleet.api(), "127.0.0.1", "/metrics").await;
    let metrics = metrics.unwrap().text();
    assert!(
        metrics.contains("aralez_control_files_writing 1"),
        "{metrics}"
    );
    let taken = stage.fleet.ctl(&["sources", "take"]).await;
    assert_eq!(taken.status.code(), Some(1), "{taken:?}");
    // Other files that are saved are read meanwhile.
    stage
        .fleet
        .save_part("more.yaml", &site("more.test", &[stage.origin.address()]));
    stage.fleet.until_serving(LIVE, "more.test", "a").await;
    stage.fleet.until_serving(LIVE, "h19.test", "a").await;
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    eventually(LIVE, "the whole file is live", || async {
        let answer = stage.fleet.get(0, "h0.test", "/").await?;
        same(&answer.header("x-version"), &Some("2"))?;
        same(
            &stage.fleet.ask("/v1/status").await?["documents"]["writing"],
            &0,
        )
    })
    .await;
}
