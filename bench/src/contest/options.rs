//! The command line of the bench.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::scenario::Scenario;

/// A proxy that is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Kind {
    /// aralez-proxy.
    Ours,
    /// aralez-proxy of another build.
    Before,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// The smallest proxy that pingora-proxy makes.
    Pingora,
}

impl Kind {
    /// As the report calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ours => "aralez",
            Self::Before => "aralez before",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Pingora => "minimal pingora-proxy",
        }
    }
}

/// Compares proxies under the same load, in rounds that alternate.
#[derive(Parser, Clone, Debug)]
#[command(name = "bench")]
pub struct ContestOptions {
    /// How many rounds of each proxy are compared, pair by pair.
    #[arg(long, default_value_t = 8)]
    pub pairs: usize,
    /// How often the proxies are started anew for the pairs of a cell. A process keeps the places in memory that it got at its start, and they
    /// alone make a difference of several parts in a hundred.
    #[arg(long, default_value_t = 4)]
    pub starts: usize,
    /// How long a round is measured, in seconds.
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// How long a round runs before it is measured, in seconds.
    #[arg(long, default_value_t = 0.4)]
    pub warm: f64,
    /// A scenario, several times for several. Default: all.
    #[arg(long = "scenario", value_enum)]
    pub scenarios: Vec<Scenario>,
    /// The numbers of workers.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub workers: Vec<usize>,
    /// The proxies.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "ours,nginx,haproxy,pingora"
    )]
    pub proxies: Vec<Kind>,
    /// The folder of another build's aralez-control and aralez-proxy, which is compared as one more proxy.
    #[arg(long)]
    pub before: Option<PathBuf>,
    /// The numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "8,64")]
    pub connections: Vec<usize>,
    /// One more line for our proxy's main.yaml, several times for several.
    #[arg(long = "proxy-line")]
    pub proxy_lines: Vec<String>,
    /// How many idle connections memory is measured with; 0 for not at all.
    #[arg(long, default_value_t = 10_000)]
    pub idle: usize,
    /// How many requests system calls are counted over; 0 for not at all.
    #[arg(long, default_value_t = 2_000)]
    pub traced: u64,
    /// The file that gets the report too.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

impl ContestOptions {
    /// The proxies, another build of ours right after ours.
    pub fn contestants(&self) -> Vec<Kind> {
        let mut kinds = self.proxies.clone();
        if self.before.is_some() && !kinds.contains(&Kind::Before) {
            kinds.insert(kinds.len().min(1), Kind::Before);
        }
        kinds
    }

    /// The scenarios that are asked for.
    pub fn chosen(&self) -> Vec<Scenario> {
        match self.scenarios.is_empty() {
            true => Scenario::ALL.to_vec(),
            false => self.scenarios.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_the_whole_benchmark() {
        let options = ContestOptions::parse_from(["bench"]);
        assert_eq!(options.chosen().len(), 6);
        assert_eq!(options.workers, [1, 2]);
        assert_eq!(options.connections, [8, 64]);
        assert_eq!(options.proxies.len(), 4);
        assert!(options.pairs >= 8);
    }

    #[test]
    fn what_is_said_is_taken() {
        let words = "bench --scenario keep-alive --scenario hosts1000 --workers 1 --proxies ours,nginx --proxy-line x:y";
        let options = ContestOptions::parse_from(words.split(' '));
        assert_eq!(options.chosen(), [Scenario::KeepAlive, Scenario::Hosts1000]);
        assert_eq!(options.proxies, [Kind::Ours, Kind::Nginx]);
        assert_eq!(options.proxy_lines, ["x:y"]);
        assert_eq!(options.contestants(), options.proxies);
        let options =
            ContestOptions::parse_from("bench --proxies ours,nginx --before /b".split(' '));
        let all = [Kind::Ours, Kind::Before, Kind::Nginx];
        assert_eq!(options.contestants(), all);
    }
}
