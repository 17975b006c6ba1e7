//! The command line of `aralez-ctl`. Lists only the verbs of this release.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aralez_proto::main_config::Secret;
use aralez_proto::model::NodeName;
use clap::{Parser, Subcommand, ValueEnum};

mod explain;
mod issue_token;
pub use explain::{DocumentsFrom, Explain, Routes};
pub use issue_token::IssueToken;
pub(crate) use issue_token::with_token;

/// Validate and push documents, watch the fleet, and run Aralez on one machine.
#[derive(Parser, Debug)]
#[command(name = "aralez-ctl", version, disable_help_subcommand = true)]
pub struct Args {
    /// Flags of every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags of every verb.
#[derive(clap::Args, Debug)]
pub struct Global {
    /// URL of control's config API.
    #[arg(
        long,
        global = true,
        env = "ARALEZ_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    pub server: String,
    /// Master key. Prefer the environment variable: other users can see the command line.
    #[arg(long, global = true, env = "ARALEZ_KEY", hide_env_values = true, value_parser = secret)]
    pub key: Option<Secret>,
    /// Output format; `json` and `yaml` are stable and versioned.
    #[arg(short = 'o', long, global = true, value_enum, default_value_t)]
    pub output: Format,
}

/// Output format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Table,
    /// JSON, for programs.
    Json,
    /// YAML, for programs.
    Yaml,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Run control and proxy on this machine
    Up(Up),
    /// Check documents or a main.yaml, without a server
    Validate(Validate),
    /// Show what a proxy does with a request: its route, each policy with its place and verdict, and the answer or the endpoints
    Explain(Explain),
    /// List all routes
    Routes(Routes),
    /// Replace the documents of the fleet
    Push(Push),
    /// Show the state of control
    Status,
    /// Show the nodes and the versions they run
    Nodes,
    /// Commit document files
    Sources {
        /// The action.
        #[command(subcommand)]
        verb: SourcesVerb,
    },
    /// Manage one node
    Node {
        /// The action.
        #[command(subcommand)]
        verb: NodeVerb,
    },
    /// Back up, restore and check control's state
    Store {
        /// The action.
        #[command(subcommand)]
        verb: StoreVerb,
    },
    /// Issue a token that opens routes with `authorization: {type: jwt}`
    IssueToken(IssueToken),
    /// Print the JSON Schema of a file
    Schema {
        /// The file
        #[arg(value_enum, default_value_t)]
        file: SchemaOf,
    },
}

/// Actions on a node.
#[derive(Subcommand, Debug)]
pub enum NodeVerb {
    /// Send the refused content to the node again
    Retry {
        /// The node.
        node: NodeName,
    },
    /// Remove from the list a node that will not return
    Forget {
        /// The node.
        node: NodeName,
    },
}

/// Actions on control's state.
#[derive(Subcommand, Debug)]
pub enum StoreVerb {
    /// Back up the state of a running control to one file. The file contains the key that decrypts all documents: keep it secret
    Backup {
        /// The file; an existing file is replaced
        file: PathBuf,
    },
    /// Replace the state of a stopped control with a backup. The fleet follows once control runs
    Restore {
        /// The backup
        file: PathBuf,
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
        /// Replace a ledger that has revisions or belongs to another cluster; its files are kept in the same folder
        #[arg(long)]
        force: bool,
    },
    /// Verify the state of a stopped control and report damage
    Check {
        /// The `state_dir` of control; the default of main.yaml if absent
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}

/// Actions on the files of documents.
#[derive(Subcommand, Debug)]
pub enum SourcesVerb {
    /// Commit held files now. Files are held if they remove most hosts or most of a pool, or if whole files are missing
    Release {
        /// Release only the hold with this id, as shown by `status`
        id: Option<String>,
    },
    /// Commit the files on disk, to return to them after a push
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
    /// Send all traffic to this endpoint
    #[arg(long, value_name = "HOST:PORT")]
    pub to: Option<String>,
    /// Route only this host to the endpoint; all other hosts get 404
    #[arg(long, value_name = "NAME", requires = "to")]
    pub host: Option<String>,
    /// Listen addresses.
    #[command(flatten)]
    pub listen: Listen,
    /// Folder for state and generated files
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

/// Listen addresses of a generated main.yaml; defaults apply to absent ones.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Listen {
    /// Address of the proxy
    #[arg(long = "listen", value_name = "ADDR:PORT")]
    #[arg(id = "listen")]
    pub http: Option<SocketAddr>,
    /// Address of control's config API
    #[arg(long, value_name = "ADDR:PORT")]
    pub config_address: Option<SocketAddr>,
    /// Address of the proxy's admin endpoints
    #[arg(long, value_name = "ADDR:PORT")]
    pub admin_address: Option<SocketAddr>,
}

/// Check documents or a main.yaml, without a server.
#[derive(clap::Args, Debug)]
pub struct Validate {
    /// An upstreams.yaml, a file of conf.d, a file named main.yaml, or a folder with upstreams.yaml and conf.d; each is checked
    /// separately
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Treat every FILE as a main.yaml
    #[arg(long)]
    pub main: bool,
    /// Check an upstreams.yaml together with the conf.d in its folder, as control does
    #[arg(long)]
    pub with_conf_d: bool,
}

/// Commit the files on disk, to return to them after a push.
#[derive(clap::Args, Debug)]
pub struct Take {
    /// Wait until every node runs the revision
    #[arg(long)]
    pub wait: bool,
    /// Commit the files even if they remove most hosts or most of a pool
    #[arg(long)]
    pub force: bool,
    /// Confirm the held change with this id
    #[arg(long, value_name = "ID")]
    pub held: Option<String>,
    /// Timeout of the wait: `30s`, `1.5s`, `500ms`, `2min` or seconds
    #[arg(long, value_name = "D", default_value = "30s", value_parser = duration, requires = "wait")]
    pub timeout: Duration,
    /// Message for the history
    #[arg(long, value_name = "M")]
    pub message: Option<String>,
}

/// Replace the documents of the fleet, including conf.d. The push stays in effect until the files on disk change.
#[derive(clap::Args, Debug)]
pub struct Push {
    /// An upstreams.yaml, a folder with upstreams.yaml and conf.d, or `-` for standard input
    pub file: PathBuf,
    /// Wait until every node that is connected or joins meanwhile runs the revision
    #[arg(long)]
    pub wait: bool,
    /// Also wait for nodes that were away before the push
    #[arg(long, requires = "wait")]
    pub all: bool,
    /// Push only if the head is this revision
    #[arg(long, value_name = "REV")]
    pub expect: Option<u64>,
    /// Commit even if this removes over half of the hosts (of 10 or more, or all of them) or of a pool (of 4 or more)
    #[arg(long)]
    pub force: bool,
    /// Confirm the held change with this id: commit it despite what it removes
    #[arg(long, value_name = "ID")]
    pub held: Option<String>,
    /// Timeout of the wait: `30s`, `1.5s`, `500ms`, `2min` or seconds
    #[arg(long, value_name = "D", default_value = "30s", value_parser = duration, requires = "wait")]
    pub timeout: Duration,
    /// Message for the history
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
