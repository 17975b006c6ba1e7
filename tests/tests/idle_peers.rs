//! Ten thousand clients that keep their connection and say nothing: cheap while they are there, gone when their time is up.

use std::time::Duration;

use aralez_tests::slow::crowd::Crowd;
use aralez_tests::slow::stage::Stage;
use aralez_tests::slow::{report_only, table};
use tokio::time::Instant;

const CROWD: usize = 10_000;
const IDLE: Duration = Duration::from_secs(15);
/// What a silent connection may cost the proxy. A debug build: release builds are held to half of it by the benchmark.
const MEMORY_OF_ONE: u64 = 16 << 10;
/// What an allocator may keep when all are gone.
const KEPT: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_clients_cost_little_and_leave_in_time() {
    let mut stage = Stage::new(Vec::new(), "client_idle_timeout: 15s").await;
    let before = stage.memory_now();
    let start = Instant::now();
    let crowd = Crowd::gather(stage.address(), "good.test", "good", CROWD).await;
    let gathered = start.elapsed();
    let of_one = stage.memory_now().saturating_sub(before) / CROWD as u64;
    println!(
        "{CROWD} silent clients gathered in {gathered:?}: {of_one} bytes each, {} files open",
        stage.open_files()
    );
    let still = Instant::now();
    let quiet =
        (IDLE.saturating_sub(gathered)).max(Duration::from_secs(2)) - Duration::from_secs(1);
    tokio::time::sleep(quiet).await;
    let latency = stage.latency_since(still);
    println!(
        "the good client: {} before, {} beside {} of them",
        table::latency(&stage.calm),
        table::latency(&latency),
        crowd.present()
    );
    if report_only() {
        return;
    }
    assert!(
        gathered < IDLE,
        "too slow to have all at once: {gathered:?}"
    );
    assert!(of_one <= MEMORY_OF_ONE, "{of_one} bytes each");
    assert!(latency.p99 <= stage.latency_bound(), "{latency:?}");
    let ends = crowd.ends(IDLE).await.unwrap();
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    println!("closed after {first:?}..{last:?}");
    assert!(*first >= IDLE.mul_f64(0.75), "too early: {first:?}");
    assert!(*last <= IDLE + Duration::from_secs(1), "too late: {last:?}");
    assert_eq!(stage.failures().0, 0, "{:?}", stage.failures().1);
    let metrics = stage.metrics().await.unwrap();
    let counted = metrics.labelled("aralez_deadline_closes_total", "kind", "idle");
    assert!(counted >= CROWD as u64, "only {counted} are counted");
    stage.ends_as_it_began().await;
    let kept = stage.memory_now().saturating_sub(before);
    println!("memory kept: {}", table::mebibytes(kept));
    assert!(kept <= KEPT, "{} stay", table::mebibytes(kept));
}
