//! Ten thousand clients that keep an idle connection: cheap while connected, closed at the idle timeout.

use std::time::Duration;

use aralez_tests::eventually::eventually;
use aralez_tests::fleet::LIVE;
use aralez_tests::slow::crowd::Crowd;
use aralez_tests::slow::stage::RoundStage;
use aralez_tests::slow::table;
use tokio::time::Instant;

const CROWD: usize = 10_000;
const IDLE: Duration = Duration::from_secs(12);
/// Memory that one idle connection may cost the proxy, in a debug build. The benchmark holds release builds to half of it.
const MEMORY_OF_ONE: u64 = 16 << 10;
/// Number of further crowds that connect and disconnect; the last may use at most `GROWN` more memory than the one before it.
const MORE_CROWDS: usize = 3;
const GROWN: u64 = 12 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_clients_cost_little_and_leave_in_time() {
    let mut stage = RoundStage::new(Vec::new(), "client_idle_timeout: 12s").await;
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
    println!(
        "memory kept: {}",
        table::mebibytes(stage.memory_now().saturating_sub(before))
    );
    nothing_is_leaked(&stage, before).await;
    stage.ends_as_it_began().await;
}

/// Allocators keep freed memory, per thread. Further crowds therefore connect, and the last must fit into the memory that those before it
/// left.
async fn nothing_is_leaked(stage: &RoundStage, before: u64) {
    let files = stage.open_files();
    let mut last = 0;
    let mut grown = 0;
    for _ in 0..MORE_CROWDS {
        let crowd = Crowd::gather(stage.address(), "good.test", "good", CROWD).await;
        let with = stage.memory_now().saturating_sub(before);
        println!("memory with one crowd more: {}", table::mebibytes(with));
        grown = with.saturating_sub(last);
        last = with;
        drop(crowd);
        let gone = || async {
            let now = stage.open_files();
            (now < files + CROWD / 100)
                .then_some(())
                .ok_or_else(|| format!("{now} files are open"))
        };
        eventually(LIVE, "the crowd is gone", gone).await;
    }
    assert!(grown <= GROWN, "{} are leaked", table::mebibytes(grown));
}
