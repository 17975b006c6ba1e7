//! Slow, silent and half-dead peers on both sides: each is closed within its limit plus one second, and other clients do not notice.

use std::sync::Arc;
use std::time::Duration;

use aralez_tests::proof::proves;
use aralez_tests::slow::kind::Kind;
use aralez_tests::slow::round;
use aralez_tests::slow::stage::{RoundStage, SHORT};
use aralez_tests::slow::{clients, endpoints, table};
use tokio::time::Instant;

/// Peers of each kind when it runs alone.
const ALONE: usize = 200;
/// Delay between the kinds when all run at the same time: all are connected before the first is closed.
const BETWEEN: Duration = Duration::from_millis(10);
/// Memory above the start that a round may use, and the memory that each peer may use when all kinds run at the same time.
const MEMORY: u64 = 60 << 20;
const MEMORY_OF_A_PEER: u64 = 24 << 10;
/// Memory that the allocator may keep afterwards.
const KEPT: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slow_peer_is_closed_in_time_and_a_good_client_does_not_notice() {
    let kinds: Vec<Kind> = [clients::kinds(), endpoints::kinds()].concat();
    let mut stage = RoundStage::new(kinds, SHORT).await;
    println!(
        "without slow peers: {}, {} files open",
        table::latency(&stage.calm),
        stage.files
    );
    let start = Instant::now();
    let mut problems = each_kind_alone(&stage).await;
    problems.extend(all_kinds_at_once(&stage).await);
    problems.extend(good(&stage, "over all", start));
    let kept = stage.memory_now().saturating_sub(stage.memory);
    println!("memory kept at the end: {}", table::mebibytes(kept));
    if kept > KEPT {
        problems.push(format!("{} stay", table::mebibytes(kept)));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    stage.ends_as_it_began().await;
}

async fn each_kind_alone(stage: &RoundStage) -> Vec<String> {
    let mut rows = Vec::new();
    for (kind, endpoint) in stage.cast() {
        rows.push(round::alone(stage, kind, endpoint, ALONE).await);
    }
    println!("{ALONE} of each at once:\n{}", table::of(&rows));
    let greedy = rows.iter().filter(|row| row.memory > MEMORY);
    let greedy = greedy.map(|row| {
        let memory = table::mebibytes(row.memory);
        format!("{}: {memory} of memory", row.kind.name)
    });
    let mut problems = table::problems(&rows);
    problems.extend(greedy);
    problems
}

async fn all_kinds_at_once(stage: &RoundStage) -> Vec<String> {
    // With more than 1,500 peers, the peers themselves leave too little of two cores for a good client.
    let peers = if proves() { ALONE / 4 } else { ALONE / 10 };
    stage.forget_peak();
    let start = Instant::now();
    let mut rounds = Vec::new();
    for (kind, endpoint) in stage.cast() {
        // In such a crowd, peers notice their own start late, so they may end before their measured limit.
        let kind = Arc::new(Kind::clone(kind).or_sooner());
        let round = round::play(stage.address(), kind, Arc::clone(endpoint), peers);
        rounds.push(tokio::spawn(round));
        tokio::time::sleep(BETWEEN).await;
    }
    let mut rows = Vec::new();
    for round in rounds {
        rows.push(round.await.expect("a round does not panic"));
    }
    let all = (rows.len() * peers) as u64;
    let memory = stage.memory_peak().saturating_sub(stage.memory);
    println!(
        "{all} of all kinds at once: {} of memory\n{}",
        table::mebibytes(memory),
        table::of(&rows)
    );
    let mut problems = table::problems(&rows);
    problems.extend(good(stage, "all kinds at once", start));
    if memory > MEMORY + all * MEMORY_OF_A_PEER {
        problems.push(format!("all at once: {}", table::mebibytes(memory)));
    }
    problems
}

/// Returns the problems that the good client experienced.
fn good(stage: &RoundStage, when: &str, start: Instant) -> Vec<String> {
    let latency = stage.latency_since(start);
    let (failed, reasons) = stage.failures();
    println!(
        "the good client, {when}: {} in {} requests, longest {:?}, {failed} failed",
        table::latency(&latency),
        latency.count,
        latency.longest
    );
    let mut problems = Vec::new();
    if latency.p99 > stage.latency_bound() {
        let bound = stage.latency_bound();
        problems.push(format!("{when}: p99 {:?}, not {bound:?}", latency.p99));
    }
    if failed > 0 {
        problems.push(format!("{when}: {failed} requests failed: {reasons:?}"));
    }
    problems
}
