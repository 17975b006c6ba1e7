//! What a seed makes of the world: how many nodes of which kind, who else claims to be control, how bad the network is.

use std::time::Duration;

use aralez_proto::snapshot::Limits;

use super::random::Random;

/// Who else answers as control.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// Nobody.
    Nobody,
    /// A replica that knows each commit this much later.
    Lagging(Duration),
    /// One of another cluster, with higher numbers.
    Foreign,
    /// One of the same cluster that was left behind in the generation before, with a higher revision.
    LeftBehind,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeSetup {
    /// What it takes at most.
    pub limits: Limits,
    /// Its release is older: it refuses poison.
    pub is_old: bool,
    /// Deadly content ends it soon.
    pub is_fragile: bool,
    /// Where it dials, in order of preference: places among the controls.
    pub servers: Vec<usize>,
}

/// The world of a seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The nodes.
    pub nodes: Vec<NodeSetup>,
    /// Who else answers.
    pub other: Other,
    /// Endpoints change without a commit, as sources find them.
    pub discovers: bool,
    /// How many hosts there are at first.
    pub hosts: u64,
    /// For how long things go wrong.
    pub faults_for: Duration,
    /// The longest pause between two faults, in milliseconds,
    pub fault_gap: u64,
    /// and between two acts of the operator.
    pub act_gap: u64,
    /// The longest delay of a message, in milliseconds.
    pub delay: u64,
}

impl Setup {
    /// What this seed makes.
    pub fn draw(random: &mut Random) -> Self {
        let other = match random.below(10) {
            0..=3 => Other::Nobody,
            4..=6 => Other::Lagging(random.millis(2_000, 90_000)),
            7..=8 => Other::Foreign,
            _ => Other::LeftBehind,
        };
        let count = match random.below(60) {
            0 => random.within(11, 30),
            1..=6 => random.within(5, 9),
            _ => random.within(3, 4),
        };
        Self {
            nodes: (0..count).map(|_| node(random, other)).collect(),
            // A replica that lags would take back what a source found: it is compared by commits alone.
            discovers: !matches!(other, Other::Lagging(_)) && random.chance(70),
            hosts: random.within(2, 7),
            faults_for: random.millis(30_000, 110_000),
            fault_gap: random.within(3_000, 14_000),
            act_gap: random.within(2_000, 12_000),
            delay: random.within(2, 400),
            other,
        }
    }
}

fn node(random: &mut Random, other: Other) -> NodeSetup {
    let small = random.chance(20);
    let servers = match other {
        Other::Nobody => vec![0],
        Other::Lagging(_) if random.chance(40) => vec![1, 0],
        _ => vec![0, 1],
    };
    NodeSetup {
        limits: Limits {
            max_hosts: small.then(|| random.within(5, 8)),
            max_endpoints: (small && random.chance(50)).then(|| random.within(8, 16)),
            ..Limits::default()
        },
        is_old: random.chance(35),
        is_fragile: random.chance(25),
        servers,
    }
}
