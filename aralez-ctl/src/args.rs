//! The command line of `aralez-ctl`. Only what works in this release is listed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aralez_proto::main_config::Secret;
use aralez_proto::model::NodeName;
use clap::{Parser, Subcommand, ValueEnum};

/// The operator's hand: validate, push, watch, and run Aralez on one machine.
#[derive(Parser, Debug)]
#[command(name = "aralez-ctl", version, disable_help_subcommand = true)]
pub struct Args {
    /// Flags that every verb takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags that every verb takes.
#[derive(clap::Args, Debug)]
pub struct Global {
    /// Where control's config API listens.
    #[arg(
        long,
        global = true,
        env = "ARALEZ_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    pub server: String,
    /// The master key. Better given in the environment, where other users do not see it.
    #[arg(long, global = true, env = "ARALEZ_KEY", hide_env_values = true, value_parser = secret)]
    pub key: Option<Secret>,
    /// How data is printed; `json` and `yaml` are stable and versioned.
    #[arg(short = 'o', long, global = true, value_enum, default_value_t)]
    pub output: Format,
}

/// How data is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Run control and proxy on this machine
    Up(Up),
    /// Check documents or a main.yaml, without a server
    Validate(Validate),
    /// Replace the documents of the fleet
    Push(Push),
    /// Show what control stands at
    Status,
    /// Show which node runs what
    Nodes,
    /// Act on what the files of documents say
    Sources {
        /// What to do with it.
        #[command(subcommand)]
        verb: SourcesVerb,
    },
    /// Act on one node
    Node {
        /// What to do with it.
        #[command(subcommand)]
        verb: NodeVerb,
    },
    /// Back up, restore and check the history that control keeps
    Store {
        /// What to do with it.
        #[command(subcommand)]
        verb: StoreVerb,
    },
    /// Print the JSON Schema of a file
    Schema {
        /// Which file.
        #[arg(value_enum, default_value_t)]
        file: SchemaOf,
    },
}

/// What to do with a node.
#[derive(Subcommand, Debug)]
pub enum NodeVerb {
    /// Send again what the node refused
    Retry {
        /// The node.
        node: NodeName,
    },
    /// Take a node that does not come back off the list
    Forget {
        /// The node.
        node: NodeName,
    },
}

/// What to do with the history that control keeps.
#[derive(Subcommand, Debug)]
pub enum StoreVerb {
    /// Write everything that control keeps to one file, while it runs. The file holds the key of all documents: keep it secret
    Backup {
        /// The file; one that is there is replaced
        file: PathBuf,
    },
    /// Put a backup in the place of what a stopped control keeps. The fleet follows it once control runs
    Restore {
        /// The backup
        file: PathBuf,
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
        /// Replace a history that has revisions, or another cluster's; its files are kept beside it
        #[arg(long)]
        force: bool,
    },
    /// Read everything that a stopped control keeps, and name what is damaged
    Check {
        /// The `state_dir` of control; where it lies by default, if not given
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}

/// What to do with what the files of documents say.
#[derive(Subcommand, Debug)]
pub enum SourcesVerb {
    /// Take the files at once that are held, because they remove most hosts or most of a pool, or because files are gone as a whole
    Release {
        /// Only the hold of this id, as `status` shows it
        id: Option<String>,
    },
    /// Take the files as they are on disk now: the way back to them after a push
    Take(Take),
}

/// A file with a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum SchemaOf {
    /// `main.yaml`
    Main,
    /// `upstreams.yaml`
    #[default]
    Upstreams,
}

/// Run control and proxy on this machine. Without arguments: embedded defaults and a sample site.
#[derive(clap::Args, Debug)]
pub struct Up {
    /// The main.yaml of both daemons
    #[arg(short = 'c', long = "config", value_name = "FILE", conflicts_with_all = ["to", "state_dir", "listen", "config_address", "admin_address"])]
    pub config: Option<PathBuf>,
    /// Send everything to this endpoint
    #[arg(long, value_name = "HOST:PORT")]
    pub to: Option<String>,
    /// Route only this host to it; everything else is 404
    #[arg(long, value_name = "NAME", requires = "to")]
    pub host: Option<String>,
    /// Where the daemons listen.
    #[command(flatten)]
    pub listen: Listen,
    /// Where state and the generated files lie
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

/// Where the daemons of a generated main.yaml listen; what is absent is at its default.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Listen {
    /// Where the proxy listens
    #[arg(long = "listen", value_name = "ADDR:PORT")]
    #[arg(id = "listen")]
    pub http: Option<SocketAddr>,
    /// Where control's config API listens
    #[arg(long, value_name = "ADDR:PORT")]
    pub config_address: Option<SocketAddr>,
    /// Where the proxy's admin endpoints listen
    #[arg(long, value_name = "ADDR:PORT")]
    pub admin_address: Option<SocketAddr>,
}

/// Check documents or a main.yaml, without a server.
#[derive(clap::Args, Debug)]
pub struct Validate {
    /// An upstreams.yaml, a file of conf.d, a main.yaml by that name, or a folder with upstreams.yaml and conf.d; each is checked by
    /// itself
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Take every FILE as a main.yaml
    #[arg(long)]
    pub main: bool,
    /// Check the conf.d beside an upstreams.yaml with it, as control does
    #[arg(long)]
    pub with_conf_d: bool,
}

/// Take the files as they are on disk now.
#[derive(clap::Args, Debug)]
pub struct Take {
    /// Wait until every node runs it
    #[arg(long)]
    pub wait: bool,
    /// Take it even where it removes most hosts or most of a pool
    #[arg(long)]
    pub force: bool,
    /// Confirm the refusal of this id
    #[arg(long, value_name = "ID")]
    pub held: Option<String>,
    /// How long to wait: `30s`, `1.5s`, `500ms`, `2min` or seconds
    #[arg(long, value_name = "D", default_value = "30s", value_parser = duration, requires = "wait")]
    pub timeout: Duration,
    /// What the history says about it
    #[arg(long, value_name = "M")]
    pub message: Option<String>,
}

/// Replace the documents of the fleet, conf.d included, until the set of files changes.
#[derive(clap::Args, Debug)]
pub struct Push {
    /// An upstreams.yaml, a folder with upstreams.yaml and conf.d, or `-` for standard input
    pub file: PathBuf,
    /// Wait until every node runs it that was connected or joined meanwhile
    #[arg(long)]
    pub wait: bool,
    /// Wait for the nodes as well that were away before
    #[arg(long, requires = "wait")]
    pub all: bool,
    /// Only where this is the head's revision
    #[arg(long, value_name = "REV")]
    pub expect: Option<u64>,
    /// Take it even where it removes over half of the hosts (of 10 or more, or all of them) or of a pool (of 4 or more)
    #[arg(long)]
    pub force: bool,
    /// Confirm the refusal of this id: take what was refused for what it removes
    #[arg(long, value_name = "ID")]
    pub held: Option<String>,
    /// How long to wait: `30s`, `1.5s`, `500ms`, `2min` or seconds
    #[arg(long, value_name = "D", default_value = "30s", value_parser = duration, requires = "wait")]
    pub timeout: Duration,
    /// What the history says about it
    #[arg(long, value_name = "M")]
    pub message: Option<String>,
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

fn duration(text: &str) -> Result<Duration, String> {
    aralez_proto::main_config::duration(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_in_the_documents() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        for wrong in [
            "",
            "s",
            "-1",
            "1w",
            "1.5.2s",
            "99999999999999999999",
            "4294967295m",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_verb_of_a_later_release_is_a_usage_error() {
        for line in [
            &["aralez-ctl", "diff"][..],
            &["aralez-ctl", "push"],
            &["aralez-ctl"],
        ] {
            let error = Args::try_parse_from(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }

    #[test]
    fn neither_a_key_nor_its_environment_shows_in_help_or_debug() {
        let args = Args::try_parse_from(["aralez-ctl", "--key", "hunter2", "status"]).unwrap();
        assert!(!format!("{args:?}").contains("hunter2"));
        let help = Args::try_parse_from(["aralez-ctl", "--help"]).unwrap_err();
        assert_eq!(help.kind(), ErrorKind::DisplayHelp);
        assert!(!help.to_string().contains("[env: ARALEZ_KEY="));
    }

    #[test]
    fn up_takes_a_file_or_an_endpoint_but_not_both() {
        assert!(Args::try_parse_from(["aralez-ctl", "up"]).is_ok());
        assert!(Args::try_parse_from(["aralez-ctl", "up", "--to", "a:1", "--host", "x"]).is_ok());
        assert!(Args::try_parse_from(["aralez-ctl", "up", "--host", "x"]).is_err());
        assert!(Args::try_parse_from(["aralez-ctl", "up", "-c", "f", "--to", "a:1"]).is_err());
    }
}
