//! Runs one trick: attackers and victims at the same time, until the victims have sent enough requests.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::endpoint::{SeenByEndpoint, TrickEndpoint};
use super::list::Trick;
use super::victims::{Harm, Victims};

const ATTACKERS: usize = 3;
/// The pause between two attacks of one attacker. Attacks that do not wait would otherwise starve the victims of CPU time.
const PAUSE: Duration = Duration::from_millis(4);
/// The interval of unsolicited answers.
const UNASKED: Duration = Duration::from_millis(10);

/// The result of a trick.
#[derive(Debug)]
pub struct Outcome {
    /// The name of the trick.
    pub name: &'static str,
    /// The harm that the victims suffered.
    pub harm: Harm,
    /// The endpoint's counters.
    pub seen: SeenByEndpoint,
    /// Number of attempts.
    pub tries: u64,
    /// Data of other clients that attackers received.
    pub loot: Vec<String>,
    /// Duration of the trick.
    pub took: Duration,
}

impl Outcome {
    /// Returns all deviations from the expected result.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let harm = &self.harm;
        if harm.foreign > 0 || harm.failed > 0 {
            problems.push(format!(
                "{} foreign, {} failed: {:?}",
                harm.foreign, harm.failed, harm.reasons
            ));
        }
        problems.extend(self.loot.iter().cloned());
        let odd = self.seen.odd.iter();
        problems.extend(odd.map(|odd| format!("the endpoint got {odd}")));
        // A trick proves nothing if it is rarely attempted, or if the victims rarely reuse connections.
        if self.tries < 20 {
            problems.push(format!("only {} tries", self.tries));
        }
        if self.seen.reused < harm.requests / 4 {
            problems.push(format!(
                "only {} victim requests on kept connections",
                self.seen.reused
            ));
        }
        let lines = problems.iter();
        lines.map(|line| format!("{}: {line}", self.name)).collect()
    }

    /// Formats one row of the table.
    pub fn line(&self) -> String {
        let (harm, seen) = (&self.harm, &self.seen);
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} s |",
            self.name,
            harm.requests,
            harm.foreign,
            harm.failed,
            self.tries,
            seen.after_victim,
            seen.reused,
            self.took.as_secs_f64(),
        )
    }
}

/// The header of the table of [`Outcome::line`].
pub const HEAD: &str = "| trick | victims' requests | foreign | failed | tries | on victims' connections | reuses | took |\n\
     |---|---|---|---|---|---|---|---|";

/// Runs a trick until the victims have sent at least `requests` requests.
///
/// # Panics
/// Panics if a client panicked.
pub async fn play(
    address: SocketAddr,
    endpoint: &TrickEndpoint,
    trick: &Trick,
    requests: u64,
) -> Outcome {
    endpoint.behave(trick.manners);
    let start = Instant::now();
    let calm = Arc::new(RwLock::new(()));
    let ring = Ring::default();
    let attacking = ring.start(address, trick);
    let victims = Victims {
        address,
        requests,
        tries: (Arc::clone(&ring.tries), least(trick)),
        pause: trick.pause,
        calm: Arc::clone(&calm),
    };
    let speaking = async {
        match trick.unasked {
            true => speak(endpoint, &calm, &ring.tries).await,
            false => std::future::pending().await,
        }
    };
    let harm = tokio::select! { harm = victims.run() => harm, () = speaking => Harm::default() };
    ring.enough.store(true, Ordering::Relaxed);
    attacking.join_all().await;
    let mut tries = ring.tries.load(Ordering::Relaxed);
    let seen = endpoint.seen();
    if trick.attacks.is_empty() && !trick.unasked {
        // The endpoint's connection handling is the trick: each connection that it closed is one attempt.
        tries = seen.connections;
    }
    Outcome {
        name: trick.name,
        harm,
        seen,
        tries,
        loot: std::mem::take(&mut *ring.loot.lock()),
        took: start.elapsed(),
    }
}

/// Returns the minimum number of attempts, so that each attack is run several times.
fn least(trick: &Trick) -> u64 {
    match trick.unasked {
        true => 100,
        false => trick.attacks.len() as u64 * 10,
    }
}

/// Sends unsolicited answers while no request is in flight: a client cannot distinguish one that arrives during a request from its answer.
async fn speak(endpoint: &TrickEndpoint, calm: &RwLock<()>, tries: &AtomicU64) {
    loop {
        tokio::time::sleep(UNASKED).await;
        let _nobody_asks = calm.write().await;
        let spoken = endpoint.speak_unasked().await;
        tries.fetch_add(spoken as u64, Ordering::Relaxed);
    }
}

/// Attackers that share their counters and results.
#[derive(Debug, Default)]
struct Ring {
    enough: Arc<AtomicBool>,
    tries: Arc<AtomicU64>,
    loot: Arc<Mutex<Vec<String>>>,
}

impl Ring {
    fn start(&self, address: SocketAddr, trick: &Trick) -> JoinSet<()> {
        let mut attacking = JoinSet::new();
        if trick.attacks.is_empty() {
            return attacking;
        }
        for attacker in 0..ATTACKERS {
            let attacks = trick.attacks.clone();
            let (enough, tries, loot) = (
                Arc::clone(&self.enough),
                Arc::clone(&self.tries),
                Arc::clone(&self.loot),
            );
            attacking.spawn(async move {
                for attack in attacks.iter().cycle().skip(attacker) {
                    if enough.load(Ordering::Relaxed) {
                        return;
                    }
                    tries.fetch_add(1, Ordering::Relaxed);
                    if let Err(reason) = attack.run(address).await {
                        let mut loot = loot.lock();
                        loot.push(reason);
                        loot.truncate(3);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
        attacking
    }
}
