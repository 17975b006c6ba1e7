//! A source of endpoints that reports what a script contains: a file that tests write while control runs.
//!
//! A line is `POOL ADDRESS…` (all endpoints of that pool now), `failing REASON`, or `schedule POOLS RATE SECONDS BEGIN`, which reports
//! the changes of a [`Schedule`] at their times.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use aralez_control::core::source::{Finding, Reports, RunningSource, Source, Wanted};
use aralez_proto::model::{Endpoint, PoolName};

use schedule::Schedule;

pub mod schedule;

/// Interval between two reads of the script.
const LOOK: Duration = Duration::from_millis(10);
/// Interval between two checks of the clock while a schedule runs.
const TICK: Duration = Duration::from_millis(1);

/// The source before its start.
#[derive(Clone, Debug)]
pub struct ScriptedSource {
    script: PathBuf,
}

impl ScriptedSource {
    /// Creates a source for the script in the directory of this `main.yaml`.
    pub fn beside(config: &Path) -> Self {
        Self {
            script: script_beside(config),
        }
    }
}

/// Returns the path of the script for a control with this `main.yaml`.
pub fn script_beside(config: &Path) -> PathBuf {
    config.with_file_name("endpoints.script")
}

/// Replaces a script atomically, so that control never reads half of it.
///
/// # Panics
/// If it cannot be written.
pub fn write_script(path: &Path, text: &str) {
    let half = path.with_extension("half");
    std::fs::write(&half, text).expect("a script can be written");
    std::fs::rename(&half, path).expect("a script can be put in place");
}

/// Formats a schedule as a line of a script.
pub fn schedule_line(schedule: &Schedule) -> String {
    let Schedule {
        pools,
        rate,
        seconds,
        begin,
    } = schedule;
    format!("schedule {pools} {rate} {seconds} {}\n", begin.as_nanos())
}

impl Source for ScriptedSource {
    fn name(&self) -> &'static str {
        "script"
    }

    fn start(self: Box<Self>, reports: Arc<dyn Reports>) -> Result<Box<dyn RunningSource>, String> {
        let (wanted, wants) = mpsc::channel();
        let script = Script {
            path: self.script,
            text: String::new(),
            wanted: BTreeSet::new(),
            reports,
        };
        thread::spawn(move || script.run(&wants));
        Ok(Box::new(Told(wanted)))
    }
}

/// Sends the wanted pools to the thread. Dropping it stops the thread.
struct Told(Sender<BTreeSet<PoolName>>);

impl RunningSource for Told {
    fn wants(&mut self, wanted: &Wanted) {
        // The receiving thread outlives this sender, unless it panicked.
        let _ = self.0.send(wanted.pools().cloned().collect());
    }
}

struct Script {
    path: PathBuf,
    text: String,
    wanted: BTreeSet<PoolName>,
    reports: Arc<dyn Reports>,
}

impl Script {
    fn run(mut self, wants: &Receiver<BTreeSet<PoolName>>) {
        loop {
            let wanted = match wants.try_recv() {
                Ok(wanted) => Some(wanted),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return,
            };
            let text = std::fs::read_to_string(&self.path).unwrap_or_default();
            if wanted.is_some() || text != self.text {
                self.wanted = wanted.unwrap_or(self.wanted);
                self.text = text;
                self.text.lines().for_each(|line| self.obey(line));
            }
            thread::park_timeout(LOOK);
        }
    }

    fn obey(&self, line: &str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "failing" => self.reports.report(Finding::Failing(rest.to_owned())),
            "schedule" => self.follow(&read_schedule(rest)),
            pool => {
                let addresses = rest.split_whitespace();
                let endpoint = |address: &str| {
                    let address = address.parse().expect("a script names addresses");
                    Endpoint::new(address)
                };
                let pool = pool.parse().expect("a script names pools");
                self.find(pool, addresses.map(endpoint).collect());
            }
        }
    }

    fn find(&self, pool: PoolName, endpoints: Vec<Endpoint>) {
        if self.wanted.contains(&pool) {
            self.reports.report(Finding::Endpoints { pool, endpoints });
        }
    }

    /// Reports the changes of a schedule in order, each at its time.
    fn follow(&self, schedule: &Schedule) {
        for number in 0..schedule.changes() {
            let (pool, step) = schedule.change(number);
            while schedule::now() < schedule.comes(pool, step) {
                thread::park_timeout(TICK);
            }
            self.find(schedule::pool_name(pool), schedule::endpoints(step));
        }
    }
}

fn read_schedule(line: &str) -> Schedule {
    let numbers: Option<Vec<u64>> = line.split(' ').map(|word| word.parse().ok()).collect();
    let Some([pools, rate, seconds, begin]) = numbers.as_deref() else {
        panic!("a schedule is four numbers, not {line:?}");
    };
    let small = |number: &u64| u32::try_from(*number).expect("a schedule is small");
    Schedule {
        pools: small(pools),
        rate: small(rate),
        seconds: small(seconds),
        begin: Duration::from_nanos(*begin),
    }
}
