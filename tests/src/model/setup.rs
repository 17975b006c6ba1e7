//! The world that a seed draws: number and kinds of nodes, a second control, quality of the network.

use std::time::Duration;

use aralez_proto::snapshot::Limits;

use super::random::Random;

/// The second control that answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// None.
    Nobody,
    /// A replica that learns of each commit this much later.
    Lagging(Duration),
    /// A control of another cluster, with higher numbers.
    Foreign,
    /// A control of the same cluster, left behind in the previous generation, with a higher revision.
    LeftBehind,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeSetup {
    /// The limits that it accepts.
    pub limits: Limits,
    /// Runs an older release, which refuses poison.
    pub is_old: bool,
    /// Dies soon after it applies deadly content.
    pub is_fragile: bool,
    /// The controls that it dials, as indices in order of preference.
    pub servers: Vec<usize>,
}

/// The world of a seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The nodes.
    pub nodes: Vec<NodeSetup>,
    /// The second control.
    pub other: Other,
    /// Endpoints change without a commit, as if found by sources.
    pub discovers: bool,
    /// Initial number of hosts.
    pub hosts: u64,
    /// Duration of the phase with faults.
    pub faults_for: Duration,
    /// The longest pause between two faults, in milliseconds.
    pub fault_gap: u64,
    /// The longest pause between two acts of the operator, in milliseconds.
    pub act_gap: u64,
    /// Upper bound of the base delay of a stream, in milliseconds.
    pub delay: u64,
}

impl Setup {
    /// Draws a world.
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
            // A lagging replica would undo discovered endpoints: versions are compared by commits alone.
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
