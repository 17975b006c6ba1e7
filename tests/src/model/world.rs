//! The simulated world: virtual time, the queue of events, and the nodes and controls that they happen to.

mod applying;
mod commands;
mod controls;
mod deriving;
mod faults;
mod judge;
mod proxies;
mod sending;
mod settle;
mod welcoming;
mod wires;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use aralez_control::core::session::Derivation;
use aralez_proto::record::RecordKey;
use aralez_proto::version::Version;

use super::broken::{Broken, Promise};
use super::control::{Control, Ledger};
use super::node::ModelNode;
use super::planted::Planted;
use super::random::Random;
use super::setup::{Other, Setup};
use super::wire::Link;

/// Number of events before a failure that its report includes.
const TOLD: usize = 60;
/// A run with more events than this is stuck in a loop.
const MOST_EVENTS: u64 = 400_000;

/// Totals of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// Events that happened.
    pub events: u64,
    /// Updates that control sent.
    pub updates: u64,
    /// Updates computed from the records that a node reported.
    pub repairs: u64,
    /// Updates that nodes refused.
    pub refusals: u64,
    /// Faults injected.
    pub faults: u64,
    /// Virtual time from the last commit until every node was where it belongs.
    pub settled_after: Duration,
}

impl Run {
    /// Adds another run. `settled_after` keeps the longer time.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.updates += other.updates;
        self.repairs += other.repairs;
        self.refusals += other.refusals;
        self.faults += other.faults;
        self.settled_after = self.settled_after.max(other.settled_after);
    }
}

/// A dial or probe of a server by a node. A later dial makes its result obsolete.
#[derive(Clone, Copy, Debug)]
struct Try {
    node: usize,
    life: u64,
    dial: u64,
    server: usize,
}

/// An event at a point in virtual time. Its `life` prevents an event planned for one process from reaching its successor.
#[derive(Clone, Debug)]
enum Happening {
    Boot {
        node: usize,
    },
    Dialled(Try),
    Probed(Try),
    Wake {
        node: usize,
        life: u64,
    },
    Applied {
        node: usize,
        life: u64,
    },
    Dies {
        node: usize,
        life: u64,
    },
    Up {
        link: u64,
    },
    Down {
        link: u64,
    },
    NodeNotices {
        link: u64,
    },
    ControlNotices {
        link: u64,
    },
    Tick {
        control: usize,
        life: u64,
        link: u64,
    },
    Look {
        control: usize,
        life: u64,
        link: u64,
    },
    Recalled {
        control: usize,
        life: u64,
        link: u64,
        version: Version,
    },
    Derived {
        control: usize,
        life: u64,
        link: u64,
        needed: Box<Derivation>,
    },
    Start {
        control: usize,
    },
    Follow {
        ledger: Ledger,
    },
    Act,
    Fault,
    Heal,
    LastCommit,
    Forged {
        control: usize,
        life: u64,
        link: u64,
        update: u64,
        version: Version,
    },
    Removed {
        watch: u64,
    },
    Settled,
}

/// A removed endpoint that must disappear from these nodes in time.
#[derive(Debug)]
struct Watch {
    key: RecordKey,
    nodes: BTreeSet<usize>,
}

struct World {
    seed: u64,
    random: Random,
    planted: Option<Planted>,
    setup: Setup,
    base: Instant,
    now: Duration,
    planned: BTreeMap<(Duration, u64), Happening>,
    numbers: u64,
    nodes: Vec<ModelNode>,
    controls: Vec<Control>,
    links: BTreeMap<u64, Link>,
    /// End of the partition between a node and a control.
    partitions: BTreeMap<(usize, usize), Duration>,
    watches: BTreeMap<u64, Watch>,
    /// The authored content of each (generation, revision) of the first control.
    authored: BTreeMap<(u64, u64), Vec<(u64, u64)>>,
    /// Offset of the wall clock from virtual time, in milliseconds.
    wall: i64,
    healed: bool,
    /// Time of the last commit, after the faults.
    last_commit: Option<Duration>,
    /// Time at which all nodes were found settled, and the number of updates sent until then.
    rested: Option<(Duration, u64)>,
    /// The node whose next update is dropped inside control and acknowledged by a forged Ack.
    swallow: Option<usize>,
    done: bool,
    broken: Option<Broken>,
    trace: Option<VecDeque<String>>,
    run: Run,
}

/// Runs one seed.
///
/// # Errors
/// The first promise that the run breaks, with the events before it.
pub fn run(seed: u64, planted: Option<Planted>) -> Result<Run, Box<Broken>> {
    match World::new(seed, planted, false).go() {
        Ok(run) => Ok(run),
        // Run the failed seed again with tracing: passing runs format no trace.
        Err(broken) => Err(World::new(seed, planted, true).go().err().unwrap_or(broken)),
    }
}

impl World {
    fn new(seed: u64, planted: Option<Planted>, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let setup = Setup::draw(&mut random);
        let nodes = setup.nodes.iter().cloned().enumerate();
        let nodes = nodes
            .map(|(number, node)| ModelNode::new(number, node))
            .collect();
        Self {
            seed,
            random,
            planted,
            setup,
            base: Instant::now(),
            now: Duration::ZERO,
            planned: BTreeMap::new(),
            numbers: 0,
            nodes,
            controls: Vec::new(),
            links: BTreeMap::new(),
            partitions: BTreeMap::new(),
            watches: BTreeMap::new(),
            authored: BTreeMap::new(),
            wall: 1_000_000,
            healed: false,
            last_commit: None,
            rested: None,
            swallow: None,
            done: false,
            broken: None,
            trace: traced.then(VecDeque::new),
            run: Run::default(),
        }
    }

    fn go(mut self) -> Result<Run, Box<Broken>> {
        self.begin();
        while !self.done {
            let Some(((at, _), happening)) = self.planned.pop_first() else {
                break;
            };
            self.now = at;
            self.run.events += 1;
            if self.run.events > MOST_EVENTS {
                self.breaks(Promise::ComesToRest, || "events without end".to_owned());
            }
            self.happen(happening);
            if let Some(mut broken) = self.broken {
                broken.trace = self.trace.unwrap_or_default().into();
                return Err(Box::new(broken));
            }
        }
        Ok(self.run)
    }

    fn begin(&mut self) {
        let content = self.first_content(self.setup.hosts);
        let ledger = Ledger::new(5, 1, content);
        self.controls.push(Control::new([1; 16], ledger.clone()));
        let other = match self.setup.other {
            Other::Nobody => None,
            Other::Lagging(_) => Some(([1; 16], ledger)),
            Other::Foreign => Some(([9; 16], self.elsewhere(1_000_000_000))),
            Other::LeftBehind => Some(([1; 16], self.elsewhere(4))),
        };
        self.controls
            .extend(other.map(|(cluster, ledger)| Control::new(cluster, ledger)));
        self.note_authored();
        for node in 0..self.nodes.len() {
            let after = self.random.millis(0, 2_000);
            self.plan(after, Happening::Boot { node });
        }
        self.plan(Duration::from_secs(8), Happening::Fault);
        self.plan(Duration::from_secs(4), Happening::Act);
        self.plan(self.setup.faults_for, Happening::Heal);
    }

    /// Creates a ledger that is unrelated to the one of the first control.
    fn elsewhere(&mut self, generation: u64) -> Ledger {
        Ledger::new(generation, 900, self.first_content(3))
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Boot { node } => self.boot(node),
            Happening::Dialled(tried) => self.dialled(tried),
            Happening::Probed(tried) => self.probed(tried),
            Happening::Wake { node, life } => self.wake(node, life),
            Happening::Applied { node, life } => self.apply(node, life),
            Happening::Dies { node, life } => self.dies_of_it(node, life),
            Happening::Up { link } => self.arrives_up(link),
            Happening::Down { link } => self.arrives_down(link),
            Happening::NodeNotices { link } => self.node_loses(link),
            Happening::ControlNotices { link } => self.stops_serving(link, false),
            Happening::Tick {
                control,
                life,
                link,
            } => self.tick(control, life, link),
            Happening::Look {
                control,
                life,
                link,
            } => self.look(control, life, link),
            Happening::Recalled {
                control,
                life,
                link,
                version,
            } => self.recalled(control, life, link, version),
            Happening::Derived {
                control,
                life,
                link,
                needed,
            } => self.derived(control, life, link, &needed),
            Happening::Start { control } => self.start_control(control),
            Happening::Follow { ledger } => self.follow(ledger),
            Happening::Act => self.operator_acts(),
            Happening::Fault => self.fault(),
            Happening::Heal => self.heal(),
            Happening::LastCommit => self.commit_last(),
            Happening::Forged {
                control,
                life,
                link,
                update,
                version,
            } => {
                self.forge(control, life, link, (update, version));
            }
            Happening::Removed { watch } => self.judge_removal(watch),
            Happening::Settled => self.look_whether_settled(),
        }
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.plan_at(self.now + after, happening);
    }

    fn plan_at(&mut self, at: Duration, happening: Happening) {
        self.numbers += 1;
        self.planned
            .insert((at.max(self.now), self.numbers), happening);
    }

    fn instant(&self) -> Instant {
        self.base + self.now
    }

    /// Converts an instant to virtual time, at least 1 ms from now, so that wakes cannot loop without progress.
    fn after(&self, instant: Instant) -> Duration {
        let at = instant.saturating_duration_since(self.base);
        at.max(self.now + Duration::from_millis(1))
    }

    fn has(&self, bug: Planted) -> bool {
        self.planted == Some(bug)
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        if trace.len() == TOLD {
            trace.pop_front();
        }
        trace.push_back(format!("{:>9.3} {}", self.now.as_secs_f64(), line()));
    }

    /// Records a broken promise. Only the first counts: later ones may follow from it.
    fn breaks(&mut self, promise: Promise, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken {
                seed: self.seed,
                at: self.now,
                promise,
                what: what(),
                trace: Vec::new(),
            });
        }
    }
}
