//! Command line of `bench`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::scenario::{RouteRules, Scenario};

/// A proxy to measure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Kind {
    /// aralez-proxy.
    Ours,
    /// aralez-proxy with the same routes, without their rules.
    Plain,
    /// aralez-proxy of another build.
    Before,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// The smallest proxy that can be built with pingora-proxy.
    Pingora,
}

impl Kind {
    /// Returns the proxy's name in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ours => "aralez",
            Self::Plain => "aralez, plain route",
            Self::Before => "aralez before",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Pingora => "minimal pingora-proxy",
        }
    }
}

/// Compares proxies under the same load, in alternating rounds.
#[derive(Parser, Clone, Debug)]
#[command(name = "bench")]
pub struct ContestOptions {
    /// Rounds of each proxy, compared pair by pair.
    #[arg(long, default_value_t = 8)]
    pub pairs: usize,
    /// Starts of the proxies over which the pairs of a cell are spread. A process keeps the memory layout it got at its start, which alone
    /// changes results by several percent.
    #[arg(long, default_value_t = 4)]
    pub starts: usize,
    /// Measured time of a round, in seconds.
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// Warm-up of a round before it is measured, in seconds.
    #[arg(long, default_value_t = 0.4)]
    pub warm: f64,
    /// Scenario to run; repeat for several. Default: all.
    #[arg(long = "scenario", value_enum)]
    pub scenarios: Vec<Scenario>,
    /// Numbers of workers to measure with.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub workers: Vec<usize>,
    /// Proxies to compare.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "ours,nginx,haproxy,pingora"
    )]
    pub proxies: Vec<Kind>,
    /// Folder with aralez-control and aralez-proxy of another build, compared as one more proxy.
    #[arg(long)]
    pub before: Option<PathBuf>,
    /// Numbers of client connections to measure with.
    #[arg(long, value_delimiter = ',', default_value = "8,64")]
    pub connections: Vec<usize>,
    /// Additional line for aralez-proxy's main.yaml; repeat for several.
    #[arg(long = "proxy-line")]
    pub proxy_lines: Vec<String>,
    /// Idle connections to measure memory with; 0 skips this.
    #[arg(long, default_value_t = 10_000)]
    pub idle: usize,
    /// Requests to count system calls over; 0 skips this.
    #[arg(long, default_value_t = 2_000)]
    pub traced: u64,
    /// File to write the report to as well.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

impl ContestOptions {
    /// Returns the proxies to compare in a scenario. With `--before`, the other build comes second, next to ours; where routes have rules,
    /// so does ours without them. Not all serve files.
    pub fn contestants(&self, scenario: Scenario) -> Vec<Kind> {
        let mut kinds = self.proxies.clone();
        let ours = kinds.contains(&Kind::Ours) && !kinds.contains(&Kind::Plain);
        if ours && scenario.rules() != RouteRules::None {
            kinds.insert(1, Kind::Plain);
        }
        if self.before.is_some() && !kinds.contains(&Kind::Before) {
            kinds.insert(kinds.len().min(1), Kind::Before);
        }
        let serves = |kind: &Kind| !matches!(kind, Kind::Haproxy | Kind::Pingora);
        kinds.retain(|kind| scenario.file().is_none() || serves(kind));
        kinds
    }

    /// Returns the scenarios to run: the selected ones, or all if none was selected.
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
        assert_eq!(options.chosen().len(), Scenario::ALL.len());
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
        assert_eq!(options.contestants(Scenario::KeepAlive), options.proxies);
        let with_plain = [Kind::Ours, Kind::Plain, Kind::Nginx];
        assert_eq!(options.contestants(Scenario::Policies), with_plain);
        let options =
            ContestOptions::parse_from("bench --proxies ours,nginx --before /b".split(' '));
        let all = [Kind::Ours, Kind::Before, Kind::Nginx];
        assert_eq!(options.contestants(Scenario::KeepAlive), all);
    }
}
